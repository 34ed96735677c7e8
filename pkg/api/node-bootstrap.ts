/** A request as the bootstrap paths see it; header names in lower case. */
export interface BootstrapRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface BootstrapResponse {
  readonly status: number;
  readonly contentType: string;
  /** A refusal is one sentence. */
  readonly body: string;
}

/** Answers one of `bootstrapPaths`; undefined for any other path. Never throws. */
export type BootstrapHandler = (
  request: BootstrapRequest,
  signal: AbortSignal,
) => Promise<BootstrapResponse | undefined>;

/**
 * What a node asks for when it joins, before it has an identity that RBAC knows. `/cacerts` is open to all; the
 * others take the join token's secret as basic authentication, and the CSRs the headers in `bootstrapHeaders`.
 */
export const bootstrapPaths = {
  /** GET: the server CA; its hash is in the token. */
  caCertificates: "/cacerts",
  /** GET: the CA of clients, by which a kubelet knows the API server. */
  clientCa: "/v1-mini8s/client-ca.crt",
  /** GET: what a node must know of the cluster, as JSON. */
  config: "/v1-mini8s/config",
  /** POST a PEM request: the node's client certificate, `system:node:<name>`. */
  clientKubelet: "/v1-mini8s/client-kubelet.crt",
  /** POST a PEM request: the kubelet's serving certificate, for the node's name and addresses. */
  servingKubelet: "/v1-mini8s/serving-kubelet.crt",
} as const;

export const bootstrapHeaders = {
  nodeName: "mini8s-node-name",
  nodePassword: "mini8s-node-password",
  /** Comma-separated. */
  nodeAddresses: "mini8s-node-ip",
} as const;

/** The Secret in kube-system that holds a node's password hash, under the key `hash`. */
export function passwordSecretName(nodeName: string): string {
  return `${nodeName}.node-password.mini8s`;
}
