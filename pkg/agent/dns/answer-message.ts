import {
  type DecodedPacket,
  decode,
  encode,
  type Answer as PacketAnswer,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import type { Logger } from "../../base/log.ts";
import type { ZoneSource } from "./cluster-zone.ts";
import type { Forwarder } from "./forwarder.ts";
import { respondFromCluster } from "./respond.ts";

/** What fits into an answer over UDP where the client does not say (RFC 1035). */
const plainUdpBytesMax = 512;
/** More is not sent in one datagram whatever the client says, as CoreDNS's buffer: fragments get lost. */
const udpBytesMax = 4_096;
const streamBytesMax = 65_535;
/** What we tell others that we take in one datagram: what passes every link unfragmented. */
const ownPayloadBytes = 1_232;
/** ExternalNames may name each other; a chain that is longer is cut. */
const cnameLinksMax = 8;

const responseCode = { formatError: 1, serverFailure: 2, notImplemented: 4 };

/** Turns the bytes of a question into the bytes of its answer; undefined for what is no question. */
export type AnswerMessage = (
  message: Buffer,
  transport: "datagram" | "stream",
  signal: AbortSignal,
) => Promise<Buffer | undefined>;

/** Never rejects: what cannot be resolved is answered with a failure. */
export function createAnswerMessage(deps: {
  readonly zone: ZoneSource;
  readonly domain: string;
  readonly forwarder: Forwarder;
  /** False before the cluster's names are all known: they are then not denied, but to be asked for again. */
  isZoneKnown(): boolean;
  readonly logger: Logger;
}): AnswerMessage {
  const { zone, domain, forwarder, logger } = deps;

  async function resolve(query: DecodedPacket, signal: AbortSignal): Promise<DecodedPacket> {
    const own = respondFromCluster(zone, domain, query);
    if (own === undefined) return await forwarder.forward(query, signal);
    if (!deps.isZoneKnown()) return failure(responseCode.serverFailure);
    return await withTarget(own, query, signal);
  }

  /** A stub resolver follows no CNAME: the addresses behind an ExternalName come with it. */
  async function withTarget(
    own: DecodedPacket,
    query: DecodedPacket,
    signal: AbortSignal,
  ): Promise<DecodedPacket> {
    const type = query.questions?.[0]?.type;
    if (type !== "A" && type !== "AAAA") return own;
    const answers: PacketAnswer[] = [...(own.answers ?? [])];
    for (let links = 0; links < cnameLinksMax; links++) {
      const last = answers.at(-1);
      if (last?.type !== "CNAME") break;
      const onward = { ...query, questions: [{ type, name: last.data, class: "IN" as const }] };
      const behind =
        respondFromCluster(zone, domain, onward) ?? (await forwarder.forward(onward, signal));
      if (behind.answers === undefined || behind.answers.length === 0) break;
      answers.push(...behind.answers);
    }
    return { ...own, answers };
  }

  async function answer(query: DecodedPacket, signal: AbortSignal): Promise<DecodedPacket> {
    if (opcodeOf(query) !== standardQuery) return failure(responseCode.notImplemented);
    if (query.questions?.length !== 1) return failure(responseCode.formatError);
    try {
      return await resolve(query, signal);
    } catch (caught) {
      logger.debug("cannot resolve", { question: query.questions[0]?.name, error: caught });
      return failure(responseCode.serverFailure);
    }
  }

  return async (message, transport, signal) => {
    const query = decodeQuery(message);
    if (query === undefined) return undefined;
    const bytesMax = transport === "stream" ? streamBytesMax : datagramBytes(query);
    const response = await answer(query, signal);
    try {
      return encodeWithin(asResponseTo(query, response), bytesMax);
    } catch (caught) {
      // An upstream's record that our encoder cannot write.
      logger.debug("cannot write an answer", { question: query.questions?.[0]?.name, caught });
      return encode(asResponseTo(query, failure(responseCode.serverFailure)));
    }
  };
}

/** Undefined for what is no question: answering noise would help those who make it. */
function decodeQuery(message: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(message);
    // What cannot be written again could not be answered either.
    encode(packet);
    return packet.type === "query" ? packet : undefined;
  } catch {
    return undefined;
  }
}

const standardQuery = 0;

function opcodeOf({ flags = 0 }: DecodedPacket): number {
  return (flags >> 11) & 0xf;
}

function failure(code: number): DecodedPacket {
  return { flags: RECURSION_AVAILABLE | code } as unknown as DecodedPacket;
}

/** Our EDNS record goes to those who sent one, and to nobody else (RFC 6891). */
function asResponseTo(query: DecodedPacket, packet: DecodedPacket): DecodedPacket {
  const isEdns = ({ type }: PacketAnswer) => type === "OPT";
  const edns = {
    type: "OPT",
    name: ".",
    udpPayloadSize: ownPayloadBytes,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  } as const;
  return {
    id: query.id ?? 0,
    type: "response",
    flags:
      ((packet.flags ?? 0) & ~RECURSION_DESIRED) |
      RECURSION_AVAILABLE |
      ((query.flags ?? 0) & RECURSION_DESIRED),
    questions: query.questions ?? [],
    answers: packet.answers ?? [],
    authorities: packet.authorities ?? [],
    additionals: [
      ...(packet.additionals ?? []).filter((record) => !isEdns(record)),
      ...(query.additionals?.some(isEdns) === true ? [edns] : []),
    ],
  } as unknown as DecodedPacket;
}

function datagramBytes({ additionals = [] }: DecodedPacket): number {
  const edns = additionals.find((record) => record.type === "OPT");
  const asked = edns?.type === "OPT" ? (edns.udpPayloadSize ?? 0) : 0;
  return Math.min(udpBytesMax, Math.max(plainUdpBytesMax, asked));
}

/** What does not fit is left out and said so; the client asks again over TCP. */
function encodeWithin(response: DecodedPacket, bytesMax: number): Buffer {
  const whole = encode(response);
  if (whole.length <= bytesMax) return whole;
  return encode({
    ...response,
    flags: (response.flags ?? 0) | TRUNCATED_RESPONSE,
    answers: [],
    authorities: [],
    additionals: (response.additionals ?? []).filter(({ type }) => type === "OPT"),
  } as DecodedPacket);
}
