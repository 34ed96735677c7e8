import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { aborted } from "../../../base/abort.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/log.ts";
import type { Service } from "../../../base/service.ts";
import { runCommandSession } from "./command-session.ts";
import { readContainerLog } from "./container-log.ts";
import { EndpointError } from "./endpoint-error.ts";
import { findContainer, findPod, readCommandStreams, readLogOptions } from "./endpoint-request.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeWorkloads } from "./node-workloads.ts";
import { type UpgradedConnection, upgradeAtRuntime } from "./runtime-upgrade.ts";
import { runTunnelSession } from "./tunnel-session.ts";

const commandProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";
/** What the runtimes' own streaming servers speak. */
const runtimeCommandProtocols = [
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
];
const requestHeaderMs = 10_000;

export interface EndpointDeps {
  readonly address: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  readonly access: NodeAccess;
  readonly workloads: NodeWorkloads;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The node's own HTTPS endpoint, under kubelet's paths: logs, exec, attach, port-forward, pods, health. The API
 * server is its client; whoever else asks must be allowed `nodes/proxy` or the like.
 */
export function createEndpoint(deps: EndpointDeps): Service {
  return {
    name: "node endpoint",
    async run(signal) {
      const sessions = new WebSocketServer({
        noServer: true,
        handleProtocols: (offered) =>
          [...commandProtocols, tunnelProtocol].find((protocol) => offered.has(protocol)) ?? false,
      });
      const server = createServer({
        cert: deps.tls.cert,
        key: deps.tls.key,
        ca: deps.tls.clientCa,
        requestCert: true,
        // A client without a certificate may bring a token.
        rejectUnauthorized: false,
        minVersion: "TLSv1.2",
        headersTimeout: requestHeaderMs,
      });
      const sockets = new Set<Duplex>();
      server.on("secureConnection", (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      server.on("request", (request, response) => void serve(deps, request, response, signal));
      server.on(
        "upgrade",
        (request, socket, head) => void upgrade(deps, sessions, { request, socket, head }, signal),
      );
      const failed = Promise.withResolvers<never>();
      server.on("error", (cause) => {
        failed.reject(
          new Error(
            `cannot listen on ${deps.address}:${deps.port}: is another kubelet on this machine? --kubelet-port chooses another port`,
            { cause },
          ),
        );
      });
      server.listen(deps.port, deps.address);
      try {
        await Promise.race([aborted(signal), failed.promise]);
      } finally {
        server.close();
        for (const socket of sockets) socket.destroy();
      }
    },
  };
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
      const container = findContainer(
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

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Opens the session at the runtime first, so that a refusal is still a plain answer, then joins both ends. */
async function upgrade(
  deps: EndpointDeps,
  sessions: WebSocketServer,
  client: Upgrade,
  signal: AbortSignal,
): Promise<void> {
  const { request, socket, head } = client;
  socket.on("error", () => socket.destroy());
  try {
    const url = await admit(deps, request, signal);
    const [, action = "", namespace = "", podName = "", containerName = ""] = url.pathname
      .split("/")
      .map(decodeURIComponent);
    const pod = findPod(deps.workloads, namespace, podName);
    if (action === "portForward") {
      const ports = url.searchParams.getAll("port").map(Number);
      const target = await deps.workloads.portForward(pod, ports, signal);
      if (target === undefined) throw new EndpointError(400, `pod ${podName} is not running`);
      const runtime = await upgradeAtRuntime(target, ["portforward.k8s.io"], signal);
      joinSession(sessions, client, runtime, (webSocket) => runTunnelSession(webSocket, runtime));
      return;
    }
    if (action !== "exec" && action !== "attach")
      throw new EndpointError(404, "404 page not found");
    const container = findContainer(deps.workloads, pod, containerName, "current");
    if (!container.running) {
      throw new EndpointError(400, `container ${containerName} is not running in pod ${podName}`);
    }
    const streams = readCommandStreams(url.searchParams);
    const session = {
      containerId: container.id,
      ...streams,
      stderr: streams.stderr && !streams.tty,
    };
    const target =
      action === "exec"
        ? await deps.workloads.exec(
            { ...session, command: url.searchParams.getAll("command") },
            signal,
          )
        : await deps.workloads.attach(session, signal);
    const asked = String(request.headers["x-stream-protocol-version"] ?? "");
    const protocols = asked === "" ? runtimeCommandProtocols : asked.split(/,\s*/);
    const runtime = await upgradeAtRuntime(target, protocols, signal);
    joinSession(sessions, { request, socket, head }, runtime, (webSocket) =>
      runCommandSession(webSocket, runtime, streams),
    );
  } catch (thrown) {
    const error = EndpointError.from(thrown);
    if (error.code >= 500)
      deps.logger.warn("a session on the node endpoint failed", { error: thrown });
    const body = `${error.message}\n`;
    socket.end(
      `HTTP/1.1 ${error.code} ${error.code}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
}

/** A SPDY client is relayed byte for byte; a WebSocket client's session is translated. */
function joinSession(
  sessions: WebSocketServer,
  client: Upgrade,
  runtime: UpgradedConnection,
  translate: (webSocket: import("ws").WebSocket) => void,
): void {
  const { request, socket, head } = client;
  if (request.headers.upgrade?.toLowerCase() === "websocket") {
    sessions.handleUpgrade(request, socket, head, translate);
    return;
  }
  const lines: string[] = ["HTTP/1.1 101 Switching Protocols"];
  for (let index = 0; index < runtime.rawHeaders.length; index += 2) {
    lines.push(`${runtime.rawHeaders[index]}: ${runtime.rawHeaders[index + 1]}`);
  }
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (runtime.head.length > 0) socket.write(runtime.head);
  if (head.length > 0) runtime.socket.write(head);
  runtime.socket.on("error", () => socket.destroy());
  runtime.socket.on("close", () => socket.destroy());
  socket.on("close", () => runtime.socket.destroy());
  runtime.socket.pipe(socket).pipe(runtime.socket);
}
