import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { type DecodedPacket, decode, encode, streamEncode } from "dns-packet";
import { aborted } from "../../base/abort.ts";
import type { Logger } from "../../base/log.ts";
import { MendableError } from "../../base/mendable-error.ts";
import type { Service } from "../../base/service.ts";
import type { Commands } from "../host/exec.ts";
import type { ZoneSource } from "./cluster-zone.ts";
import type { Forwarder } from "./forwarder.ts";
import { respondFromCluster } from "./respond.ts";

const dnsPort = 53;
/** Tells our address on the loopback interface from others'. */
export const dnsAddressLabel = "lo:mini8s";
/** What fits into an answer over UDP where the client does not say (RFC 1035). */
const plainUdpBytesMax = 512;
const tcpConnectionsMax = 256;
const tcpIdleMs = 10_000;

const serverFailure = 2;
const truncatedFlag = 1 << 9;
const responseCodeMask = 0xf;

/**
 * The cluster's DNS, answered on the node itself: its address lies on the loopback interface of every node, so
 * that a question never crosses the network, and a node alone still resolves.
 */
export function createDnsServer(deps: {
  readonly address: string;
  readonly domain: string;
  readonly zone: ZoneSource;
  readonly forwarder: Forwarder;
  /** Until then nothing is answered: half a list would deny names that exist. */
  ready(signal: AbortSignal): Promise<void>;
  readonly commands: Commands;
  readonly logger: Logger;
}): Service {
  const { zone, domain, address, logger } = deps;

  async function answer(query: DecodedPacket, signal: AbortSignal): Promise<DecodedPacket> {
    try {
      const own = respondFromCluster(zone, domain, query);
      if (own === undefined)
        return asResponseTo(query, await deps.forwarder.forward(query, signal));
      return await withTarget(own, query, signal);
    } catch (caught) {
      logger.debug("cannot resolve", { question: query.questions?.[0]?.name, error: caught });
      return asResponseTo(query, { flags: serverFailure, answers: [] } as unknown as DecodedPacket);
    }
  }

  /** A stub resolver follows no CNAME: the addresses behind an ExternalName come with it. */
  async function withTarget(
    own: DecodedPacket,
    query: DecodedPacket,
    signal: AbortSignal,
  ): Promise<DecodedPacket> {
    const [only] = own.answers ?? [];
    const type = query.questions?.[0]?.type;
    if (only?.type !== "CNAME" || (type !== "A" && type !== "AAAA")) return own;
    const onward = { ...query, questions: [{ type, name: only.data, class: "IN" as const }] };
    const behind =
      respondFromCluster(zone, domain, onward) ?? (await deps.forwarder.forward(onward, signal));
    return { ...own, answers: [only, ...(behind.answers ?? [])] };
  }

  return {
    name: "dns",
    async run(signal) {
      const place = [`${address}/32`, "dev", "lo", "label", dnsAddressLabel];
      await deps.commands.run("ip", ["addr", "replace", ...place], { signal });
      await deps.ready(signal);
      const udp = createSocket("udp4");
      const tcp = createServer({ allowHalfOpen: true }, (socket) =>
        serveTcp(socket, (query) => answer(query, signal)),
      );
      tcp.maxConnections = tcpConnectionsMax;
      const sockets = new Set<Socket>();
      tcp.on("connection", (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      udp.on("message", (message, from) => {
        const query = decodeQuery(message);
        if (query === undefined) return;
        void answer(query, signal).then((response) => {
          if (!signal.aborted) udp.send(encodeForUdp(query, response), from.port, from.address);
        });
      });
      const failed = Promise.withResolvers<never>();
      for (const server of [udp, tcp]) {
        server.on("error", (cause) =>
          failed.reject(
            new MendableError(
              `cannot answer DNS on ${address}:${dnsPort} (${cause.message}): stop what uses that address, or choose another one with --cluster-dns`,
              { cause },
            ),
          ),
        );
      }
      udp.bind(dnsPort, address);
      tcp.listen(dnsPort, address);
      try {
        await Promise.race([aborted(signal), failed.promise]);
      } finally {
        udp.close();
        tcp.close();
        for (const socket of sockets) socket.destroy();
      }
    },
  };
}

/** Undefined for what is no question: answering noise would help those who make it. */
function decodeQuery(message: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(message);
    return packet.type === "query" ? packet : undefined;
  } catch {
    return undefined;
  }
}

function serveTcp(socket: Socket, answer: (query: DecodedPacket) => Promise<DecodedPacket>): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(tcpIdleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const query = decodeQuery(received.subarray(2, end));
      received = received.subarray(end);
      if (query === undefined) {
        socket.destroy();
        return;
      }
      void answer(query).then((response) => {
        if (!socket.destroyed) socket.write(streamEncode(response));
      });
    }
  });
}

function asResponseTo(query: DecodedPacket, packet: DecodedPacket): DecodedPacket {
  return {
    ...packet,
    id: query.id ?? 0,
    type: "response",
    questions: query.questions ?? [],
  } as DecodedPacket;
}

/** What does not fit is left out and said so; the client asks again over TCP. */
function encodeForUdp(query: DecodedPacket, response: DecodedPacket): Buffer {
  const edns = query.additionals?.find((record) => record.type === "OPT");
  const bytesMax =
    edns?.type === "OPT" ? Math.max(plainUdpBytesMax, edns.udpPayloadSize ?? 0) : plainUdpBytesMax;
  const whole = encode(response);
  if (whole.length <= bytesMax) return whole;
  const flags = ((response.flags ?? 0) & ~responseCodeMask) | truncatedFlag;
  return encode({
    ...response,
    flags,
    answers: [],
    authorities: [],
    additionals: [],
  } as DecodedPacket);
}
