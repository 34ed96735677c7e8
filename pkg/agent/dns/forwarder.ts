import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { type DecodedPacket, decode, encode, streamEncode } from "dns-packet";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/clock.ts";

/** How long one upstream may take before the next is asked. */
const upstreamWaitMs = 2_000;
const cacheEntriesMax = 10_000;
/** No answer is kept longer, whatever it allows; failures to find a name no longer than the second. */
const cacheMsMax = 30_000;
const negativeCacheMsMax = 5_000;

/** Asks the servers of a resolv.conf what the cluster does not know. */
export interface Forwarder {
  /** The upstream's answer to `query`; rejects when none answers in time. */
  forward(query: DecodedPacket, signal: AbortSignal): Promise<DecodedPacket>;
}

/** The servers that a resolv.conf names, without those that would lead back to ourselves. */
export function parseNameservers(text: string, ownAddress: string): readonly string[] {
  return text
    .split("\n")
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((address) => address !== ownAddress);
}

export function createForwarder(deps: {
  /** Read again for each question that is not cached, so that a change of the host's network is followed. */
  readonly resolvConf: string;
  readonly ownAddress: string;
  readonly clock: Clock;
}): Forwarder {
  const cache = new LRUCache<string, { readonly packet: DecodedPacket; readonly untilMs: number }>({
    max: cacheEntriesMax,
  });
  return {
    async forward(query, signal) {
      const key = (query.questions ?? [])
        .map(({ name, type }) => `${name.toLowerCase()} ${type}`)
        .join();
      const known = cache.get(key);
      if (known !== undefined && known.untilMs > deps.clock.monotonic()) return known.packet;
      const servers = parseNameservers(readFileSync(deps.resolvConf, "utf8"), deps.ownAddress);
      let failure: unknown = new Error(`${deps.resolvConf} names no server`);
      for (const server of servers) {
        try {
          const packet = await askUpstream(server, query, deps.clock, signal);
          cache.set(key, { packet, untilMs: deps.clock.monotonic() + lifetimeMs(packet) });
          return packet;
        } catch (caught) {
          failure = caught;
        }
      }
      throw failure;
    },
  };
}

function lifetimeMs(packet: DecodedPacket): number {
  const answers = packet.answers ?? [];
  if (answers.length === 0) return negativeCacheMsMax;
  const ttls = answers.map((answer) => ("ttl" in answer ? (answer.ttl ?? 0) : 0));
  return Math.min(cacheMsMax, Math.min(...ttls) * 1_000);
}

async function askUpstream(
  server: string,
  query: DecodedPacket,
  clock: Clock,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const packet = await askOverUdp(server, query, clock, signal);
  return packet.flag_tc ? askOverTcp(server, query, clock, signal) : packet;
}

/** Rejects in time, and calls `close` however it ends. */
async function inTime<T>(
  clock: Clock,
  signal: AbortSignal,
  server: string,
  close: () => void,
  work: Promise<T>,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const stop = clock.after(upstreamWaitMs, () =>
    late.reject(new Error(`${server} did not answer`)),
  );
  const onAbort = () => late.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    stop();
    signal.removeEventListener("abort", onAbort);
    close();
  }
}

function askOverUdp(
  server: string,
  query: DecodedPacket,
  clock: Clock,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  const id = Math.floor(Math.random() * 65_536);
  const answer = new Promise<DecodedPacket>((resolve, reject) => {
    socket.once("error", reject);
    // A connected socket hears nobody but the server asked.
    socket.connect(53, server, () => {
      socket.send(encode({ ...query, id, type: "query" }));
    });
    socket.on("message", (message) => {
      try {
        const packet = decode(message);
        if (packet.id === id) resolve(packet);
      } catch (caught) {
        reject(caught);
      }
    });
  });
  return inTime(clock, signal, server, () => socket.close(), answer);
}

function askOverTcp(
  server: string,
  query: DecodedPacket,
  clock: Clock,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const socket = connect(53, server);
  const answer = new Promise<DecodedPacket>((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.once("error", reject);
    socket.once("connect", () => socket.write(streamEncode({ ...query, type: "query" })));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      try {
        resolve(decode(received.subarray(2)));
      } catch (caught) {
        reject(caught);
      }
    });
    socket.once("close", () => reject(new Error(`${server} closed the connection`)));
  });
  return inTime(clock, signal, server, () => socket.destroy(), answer);
}
