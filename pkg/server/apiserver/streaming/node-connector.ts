import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import type { Duplex } from "node:stream";
import { ApiError } from "../../../api/api-error.ts";
import type { Node } from "../../../api/generated/core-v1.generated.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import type { ObjectReader } from "../admission/admission.ts";

export interface NodeRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
}

/** What a node's kubelet answers to a request to go on in another protocol. */
export type NodeUpgrade =
  | {
      readonly outcome: "upgraded";
      readonly response: IncomingMessage;
      readonly socket: Duplex;
      readonly head: Buffer;
    }
  /** It answered as to any request: most likely with a refusal. */
  | { readonly outcome: "answered"; readonly response: IncomingMessage };

/** The way from the API server to the kubelets. */
export interface NodeConnector {
  /** The answer's headers are in; its body is still to be read. Without `body`, none is sent. */
  fetch(
    nodeName: string,
    node: NodeRequest,
    signal: AbortSignal,
    body?: NodeJS.ReadableStream,
  ): Promise<IncomingMessage>;
  upgrade(nodeName: string, node: NodeRequest, signal: AbortSignal): Promise<NodeUpgrade>;
}

export interface NodeConnectorDeps {
  readonly reader: ObjectReader;
  /** With what the API server proves who it is, and by whom kubelets must be vouched for. PEM. */
  readonly tls: {
    readonly certificate: string;
    readonly key: string;
    readonly authorities: string;
  };
}

const defaultKubeletPort = 10_250;
/** A kubelet that is not heard of within this is taken to be unreachable. */
const connectTimeoutMs = 30_000;

/** Speaks to each kubelet at its node's address, as the API server. */
export function createNodeConnector({ reader, tls }: NodeConnectorDeps): NodeConnector {
  const agent = new Agent({
    keepAlive: true,
    cert: tls.certificate,
    key: tls.key,
    ca: tls.authorities,
    maxFreeSockets: 16,
  });

  function open(
    nodeName: string,
    node: NodeRequest,
    signal: AbortSignal,
    reuse: boolean,
  ): ClientRequest {
    const { host, port } = addressOf(reader, nodeName);
    const opened = request({
      host,
      port,
      method: node.method,
      path: node.path,
      headers: { ...node.headers, host: `${host.includes(":") ? `[${host}]` : host}:${port}` },
      signal,
      ...(reuse
        ? { agent }
        : { agent: false, cert: tls.certificate, key: tls.key, ca: tls.authorities }),
    });
    let answered = false;
    opened.once("response", () => {
      answered = true;
    });
    opened.setTimeout(connectTimeoutMs, () => {
      // Once it has answered, silence is no fault: logs are followed for days.
      if (!answered) opened.destroy(new Error(`no answer within ${connectTimeoutMs} ms`));
    });
    return opened;
  }

  return {
    fetch(nodeName, node, signal, body) {
      return new Promise((resolve, reject) => {
        const opened = open(nodeName, node, signal, true);
        opened.once("response", resolve);
        opened.once("error", (cause) => reject(unreachable(nodeName, cause)));
        if (body === undefined) opened.end();
        else body.pipe(opened);
      });
    },
    upgrade(nodeName, node, signal) {
      return new Promise((resolve, reject) => {
        const opened = open(nodeName, node, signal, false);
        opened.once("upgrade", (response, socket, head) => {
          socket.setTimeout(0);
          resolve({ outcome: "upgraded", response, socket, head });
        });
        opened.once("response", (response) => resolve({ outcome: "answered", response }));
        opened.once("error", (cause) => reject(unreachable(nodeName, cause)));
        opened.end();
      });
    },
  };
}

function unreachable(nodeName: string, cause: Error): ApiError {
  const message = `error dialing backend: node ${nodeName}: ${cause.message}`;
  return new ApiError("", message, { cause, code: 500 });
}

function addressOf(
  reader: ObjectReader,
  nodeName: string,
): { readonly host: string; readonly port: number } {
  const node: Node | undefined = reader.get(nodeResource, undefined, nodeName);
  if (node === undefined) throw ApiError.notFound(nodeResource, nodeName);
  const addresses = node.status?.addresses ?? [];
  for (const type of ["InternalIP", "ExternalIP", "Hostname"]) {
    const host = addresses.find((address) => address.type === type)?.address;
    if (host === undefined) continue;
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
    return { host, port: port > 0 ? port : defaultKubeletPort };
  }
  throw new ApiError(
    "InternalError",
    `Internal error occurred: no preferred addresses found for node ${JSON.stringify(nodeName)}`,
  );
}
