import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ResourceDefinition } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import type { Exchange } from "./exchange.ts";
import { watchEncodingOf } from "./format.ts";
import type { Hub } from "./hub.ts";
import { parseWatchOptions } from "./list-options.ts";
import { headersOf } from "./reply.ts";
import { watchObjects } from "./verbs/watch.ts";
import { WatchWriter } from "./watch-writer.ts";

export interface WatchDeps {
  readonly hub: Hub;
  readonly clock: Clock;
  /** Aborts when the server stops: watches end, and their clients go elsewhere or come again. */
  readonly draining: AbortSignal;
}

/** Watches that ask for no end get one between this and twice this: so that they spread over the servers. */
const timeoutMinMs = 30 * 60 * 1000;
const bookmarkEveryMs = 60 * 1000;

/** Streams the events of a watch until the client goes, the time is over, or the server stops. */
export function replyWatch(
  deps: WatchDeps,
  exchange: Exchange,
  resource: ResourceDefinition,
  namespace: string | undefined,
): Response {
  const { hub, clock, draining } = deps;
  const { outgoing } = exchange;
  const options = parseWatchOptions(exchange.query);
  const { encoding, contentType } = watchEncodingOf(exchange, resource, () => clock.now());
  const cleanups: (() => void)[] = [];
  const writer = new WatchWriter(outgoing, encoding, () => {
    for (const cleanup of cleanups) cleanup();
  });
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    outgoing.writeHead(200, headersOf(exchange, contentType));
    if ("flushHeaders" in outgoing) outgoing.flushHeaders();
  };
  // Selectors that cannot be read are refused before the answer begins.
  const sink = {
    event: writer.event.bind(writer),
    bookmark: writer.bookmark.bind(writer),
    flush() {
      begin();
      writer.flush();
    },
    fail(error: Parameters<typeof writer.fail>[0]) {
      begin();
      writer.fail(error);
    },
  };
  const stop = watchObjects(hub, resource, namespace, options, sink);
  begin();
  writer.begin();
  writer.flush();
  cleanups.push(stop);
  const end = () => writer.end();
  draining.addEventListener("abort", end, { once: true });
  cleanups.push(() => draining.removeEventListener("abort", end));
  const timeoutMs =
    options.timeoutSeconds > 0 ? options.timeoutSeconds * 1000 : timeoutMinMs * (1 + Math.random());
  cleanups.push(clock.after(timeoutMs, end));
  if (options.allowWatchBookmarks) {
    let cancel = () => {};
    const next = () => {
      cancel = clock.after(bookmarkEveryMs, () => {
        writer.bookmark(hub.revision, false);
        writer.flush();
        next();
      });
    };
    next();
    cleanups.push(() => cancel());
  }
  if (outgoing.destroyed || outgoing.writableEnded || draining.aborted) end();
  return RESPONSE_ALREADY_SENT;
}
