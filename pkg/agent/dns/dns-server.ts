import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { aborted, orAborted } from "../../base/abort.ts";
import type { Logger } from "../../base/log.ts";
import { MendableError } from "../../base/mendable-error.ts";
import type { Service } from "../../base/service.ts";
import type { Commands } from "../host/exec.ts";
import { type AnswerMessage, createAnswerMessage } from "./answer-message.ts";
import type { ZoneSource } from "./cluster-zone.ts";
import type { Forwarder } from "./forwarder.ts";

const dnsPort = 53;
/** Tells our address on the loopback interface from others'. */
export const dnsAddressLabel = "lo:mini8s";
const tcpConnectionsMax = 256;
const tcpIdleMs = 10_000;

/**
 * The cluster's DNS, answered on the node itself: its address lies on the loopback interface of every node, so
 * that a question never crosses the network, and a node alone still resolves.
 */
export function createDnsServer(deps: {
  readonly address: string;
  readonly domain: string;
  readonly zone: ZoneSource;
  readonly forwarder: Forwarder;
  /** Until then only the world's names are answered: half a list would deny names that exist. */
  ready(signal: AbortSignal): Promise<void>;
  readonly commands: Commands;
  readonly logger: Logger;
}): Service {
  const { zone, domain, forwarder, address, logger } = deps;
  let isZoneKnown = false;
  const answer = createAnswerMessage({
    zone,
    domain,
    forwarder,
    isZoneKnown: () => isZoneKnown,
    logger,
  });

  return {
    name: "dns",
    async run(signal) {
      const place = [`${address}/32`, "dev", "lo", "label", dnsAddressLabel];
      await deps.commands.run("ip", ["addr", "replace", ...place], { signal });
      await using servers = new AsyncDisposableStack();
      const udp = createSocket("udp4");
      servers.defer(() => new Promise((resolve) => void udp.close(() => resolve())));
      const tcp = createServer({ allowHalfOpen: true }, (socket) =>
        serveTcp(socket, answer, signal),
      );
      tcp.maxConnections = tcpConnectionsMax;
      const sockets = new Set<Socket>();
      servers.defer(async () => {
        const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
        for (const socket of sockets) socket.destroy();
        await closed;
      });
      tcp.on("connection", (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      udp.on("message", (message, from) => {
        void answer(message, "datagram", signal).then((response) => {
          // A client that cannot be reached, or names port 0, is its own loss.
          if (response !== undefined && from.port !== 0 && !signal.aborted)
            udp.send(response, from.port, from.address, () => {});
        });
      });
      await orAborted(
        Promise.all([
          listening(udp, address, () => udp.bind(dnsPort, address)),
          listening(tcp, address, () => tcp.listen(dnsPort, address)),
        ]),
        signal,
      );
      for (const server of [udp, tcp])
        server.on("error", (error) => logger.warn("a DNS question was lost", { error }));
      await deps.ready(signal);
      isZoneKnown = true;
      await aborted(signal);
    },
  };
}

function listening(server: DatagramSocket | Server, address: string, open: () => void) {
  return new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(
        new MendableError(
          `cannot answer DNS on ${address}:${dnsPort} (${cause.message}): stop what uses that address, or choose another one with --cluster-dns`,
          { cause },
        ),
      );
    server.once("error", failed);
    server.once("listening", () => {
      server.off("error", failed);
      resolve();
    });
    open();
  });
}

function serveTcp(socket: Socket, answer: AnswerMessage, signal: AbortSignal): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(tcpIdleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  let open = 0;
  let ended = false;
  const endWhenAnswered = () => {
    if (ended && open === 0) socket.end();
  };
  socket.on("end", () => {
    ended = true;
    endWhenAnswered();
  });
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const message = received.subarray(2, end);
      received = received.subarray(end);
      open++;
      void answer(message, "stream", signal).then((response) => {
        open--;
        if (response === undefined) socket.destroy();
        if (response === undefined || socket.destroyed) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(response.length);
        socket.write(Buffer.concat([length, response]));
        endWhenAnswered();
      });
    }
  });
}
