import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import { joinStreams } from "../../../base/join-streams.ts";
import type { Logger } from "../../../base/log.ts";
import { commandProtocols, refuseCommandSession, runCommandSession } from "./command-session.ts";
import { EndpointError } from "./endpoint-error.ts";
import { findContainer, findPod, readCommandStreams } from "./endpoint-request.ts";
import type { NodeWorkloads } from "./node-workloads.ts";
import { type UpgradedConnection, upgradeAtRuntime } from "./runtime-upgrade.ts";
import { runTunnelSession } from "./tunnel-session.ts";

const tunnelProtocols = ["SPDY/3.1+portforward.k8s.io"] as const;
/** What the runtimes' own streaming servers speak. */
const runtimeCommandProtocols = [
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
];
const runtimeForwardProtocols = ["portforward.k8s.io"];
/** One message is one SPDY frame, which holds less than 16 MiB. */
const messageBytesMax = 8 << 20;
/** kubectl pings every 5 s, also while whoever reads its output has paused; more are a flood. */
const unsentPongsMax = 1_000;

const webSocketOptions = {
  noServer: true,
  clientTracking: false,
  maxPayload: messageBytesMax,
  maxPendingAutoPongs: unsentPongsMax,
  handleProtocols: (offered: ReadonlySet<string>) =>
    [...commandProtocols, ...tunnelProtocols].find((protocol) => offered.has(protocol)) ?? false,
};

/** A connection whose client asked to go on in another protocol. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent beyond its request. */
  readonly head: Buffer;
}

export interface SessionOpener {
  /** Opens the session that `url` asks for and hands the client's connection to it; rejects before that is done. */
  open(client: UpgradeRequest, url: URL, signal: AbortSignal): Promise<void>;
}

/** Opens exec, attach and port-forward sessions at the runtime, for WebSocket and SPDY clients. */
export function createSessionOpener(deps: {
  readonly workloads: NodeWorkloads;
  readonly logger: Logger;
}): SessionOpener {
  const webSockets = new WebSocketServer(webSocketOptions);

  async function openCommand(
    client: UpgradeRequest,
    action: "exec" | "attach",
    query: URLSearchParams,
    container: { readonly pod: Pod; readonly name: string },
    signal: AbortSignal,
  ): Promise<void> {
    const offered = offeredProtocols(client.request);
    if (isWebSocket(client.request)) requireOneOf(commandProtocols, offered);
    const streams = readCommandStreams(query);
    try {
      const url = await commandUrl(deps.workloads, action, query, streams, container, signal);
      const asked = protocolsOf(client.request.headers["x-stream-protocol-version"]);
      const protocols = asked.length === 0 ? runtimeCommandProtocols : asked;
      const runtime = await upgradeAtRuntime(url, protocols, signal);
      hand(client, runtime, (webSocket) => runCommandSession(webSocket, runtime, streams));
    } catch (thrown) {
      // v5's clients are told by the session itself, as by the API server's own translator.
      if (!offered.includes("v5.channel.k8s.io")) throw thrown;
      const { message } = EndpointError.from(thrown);
      deps.logger.debug("a session could not be opened", { error: message });
      webSockets.handleUpgrade(client.request, client.socket, client.head, (webSocket) =>
        refuseCommandSession(webSocket, `unable to upgrade connection: ${message}`),
      );
    }
  }

  async function openPortForward(
    client: UpgradeRequest,
    query: URLSearchParams,
    pod: Pod,
    signal: AbortSignal,
  ): Promise<void> {
    if (isWebSocket(client.request))
      requireOneOf(tunnelProtocols, offeredProtocols(client.request));
    const url = await deps.workloads.portForward(pod, portsOf(query), signal);
    if (url === undefined) throw new EndpointError(500, `pod not found ("${fullNameOf(pod)}")`);
    const runtime = await upgradeAtRuntime(url, runtimeForwardProtocols, signal);
    hand(client, runtime, (webSocket) => runTunnelSession(webSocket, runtime));
  }

  /** A SPDY client is relayed byte for byte; a WebSocket client's session is carried by `run`. */
  function hand(
    client: UpgradeRequest,
    runtime: UpgradedConnection,
    run: (webSocket: WebSocket) => void,
  ): void {
    const { request, socket, head } = client;
    // However the client's side ends, before or after the handshake: nothing of the session stays.
    if (socket.destroyed) return void runtime.socket.destroy();
    if (isWebSocket(request)) {
      socket.once("close", () => runtime.socket.destroy());
      webSockets.handleUpgrade(request, socket, head, run);
      return;
    }
    const lines = ["HTTP/1.1 101 Switching Protocols"];
    for (let index = 0; index + 1 < runtime.rawHeaders.length; index += 2) {
      lines.push(`${runtime.rawHeaders[index]}: ${runtime.rawHeaders[index + 1]}`);
    }
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    if (runtime.head.length > 0) socket.write(runtime.head);
    if (head.length > 0) runtime.socket.write(head);
    void joinStreams(socket, runtime.socket);
  }

  return {
    async open(client, url, signal) {
      const [, action = "", namespace = "", podName = "", containerName = ""] = url.pathname
        .split("/")
        .map(decodeURIComponent);
      const query = url.searchParams;
      switch (action) {
        case "exec":
        case "attach": {
          const pod = findPod(deps.workloads, namespace, podName);
          await openCommand(client, action, query, { pod, name: containerName }, signal);
          return;
        }
        case "portForward":
          await openPortForward(client, query, findPod(deps.workloads, namespace, podName), signal);
          return;
        default:
          throw new EndpointError(404, "404 page not found");
      }
    },
  };
}

/** Where the runtime serves the command; kubelet's refusals where the container does not run. */
async function commandUrl(
  workloads: NodeWorkloads,
  action: "exec" | "attach",
  query: URLSearchParams,
  streams: ReturnType<typeof readCommandStreams>,
  { pod, name }: { readonly pod: Pod; readonly name: string },
  signal: AbortSignal,
): Promise<string> {
  const container = workloads.container(pod, name, "current");
  const isRunning = container?.running === true;
  if (action === "exec") {
    if (!isRunning) throw new EndpointError(500, `container not found ("${name}")`);
    const command = query.getAll("command");
    const stderr = streams.stderr && !streams.tty;
    return await workloads.exec({ containerId: container.id, ...streams, stderr, command }, signal);
  }
  if (!isRunning)
    throw new EndpointError(500, `container ${name} not found in pod ${fullNameOf(pod)}`);
  // A process got its terminal, or none, when it was started.
  const { tty = false } = findContainer(pod, name);
  const stderr = streams.stderr && !tty;
  return await workloads.attach({ containerId: container.id, ...streams, stderr, tty }, signal);
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

function offeredProtocols(request: IncomingMessage): readonly string[] {
  return isWebSocket(request) ? protocolsOf(request.headers["sec-websocket-protocol"]) : [];
}

function protocolsOf(header: string | readonly string[] | undefined): readonly string[] {
  return String(header ?? "")
    .split(/\s*,\s*/)
    .filter((protocol) => protocol !== "");
}

function requireOneOf(spoken: readonly string[], offered: readonly string[]): void {
  if (offered.some((protocol) => spoken.includes(protocol))) return;
  throw new EndpointError(
    403,
    `unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${spoken.join(" ")}]`,
  );
}

function portsOf(query: URLSearchParams): readonly number[] {
  return query.getAll("port").map((text) => {
    const port = Number(text);
    if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
    throw new EndpointError(400, `port "${text}" must be a number from 1 to 65535`);
  });
}

/** kubelet's name for a pod in its messages. */
function fullNameOf({ metadata }: Pod): string {
  return `${metadata.name}_${metadata.namespace ?? ""}`;
}
