import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { Registry } from "prom-client";
import type { Namespace, ServiceAccount } from "../../pkg/api/generated/core-v1.generated.ts";
import type { NewObject } from "../../pkg/api/object.ts";
import { allResources } from "../../pkg/api/registry.generated.ts";
import { namespaceResource } from "../../pkg/api/resources/namespace.ts";
import { secretResource } from "../../pkg/api/resources/secret.ts";
import { serviceAccountResource } from "../../pkg/api/resources/serviceaccount.ts";
import { systemClock } from "../../pkg/base/clock.ts";
import { type Logger, silentLogger } from "../../pkg/base/log.ts";
import type { Client } from "../../pkg/client/client.ts";
import type { Datastore } from "../../pkg/datastore/datastore.ts";
import { openMemoryDatastore } from "../../pkg/datastore/memory/memory-datastore.ts";
import { type AccessOptions, createAccess } from "../../pkg/server/access.ts";
import { lastUsedLabel } from "../../pkg/server/apiserver/authn/legacy-token-authenticator.ts";
import {
  type ApiServer,
  type ApiServerDeps,
  createApiServer,
} from "../../pkg/server/apiserver/create-api-server.ts";
import type { HubWindowLimits } from "../../pkg/server/apiserver/hub-resource.ts";
import type { OpenHub } from "../../pkg/server/apiserver/hub-store.ts";
import { openHub } from "../../pkg/server/apiserver/hub-store.ts";
import { ResourceTable } from "../../pkg/server/apiserver/resource-table.ts";
import {
  type Authority,
  createAuthority,
  generateKey,
  issueKeyPair,
  type KeyPairPem,
} from "../../pkg/server/certificates/authority.ts";
import { createLocalClient } from "../../pkg/server/local-client.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers as a client without types does
  readonly json: any;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real API server over real HTTPS, on a memory datastore, and a client that is its administrator. */
export interface ApiWorld extends AsyncDisposable {
  readonly port: number;
  readonly authority: Authority;
  /** Vouches for front proxies. */
  readonly proxyAuthority: Authority;
  /** Signs ServiceAccount tokens. */
  readonly tokenKey: KeyObject;
  readonly admin: KeyPairPem;
  readonly hub: OpenHub;
  readonly resources: ResourceTable;
  readonly server: ApiServer;
  /** The administrator in process. */
  readonly client: Client;
  session(client?: KeyPairPem): ClientHttp2Session;
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  certificateFor(user: string, groups: readonly string[]): KeyPairPem;
}

export interface ApiWorldOptions {
  readonly logger?: Logger;
  /** Closed with the world. Default: a memory one. */
  readonly datastore?: Datastore;
  /** How far back the hub remembers. */
  readonly window?: Partial<HubWindowLimits>;
  readonly tokenFileUsers?: AccessOptions["tokenFileUsers"];
  readonly flowControl?: ApiServerDeps["flowControl"];
}

export async function startApiWorld(options: ApiWorldOptions = {}): Promise<ApiWorld> {
  const nowMs = Date.now();
  const authority = createAuthority("test-ca", generateKey(), nowMs);
  const proxyAuthority = createAuthority("test-proxy-ca", generateKey(), nowMs);
  const serving = issueKeyPair(
    authority,
    {
      subject: { commonName: "apiserver", organizations: [] },
      uses: ["server"],
      alternativeNames: ["127.0.0.1", "localhost"],
    },
    nowMs,
  );
  const certificateFor = (user: string, groups: readonly string[]) =>
    issueKeyPair(
      authority,
      {
        subject: { commonName: user, organizations: groups },
        uses: ["client"],
        alternativeNames: [],
      },
      nowMs,
    );
  const admin = certificateFor("admin", ["system:masters"]);
  const datastore = options.datastore ?? openMemoryDatastore();
  const hub = await openHub({ datastore, ...(options.window && { window: options.window }) });
  const clock = systemClock;
  const tokenKey = generateKey();
  const kubeletClient = certificateFor("system:apiserver", ["system:masters"]);
  const resources = new ResourceTable(allResources);
  const access = createAccess({
    resources,
    hub,
    clock,
    serviceAccountKey: tokenKey,
    clientAuthorities: authority.certificatePem,
    frontProxyAuthorities: proxyAuthority.certificatePem,
    tokenFileUsers: options.tokenFileUsers ?? new Map(),
    noteLegacyTokenUse(namespace, name, date) {
      const metadata = { labels: { [lastUsedLabel]: date } };
      const patch = { type: "merge", patch: { metadata } } as const;
      void client.patch(secretResource, `${namespace}/${name}`, patch, stop.signal);
    },
    clusterDomain: "cluster.local",
    serviceCidr: "10.43.0.0/16",
    nodePorts: { first: 30_000, last: 32_767 },
  });
  const server = createApiServer({
    ...access,
    hub,
    resources,
    health: { live: [], ready: [] },
    ...(options.flowControl === undefined ? {} : { flowControl: options.flowControl }),
    kubelets: {
      certificate: kubeletClient.certificatePem,
      key: kubeletClient.keyPem,
      authorities: authority.certificatePem,
    },
    build: { gitCommit: "", buildDate: "1970-01-01T00:00:00Z" },
    metrics: new Registry(),
    tls: {
      certificate: serving.certificatePem,
      key: serving.keyPem,
      clientAuthorities: `${authority.certificatePem}${proxyAuthority.certificatePem}`,
    },
    host: "127.0.0.1",
    port: 0,
    advertiseAddress: "127.0.0.1",
    clock,
    logger: options.logger ?? silentLogger,
  });
  const stop = new AbortController();
  const running = server.service.run(stop.signal);
  const { port } = await server.service.listening();
  const sessions: ClientHttp2Session[] = [];
  const session = (client: KeyPairPem = admin) => {
    const opened = connect(`https://127.0.0.1:${port}`, {
      ca: authority.certificatePem,
      cert: client.certificatePem,
      key: client.keyPem,
    });
    opened.on("error", () => opened.destroy());
    sessions.push(opened);
    return opened;
  };
  const shared = session();
  const client = createLocalClient({
    api: server.api,
    user: { username: "system:admin", groups: ["system:masters", "system:authenticated"] },
    fieldManager: "test",
  });
  const seeded = AbortSignal.timeout(5_000);
  await client.create(namespaceResource, newNamespace("default"), seeded);
  await client.create(serviceAccountResource, newServiceAccount, seeded);
  return {
    port,
    authority,
    proxyAuthority,
    tokenKey,
    admin,
    hub,
    resources,
    server,
    client,
    session,
    certificateFor,
    request: (method, path, requestOptions) => ask(shared, method, path, requestOptions),
    async [Symbol.asyncDispose]() {
      for (const each of sessions) each.destroy();
      stop.abort();
      await running;
      await hub[Symbol.asyncDispose]();
      await datastore[Symbol.asyncDispose]();
    },
  };
}

function newNamespace(name: string): NewObject<Namespace> {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: {} };
}

const newServiceAccount: NewObject<ServiceAccount> = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "default", namespace: "default" },
};

/** One request and its whole answer. A string is sent as it is, anything else as JSON. */
export async function ask(
  session: ClientHttp2Session,
  method: string,
  path: string,
  { body, headers = {} }: RequestOptions = {},
): Promise<Answer> {
  const bytes =
    body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const stream = session.request(
    {
      ":method": method,
      ":path": path,
      ...(bytes === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    { endStream: bytes === undefined },
  );
  if (bytes !== undefined) stream.end(bytes);
  // Read from the beginning: what nobody reads by the time a short answer is whole, Node throws away.
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [[received]] = await Promise.all([once(stream, "response"), once(stream, "end")]);
  const text = Buffer.concat(chunks).toString();
  return {
    status: Number(received[":status"]),
    headers: received,
    text,
    get json() {
      return JSON.parse(text);
    },
  };
}
