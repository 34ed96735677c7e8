import type { Writable } from "node:stream";
import type { ResourceDefinition } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import { type Answered, answered, type Exchange } from "./exchange.ts";
import { watchEncodingOf } from "./format.ts";
import type { Hub } from "./hub.ts";
import { parseWatchOptions } from "./list-options.ts";
import { protobufType } from "./negotiation.ts";
import { headersOf } from "./reply.ts";
import { nextBookmarkMs, type ServedWatch, type ServedWatches } from "./served-watches.ts";
import { watchObjects } from "./verbs/watch.ts";
import { asksForWebSocket, beginWebSocket } from "./watch-socket.ts";
import { WatchWriter } from "./watch-writer.ts";

export interface WatchDeps {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly watches: ServedWatches;
}

/** Watches that ask for no end get one between this and twice this: so that they spread over the servers. */
const timeoutMinMs = 30 * 60 * 1000;
/** An end that is nearer than this is kept to the millisecond. */
const soonMs = 60_000;

/** Streams the events of a watch until the client goes, the time is over, or the server stops. */
export function replyWatch(
  deps: WatchDeps,
  exchange: Exchange,
  resource: ResourceDefinition,
  namespace: string | undefined,
): Answered {
  const { hub, clock, watches } = deps;
  const options = parseWatchOptions(exchange.query);
  const { encoding, contentType } = watchEncodingOf(exchange, resource, () => clock.now());
  // Selectors that cannot be read are refused before the answer begins.
  const begin = beginOf(exchange, contentType);
  let stop = () => {};
  let cancelEnd = () => {};
  const writer = new WatchWriter(begin, encoding, () => {
    stop();
    cancelEnd();
    watches.delete(watch);
  });
  const nowMs = clock.monotonic();
  const timeoutMs =
    options.timeoutSeconds > 0 ? options.timeoutSeconds * 1000 : timeoutMinMs * (1 + Math.random());
  const watch: ServedWatch = {
    resource,
    writer,
    endsAtMs: nowMs + timeoutMs,
    bookmarkAtMs: options.allowWatchBookmarks ? nextBookmarkMs(nowMs) : Number.POSITIVE_INFINITY,
  };
  stop = watchObjects(hub, resource, namespace, options, writer);
  writer.flush();
  if (writer.isClosed) stop();
  else {
    if (timeoutMs < soonMs) cancelEnd = clock.after(timeoutMs, () => writer.end());
    watches.add(watch);
  }
  return answered;
}

/** The exchange itself is let go of once the answer has begun: a watch lasts, and there may be many. */
function beginOf(exchange: Exchange, contentType: string): () => Writable {
  const headers = headersOf(exchange, contentType);
  let waiting: Exchange | undefined = exchange;
  return () => {
    if (waiting === undefined) throw new Error("a watch begins once");
    const outgoing = asksForWebSocket(waiting)
      ? beginWebSocket(waiting, contentType.startsWith(protobufType) ? "protobuf" : "json")
      : waiting.begin(200, headers);
    waiting = undefined;
    return outgoing;
  };
}
