import type { X509Certificate } from "node:crypto";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { createServer, type Server } from "node:https";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import { aborted } from "../../../base/abort.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/log.ts";
import { MendableError } from "../../../base/mendable-error.ts";
import type { Service } from "../../../base/service.ts";
import { readContainerLog } from "./container-log.ts";
import { EndpointError } from "./endpoint-error.ts";
import { findLoggedContainer, findPod, readLogOptions } from "./endpoint-request.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeWorkloads } from "./node-workloads.ts";
import { createSessionOpener, type SessionOpener, type UpgradeRequest } from "./open-session.ts";

const requestHeaderMs = 10_000;
const keepAliveProbeMs = 15_000;

interface EndpointTls {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string;
}

/** The endpoint's life, and the way to give it another certificate: whoever connects from then on sees that. */
export interface Endpoint extends Service {
  renew(tls: Pick<EndpointTls, "cert" | "key">): void;
}

export interface EndpointDeps {
  readonly address: string;
  readonly port: number;
  readonly tls: EndpointTls;
  readonly access: NodeAccess;
  readonly workloads: NodeWorkloads;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The node's own HTTPS endpoint, under kubelet's paths: logs, exec, attach, port-forward, pods, health. The API
 * server is its client; whoever else asks must be allowed `nodes/proxy` or the like.
 */
export function createEndpoint(deps: EndpointDeps): Endpoint {
  let tls = deps.tls;
  let server: Server | undefined;
  return {
    name: "node endpoint",
    renew(next) {
      tls = { ...tls, ...next };
      server?.setSecureContext(contextOf(tls));
    },
    async run(signal) {
      const sessions = createSessionOpener(deps);
      const listening = createServer({
        ...contextOf(tls),
        requestCert: true,
        // A client without a certificate may bring a token.
        rejectUnauthorized: false,
        headersTimeout: requestHeaderMs,
        // A client that vanished without a word must not keep its session.
        keepAlive: true,
        keepAliveInitialDelay: keepAliveProbeMs,
      });
      server = listening;
      const sockets = new Set<Duplex>();
      listening.on("secureConnection", (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      listening.on("request", (request, response) => void serve(deps, request, response, signal));
      listening.on(
        "upgrade",
        (request, socket, head) => void upgrade(deps, sessions, { request, socket, head }, signal),
      );
      const failed = Promise.withResolvers<never>();
      listening.on("error", (cause) => {
        failed.reject(
          new MendableError(
            `cannot listen on ${deps.address}:${deps.port} (${cause.message}): stop the other kubelet on this machine, or choose another port with --kubelet-port`,
            { cause },
          ),
        );
      });
      listening.listen(deps.port, deps.address);
      try {
        await Promise.race([aborted(signal), failed.promise]);
      } finally {
        listening.close();
        for (const socket of sockets) socket.destroy();
      }
    },
  };
}

function contextOf({ cert, key, clientCa }: EndpointTls) {
  return { cert, key, ca: clientCa, minVersion: "TLSv1.2" as const };
}

async function serve(
  deps: EndpointDeps,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const either = AbortSignal.any([signal, gone.signal]);
  try {
    const url = await admit(deps, request, either);
    await route(deps, url, response, either);
  } catch (thrown) {
    if (either.aborted) return void response.destroy();
    answerError(deps.logger, response, thrown);
  }
}

function answerError(logger: Logger, response: ServerResponse, thrown: unknown): void {
  const error = EndpointError.from(thrown);
  if (error.code >= 500) logger.warn("a request to the node endpoint failed", { error: thrown });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(error.code, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${error.message}\n`);
}

/** The request's URL, once it is known that who asks may have it. */
async function admit(
  deps: EndpointDeps,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<URL> {
  const url = new URL(request.url ?? "/", "https://node");
  if (url.pathname === "/healthz") return url;
  const socket = request.socket as TLSSocket;
  const certificate: X509Certificate | undefined = socket.authorized
    ? socket.getPeerX509Certificate()
    : undefined;
  const bearerToken = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const verb = request.method === "GET" ? "get" : "create";
  const access = await deps.access.check({ certificate, bearerToken }, verb, url.pathname, signal);
  if (access.outcome === "unauthorized") throw new EndpointError(401, "Unauthorized");
  if (access.outcome === "forbidden") throw new EndpointError(403, access.message);
  return url;
}

async function route(
  deps: EndpointDeps,
  url: URL,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const [, action = "", namespace = "", podName = "", containerName = ""] = url.pathname
    .split("/")
    .map(decodeURIComponent);
  switch (action) {
    case "healthz":
      response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
      response.end("ok");
      return;
    case "pods": {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(
        JSON.stringify({
          kind: "PodList",
          apiVersion: "v1",
          metadata: {},
          items: deps.workloads.pods(),
        }),
      );
      return;
    }
    case "containerLogs": {
      const options = readLogOptions(url.searchParams, deps.clock.now());
      const pod = findPod(deps.workloads, namespace, podName);
      const container = findLoggedContainer(
        deps.workloads,
        pod,
        containerName,
        options.previous ? "previous" : "current",
      );
      response.writeHead(200, { "Content-Type": "text/plain" });
      response.flushHeaders();
      const stillRunning = () =>
        deps.workloads.container(pod, containerName, "current")?.id === container.id &&
        deps.workloads.container(pod, containerName, "current")?.running === true;
      await pipeline(
        readContainerLog(container.logPath, options, { clock: deps.clock, stillRunning, signal }),
        response,
      );
      return;
    }
    case "exec":
    case "attach":
    case "portForward":
      throw new EndpointError(400, "Upgrade request required");
    default:
      throw new EndpointError(404, "404 page not found");
  }
}

/** A refusal is a plain answer: it comes before the connection is handed to a session. */
async function upgrade(
  deps: EndpointDeps,
  sessions: SessionOpener,
  client: UpgradeRequest,
  signal: AbortSignal,
): Promise<void> {
  const { request, socket } = client;
  const gone = new AbortController();
  const leave = () => gone.abort();
  // Told by the close that follows.
  socket.on("error", () => {});
  socket.once("close", leave);
  const either = AbortSignal.any([signal, gone.signal]);
  try {
    const url = await admit(deps, request, either);
    await sessions.open(client, url, either);
  } catch (thrown) {
    if (either.aborted) return void socket.destroy();
    const error = EndpointError.from(thrown);
    if (error !== thrown)
      deps.logger.warn("a session on the node endpoint failed", { error: thrown });
    const head = [
      `HTTP/1.1 ${error.code} ${STATUS_CODES[error.code] ?? "Error"}`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(error.message)}`,
      "Connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${error.message}`, () => socket.destroy());
  }
}
