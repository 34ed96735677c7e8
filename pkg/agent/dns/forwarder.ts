import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import {
  CHECKING_DISABLED,
  type DecodedPacket,
  DNSSEC_OK,
  decode,
  encode,
  type Packet,
  streamEncode,
} from "dns-packet";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/clock.ts";

/** How long one upstream may take before the next is asked. */
const upstreamWaitMs = 2_000;
/** One that did not answer is asked after the others for so long. */
const avoidMs = 10_000;
const cacheEntriesMax = 10_000;
/** No answer is kept longer, whatever it allows; failures to find a name no longer than the second. */
const cacheMsMax = 30_000;
const negativeCacheMsMax = 5_000;
/** Each open question holds a socket: beyond so many, more are refused, as CoreDNS's `max_concurrent` does. */
const openQuestionsMax = 1_000;
const dnsPort = 53;

const noError = 0;
const nameError = 3;

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

interface Known {
  readonly packet: DecodedPacket;
  readonly atMs: number;
  readonly untilMs: number;
}

export function createForwarder(deps: {
  /** Read again for each question that is not cached, so that a change of the host's network is followed. */
  readonly resolvConf: string;
  readonly ownAddress: string;
  readonly clock: Clock;
  /** Where the upstreams listen; default 53. */
  readonly upstreamPort?: number;
}): Forwarder {
  const { clock } = deps;
  const port = deps.upstreamPort ?? dnsPort;
  const cache = new LRUCache<string, Known>({ max: cacheEntriesMax });
  /** Servers that did not answer, and until when others come first. */
  const avoided = new Map<string, number>();
  let open = 0;

  async function servers(): Promise<readonly string[]> {
    const named = parseNameservers(await readFile(deps.resolvConf, "utf8"), deps.ownAddress);
    const late = (server: string) => ((avoided.get(server) ?? 0) > clock.monotonic() ? 1 : 0);
    return named.toSorted((one, other) => late(one) - late(other));
  }

  /** The first server's answer that is one; else a refusal, where somebody at least refused. */
  async function askInTurn(query: DecodedPacket, signal: AbortSignal): Promise<DecodedPacket> {
    let failure: unknown = new Error(`${deps.resolvConf} names no server`);
    let refusal: DecodedPacket | undefined;
    for (const server of await servers()) {
      try {
        const packet = await askUpstream({ server, port, clock, signal }, query);
        avoided.delete(server);
        if (isAnswer(packet)) return packet;
        refusal = packet;
      } catch (caught) {
        signal.throwIfAborted();
        avoided.set(server, clock.monotonic() + avoidMs);
        failure = caught;
      }
    }
    if (refusal !== undefined) return refusal;
    throw failure;
  }

  return {
    async forward(query, signal) {
      const key = keyOf(query);
      const now = clock.monotonic();
      const known = cache.get(key);
      if (known !== undefined && known.untilMs > now) return aged(known, now);
      if (open >= openQuestionsMax) throw new Error(`${open} questions wait for an upstream`);
      open++;
      try {
        const packet = await askInTurn(query, signal);
        const atMs = clock.monotonic();
        // What a server could not find out now it may find out in a moment.
        if (isAnswer(packet)) cache.set(key, { packet, atMs, untilMs: atMs + lifetimeMs(packet) });
        return packet;
      } finally {
        open--;
      }
    },
  };
}

function isAnswer({ flags }: DecodedPacket): boolean {
  const code = (flags ?? 0) & 0xf;
  return code === noError || code === nameError;
}

/** What an answer depends on: also whether the client wants signatures, and unverified data. */
function keyOf({ questions = [], additionals = [], flags = 0 }: DecodedPacket): string {
  const asked = questions.map((one) => `${one.name.toLowerCase()} ${one.type} ${one.class}`);
  const signed = additionals.some(
    (record) => record.type === "OPT" && ((record.flags ?? 0) & DNSSEC_OK) !== 0,
  );
  return [...asked, signed, (flags & CHECKING_DISABLED) !== 0].join();
}

/** A kept answer, with what is left of its records' lives. */
function aged({ packet, atMs }: Known, nowMs: number): DecodedPacket {
  const seconds = Math.floor((nowMs - atMs) / 1_000);
  const older = (records: DecodedPacket["answers"]) =>
    (records ?? []).map((record) =>
      "ttl" in record ? { ...record, ttl: Math.max(0, (record.ttl ?? 0) - seconds) } : record,
    );
  return {
    ...packet,
    answers: older(packet.answers),
    authorities: older(packet.authorities),
  } as DecodedPacket;
}

function lifetimeMs({ answers = [], authorities = [] }: DecodedPacket): number {
  const ttls = [...answers, ...authorities].map((record) =>
    "ttl" in record ? (record.ttl ?? 0) : 0,
  );
  const max = answers.length === 0 ? negativeCacheMsMax : cacheMsMax;
  return Math.min(max, ...ttls.map((ttl) => ttl * 1_000));
}

interface Upstream {
  readonly server: string;
  readonly port: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function askUpstream(upstream: Upstream, query: DecodedPacket): Promise<DecodedPacket> {
  const question: Packet = { ...query, id: randomInt(65_536), type: "query" };
  const packet = await askOverUdp(upstream, question);
  return packet.flag_tc ? await askOverTcp(upstream, question) : packet;
}

/** Rejects in time, and calls `close` however it ends. */
async function inTime<T>(upstream: Upstream, close: () => void, work: Promise<T>): Promise<T> {
  const { clock, signal, server } = upstream;
  const late = Promise.withResolvers<never>();
  const stop = clock.after(upstreamWaitMs, () =>
    late.reject(new Error(`${server} did not answer`)),
  );
  const onAbort = () => late.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    stop();
    signal.removeEventListener("abort", onAbort);
    close();
  }
}

function askOverUdp(upstream: Upstream, question: Packet): Promise<DecodedPacket> {
  const { server, port } = upstream;
  const message = encode(question);
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  const answer = new Promise<DecodedPacket>((resolve, reject) => {
    const failed = (error?: Error | null) => {
      if (error instanceof Error) reject(error);
    };
    // More than one may come; one that nobody hears would end the process.
    socket.on("error", reject);
    socket.on("message", (received) => {
      try {
        const packet = decode(received);
        if (packet.id === question.id && packet.type === "response") resolve(packet);
      } catch (caught) {
        reject(caught);
      }
    });
    // A connected socket hears nobody but the server asked.
    socket.connect(port, server, (error?: Error) => {
      if (error === undefined) socket.send(message, failed);
      else reject(error);
    });
  });
  return inTime(upstream, () => socket.close(), answer);
}

function askOverTcp(upstream: Upstream, question: Packet): Promise<DecodedPacket> {
  const { server, port } = upstream;
  const message = streamEncode(question);
  const socket = connect(port, server);
  const answer = new Promise<DecodedPacket>((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on("error", reject);
    socket.once("connect", () => socket.write(message));
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
  return inTime(upstream, () => socket.destroy(), answer);
}
