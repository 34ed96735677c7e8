import type { KeyObject } from "node:crypto";
import { isIP } from "node:net";
import {
  type BootstrapHandler,
  type BootstrapRequest,
  type BootstrapResponse,
  bootstrapHeaders,
  bootstrapPaths,
  passwordSecretName,
} from "../../api/node-bootstrap.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { readCertificateRequest } from "../../base/x509/certificate-request.ts";
import { type Authority, issueCertificate } from "./authority.ts";
import type { NodePasswords } from "./node-passwords.ts";

export interface NodeBootstrapDeps {
  readonly serverCa: Authority;
  readonly clientCa: Authority;
  /** See `JoinSecrets.admitsNode`. */
  admitsNode(username: string, secret: string): boolean;
  readonly passwords: NodePasswords;
  /** What `bootstrapPaths.config` answers: the settings that server and nodes must share. */
  readonly clusterConfig: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Admits nodes: answers the bootstrap paths. */
export function createBootstrapHandler(deps: NodeBootstrapDeps): BootstrapHandler {
  return async (request, signal) => {
    const route = routes[request.path];
    if (route === undefined) return undefined;
    if (request.method !== route.method) return refusal(405, `use ${route.method} here`);
    if (route.open !== true) {
      const credentials = basicCredentials(request.headers["authorization"]);
      if (credentials === undefined || !deps.admitsNode(credentials.username, credentials.secret)) {
        return refusal(401, "the token is not valid for this cluster");
      }
    }
    try {
      return await route.answer(deps, request, signal);
    } catch (caught) {
      deps.log.error("cannot answer a joining node", { path: request.path, error: caught });
      return refusal(500, "the server could not answer: look into its log");
    }
  };
}

interface Route {
  readonly method: "GET" | "POST";
  readonly open?: true;
  answer(
    deps: NodeBootstrapDeps,
    request: BootstrapRequest,
    signal: AbortSignal,
  ): BootstrapResponse | Promise<BootstrapResponse>;
}

const routes: Readonly<Record<string, Route | undefined>> = Object.assign(Object.create(null), {
  [bootstrapPaths.caCertificates]: {
    method: "GET",
    open: true,
    answer: (deps) => pem(deps.serverCa.certificatePem),
  },
  [bootstrapPaths.clientCa]: {
    method: "GET",
    answer: (deps) => pem(deps.clientCa.certificatePem),
  },
  [bootstrapPaths.config]: {
    method: "GET",
    answer: (deps) => ({
      status: 200,
      contentType: "application/json",
      body: JSON.stringify(deps.clusterConfig),
    }),
  },
  [bootstrapPaths.clientKubelet]: {
    method: "POST",
    answer: (deps, request, signal) =>
      certify(deps, request, signal, (nodeName, publicKey) =>
        issueCertificate(
          deps.clientCa,
          {
            subject: { commonName: `system:node:${nodeName}`, organizations: ["system:nodes"] },
            uses: ["client"],
            alternativeNames: [],
          },
          publicKey,
          deps.clock.now(),
        ),
      ),
  },
  [bootstrapPaths.servingKubelet]: {
    method: "POST",
    answer: (deps, request, signal) =>
      certify(deps, request, signal, (nodeName, publicKey, addresses) =>
        issueCertificate(
          deps.serverCa,
          {
            subject: { commonName: nodeName, organizations: [] },
            uses: ["server"],
            alternativeNames: [
              ...new Set([nodeName, "localhost", "127.0.0.1", "::1", ...addresses]),
            ],
          },
          publicKey,
          deps.clock.now(),
        ),
      ),
  },
} satisfies Record<string, Route>);

async function certify(
  deps: NodeBootstrapDeps,
  request: BootstrapRequest,
  signal: AbortSignal,
  issue: (nodeName: string, publicKey: KeyObject, addresses: readonly string[]) => string,
): Promise<BootstrapResponse> {
  const nodeName = request.headers[bootstrapHeaders.nodeName] ?? "";
  const password = request.headers[bootstrapHeaders.nodePassword] ?? "";
  if (!isNodeName(nodeName)) {
    return refusal(
      400,
      `${JSON.stringify(nodeName)} cannot be a node's name: use lower-case letters, digits, "-" and "."`,
    );
  }
  if (password === "") return refusal(400, `header ${bootstrapHeaders.nodePassword} is missing`);
  const addresses = splitAddresses(request.headers[bootstrapHeaders.nodeAddresses]);
  const wrong = addresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) return refusal(400, `${JSON.stringify(wrong)} is not an IP address`);
  let publicKey: KeyObject;
  try {
    publicKey = readCertificateRequest(request.body).publicKey;
  } catch (caught) {
    const why = caught instanceof Error ? caught.message : String(caught);
    return refusal(400, `the certificate request cannot be read: ${why}`);
  }
  if (!(await deps.passwords.admit(nodeName, password, signal))) {
    deps.log.warn("refused a node whose name is taken", { node: nodeName });
    return refusal(
      403,
      `the node name ${JSON.stringify(nodeName)} is taken: this machine's node password is not the one it was first ` +
        `registered with; choose another --node-name, or delete Secret ${passwordSecretName(nodeName)} in kube-system`,
    );
  }
  return pem(issue(nodeName, publicKey, addresses));
}

function splitAddresses(header: string | undefined): readonly string[] {
  return (header ?? "")
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "");
}

function basicCredentials(
  header: string | undefined,
): { readonly username: string; readonly secret: string } | undefined {
  const match = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(header ?? "");
  if (match === null) return undefined;
  const text = Buffer.from(match[1] ?? "", "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon === -1) return undefined;
  return { username: text.slice(0, colon), secret: text.slice(colon + 1) };
}

function isNodeName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
  );
}

function pem(body: string): BootstrapResponse {
  return { status: 200, contentType: "text/plain", body };
}

function refusal(status: number, sentence: string): BootstrapResponse {
  return { status, contentType: "text/plain", body: `${sentence}\n` };
}
