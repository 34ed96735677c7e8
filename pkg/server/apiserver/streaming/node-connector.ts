import { Agent } from "node:https";
import { ApiError } from "../../../api/api-error.ts";
import type { Node } from "../../../api/generated/core-v1.generated.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import type { ObjectReader } from "../admission/admission.ts";
import type { Backend } from "./backend.ts";
import { createHttpBackend } from "./http-backend.ts";

/** The way from the API server to the nodes. */
export interface NodeConnector {
  /** The node's kubelet. Throws NotFound where there is no such node. */
  kubelet(nodeName: string): Backend;
  /** Where the kubelet is: an address, or the node's name for itself. Throws as `kubelet` does. */
  addressOf(nodeName: string): NodeAddress;
}

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

export interface NodeConnectorDeps {
  readonly reader: ObjectReader;
  /** With what the API server proves who it is, and by whom kubelets must be vouched for. PEM; read anew each time. */
  readonly tls: {
    readonly certificate: string;
    readonly key: string;
    readonly authorities: string;
  };
}

const defaultKubeletPort = 10_250;

/** Speaks to each kubelet at its node's address, as the API server. */
export function createNodeConnector({ reader, tls }: NodeConnectorDeps): NodeConnector {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 16 });
  return {
    kubelet(nodeName) {
      return createHttpBackend({
        scheme: "https",
        ...addressOf(reader, nodeName),
        tls: { cert: tls.certificate, key: tls.key, ca: tls.authorities },
        agent,
        unreachable(cause) {
          const message = `error dialing backend: node ${nodeName}: ${cause.message}`;
          return new ApiError("", message, { cause, code: 500 });
        },
      });
    },
    addressOf: (nodeName) => addressOf(reader, nodeName),
  };
}

function addressOf(reader: ObjectReader, nodeName: string): NodeAddress {
  const node: Node | undefined = reader.get(nodeResource, undefined, nodeName);
  if (node === undefined) throw ApiError.notFound(nodeResource, nodeName);
  const addresses = node.status?.addresses ?? [];
  for (const type of ["InternalIP", "ExternalIP", "Hostname"]) {
    const host = addresses.find((address) => address.type === type)?.address;
    if (host === undefined) continue;
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
    return { host, port: port > 0 ? port : defaultKubeletPort };
  }
  const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(" ");
  throw new ApiError("", `no preferred addresses found; known addresses: [${known}]`);
}
