import { generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { bootstrapHeaders, bootstrapPaths } from "../api/node-bootstrap.ts";
import { writeFilesAtomically } from "../base/atomic-file.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { MendableError } from "../base/mendable-error.ts";
import { createCertificateRequest } from "../base/x509/certificate-request.ts";
import {
  type JoinToken,
  joinTokenAuthorization,
  joinTokenTrusts,
  parseJoinToken,
} from "../client/join-token.ts";
import { readFileIfThere, writeFileAtomically } from "./host/files.ts";

export interface JoinOptions {
  /** `https://host:port` of a server. */
  readonly server: string;
  readonly token: string;
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What makes this machine a node of the cluster: kept below `<data-dir>/agent`, and issued anew at start when it is old. */
export interface NodeCredentials {
  /** PEM: who signs the servers' certificates. */
  readonly serverCa: string;
  /** PEM: who signs clients' certificates; the kubelet asks its callers for one. */
  readonly clientCa: string;
  /** `system:node:<name>` */
  readonly client: KeyedCertificate;
  /** Of the kubelet's HTTPS endpoint. */
  readonly serving: KeyedCertificate;
  /** What servers and nodes must agree on, as the server says it. */
  readonly clusterConfig: Readonly<Record<string, unknown>>;
}

/** A certificate and the key that goes with it. */
export interface KeyedCertificate {
  /** PEM */
  readonly certificate: string;
  /** PEM */
  readonly privateKey: string;
}

/** The cluster does not take this node: the sentence says why and what to do. */
class JoinError extends MendableError {
  override readonly name = "JoinError";
}

/** A certificate with less left is asked for anew at start: as k3s does. */
const renewBeforeMs = 90 * 24 * 3_600_000;
const requestTimeoutMs = 15_000;
const answerBytesMax = 1024 * 1024;
const retryMs = 1_000;

/**
 * Joins the cluster: checks the server's CA against the token before anything secret is sent, then has the node's
 * certificates signed. A server that cannot be reached is waited for; a refusal is a `JoinError`.
 */
export async function joinCluster(
  options: JoinOptions,
  signal: AbortSignal,
): Promise<NodeCredentials> {
  const token = parseJoinToken(options.token);
  if (token === undefined)
    throw new JoinError(
      "the token is not a join token: give what <data-dir>/server/node-token holds on the server with --token",
    );
  let told = false;
  for (;;) {
    try {
      return await joinOnce(options, token, signal);
    } catch (caught) {
      signal.throwIfAborted();
      if (caught instanceof JoinError) throw caught;
      const why = caught instanceof Error ? caught.message : String(caught);
      if (!told)
        options.logger.warn("the server cannot be reached yet", { server: options.server, why });
      told = true;
      await options.clock.sleep(retryMs, signal);
    }
  }
}

async function joinOnce(
  options: JoinOptions,
  token: JoinToken,
  signal: AbortSignal,
): Promise<NodeCredentials> {
  const { server, nodeName, nodeIps, dataDir } = options;
  // Nothing is trusted yet, and nothing secret is sent: the answer is checked against the token.
  const first = await ask(server, { path: bootstrapPaths.caCertificates, trust: "anyone" }, signal);
  const serverCa = expectOk(first, server);
  if (!joinTokenTrusts(token, serverCa))
    throw new JoinError(
      `the server ${server} is not of the cluster that the token is for: its CA's hash is not the token's; check --join and --token`,
    );
  const authorization = joinTokenAuthorization(token);
  const get = async (path: string) =>
    expectOk(
      await ask(server, { path, trust: serverCa, headers: { authorization } }, signal),
      server,
    );
  const clientCa = await get(bootstrapPaths.clientCa);
  const clusterConfig = JSON.parse(await get(bootstrapPaths.config)) as Record<string, unknown>;

  const agent = join(dataDir, "agent");
  const password = await nodePassword(join(agent, "node-password"));
  const headers = {
    authorization,
    [bootstrapHeaders.nodeName]: nodeName,
    [bootstrapHeaders.nodePassword]: password,
    [bootstrapHeaders.nodeAddresses]: nodeIps.join(","),
  };
  const certify = async (
    path: string,
    name: string,
    authority: string,
    commonName: string,
    hosts: readonly string[],
    renewedName = commonName,
  ) => {
    const files = {
      certificate: join(agent, `${name}.crt`),
      privateKey: join(agent, `${name}.key`),
    };
    const names = [commonName, renewedName];
    const kept = await readKept(files, authority, names, hosts, options.clock.now());
    if (kept !== undefined) return kept;
    const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const body = createCertificateRequest({ commonName, organizations: [] }, [...hosts], keys);
    const answer = await ask(server, { path, trust: serverCa, headers, body }, signal);
    const certificate = expectOk(answer, server);
    const privateKey = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    await writeFilesAtomically([
      { path: files.privateKey, content: privateKey, mode: 0o600 },
      { path: files.certificate, content: certificate, mode: 0o644 },
    ]);
    return { certificate, privateKey };
  };
  await writeFileAtomically(join(agent, "server-ca.crt"), serverCa, 0o644);
  await writeFileAtomically(join(agent, "client-ca.crt"), clientCa, 0o644);
  return {
    serverCa,
    clientCa,
    clusterConfig,
    client: await certify(
      bootstrapPaths.clientKubelet,
      "client-kubelet",
      clientCa,
      `system:node:${nodeName}`,
      [],
    ),
    serving: await certify(
      bootstrapPaths.servingKubelet,
      "serving-kubelet",
      serverCa,
      nodeName,
      nodeIps,
      // What the cluster's signer issues names the node as its client certificate does.
      `system:node:${nodeName}`,
    ),
  };
}

/** Proves to the server, at each start, that this is the machine that took the node's name first. */
async function nodePassword(path: string): Promise<string> {
  const kept = (await readFileIfThere(path))?.trim();
  if (kept !== undefined && kept !== "") return kept;
  const fresh = randomBytes(16).toString("hex");
  await writeFileAtomically(path, fresh);
  return fresh;
}

/** What an earlier start was given, where it still is what is needed and will be for a while. */
async function readKept(
  files: { readonly certificate: string; readonly privateKey: string },
  authority: string,
  commonNames: readonly string[],
  hosts: readonly string[],
  nowMs: number,
): Promise<KeyedCertificate | undefined> {
  const certificate = await readFileIfThere(files.certificate);
  const privateKey = await readFileIfThere(files.privateKey);
  if (certificate === undefined || privateKey === undefined) return undefined;
  try {
    const parsed = new X509Certificate(certificate);
    const fits =
      commonNames.some((name) => parsed.subject.split("\n").includes(`CN=${name}`)) &&
      parsed.verify(new X509Certificate(authority).publicKey) &&
      parsed.validToDate.getTime() - nowMs > renewBeforeMs &&
      hosts.every((host) => parsed.checkIP(host) !== undefined);
    return fits ? { certificate, privateKey } : undefined;
  } catch {
    // Cut short or overwritten: as good as none.
    return undefined;
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function expectOk({ status, body }: Answer, server: string): string {
  if (status === 200) return body;
  const sentence = body.trim();
  // Refusals are for people to mend; what the server itself cannot do yet is tried again.
  if (status >= 400 && status < 500 && status !== 404 && status !== 429)
    throw new JoinError(`the server ${server} refuses this node: ${sentence}`);
  throw new Error(`the server answered ${status}: ${sentence}`);
}

function ask(
  server: string,
  what: {
    readonly path: string;
    readonly trust: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  },
  signal: AbortSignal,
): Promise<Answer> {
  const options: RequestOptions = {
    method: what.body === undefined ? "GET" : "POST",
    headers: { ...what.headers },
    agent: false,
    timeout: requestTimeoutMs,
    signal,
    ...(what.trust === "anyone" ? { rejectUnauthorized: false } : { ca: what.trust }),
  };
  return new Promise((resolve, reject) => {
    const call = request(new URL(what.path, server), options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > answerBytesMax) call.destroy(new Error("the server's answer is too long"));
        else chunks.push(chunk);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error("the server does not answer")));
    call.on("error", reject);
    call.end(what.body);
  });
}
