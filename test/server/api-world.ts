import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { allResources } from "../../pkg/api/registry.generated.ts";
import { systemClock } from "../../pkg/base/clock.ts";
import { type Logger, silentLogger } from "../../pkg/base/log.ts";
import { openMemoryDatastore } from "../../pkg/datastore/memory/memory-datastore.ts";
import type { AdmissionPlugin } from "../../pkg/server/apiserver/admission/admission.ts";
import { createAuthenticator } from "../../pkg/server/apiserver/authn/chain.ts";
import { createCertificateAuthenticator } from "../../pkg/server/apiserver/authn/x509-authenticator.ts";
import type { Authorizer } from "../../pkg/server/apiserver/authz/authorizer.ts";
import { createAuthorizerChain } from "../../pkg/server/apiserver/authz/chain.ts";
import { type ApiServer, createApiServer } from "../../pkg/server/apiserver/create-api-server.ts";
import type { OpenHub } from "../../pkg/server/apiserver/hub-store.ts";
import { openHub } from "../../pkg/server/apiserver/hub-store.ts";
import {
  type Authority,
  createAuthority,
  generateKey,
  issueKeyPair,
  type KeyPairPem,
} from "../../pkg/server/certificates/authority.ts";

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
  readonly admin: KeyPairPem;
  readonly hub: OpenHub;
  readonly server: ApiServer;
  session(client?: KeyPairPem): ClientHttp2Session;
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  certificateFor(user: string, groups: readonly string[]): KeyPairPem;
}

export interface ApiWorldOptions {
  readonly admission?: readonly AdmissionPlugin[];
  readonly authorizers?: readonly Authorizer[];
  readonly logger?: Logger;
}

export async function startApiWorld(options: ApiWorldOptions = {}): Promise<ApiWorld> {
  const nowMs = Date.now();
  const authority = createAuthority("test-ca", generateKey(), nowMs);
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
  const datastore = openMemoryDatastore();
  const hub = await openHub({ datastore });
  const server = createApiServer({
    hub,
    resources: allResources,
    virtualResources: [],
    authenticator: createAuthenticator({
      certificate: createCertificateAuthenticator(systemClock),
      token: () => undefined,
    }),
    authorizer: createAuthorizerChain(options.authorizers ?? []),
    admission: options.admission ?? [],
    health: { live: [], ready: [] },
    tls: {
      certificate: serving.certificatePem,
      key: serving.keyPem,
      clientAuthorities: authority.certificatePem,
    },
    host: "127.0.0.1",
    port: 0,
    advertiseAddress: "127.0.0.1",
    clock: systemClock,
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
  return {
    port,
    authority,
    admin,
    hub,
    server,
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
  const [received] = await once(stream, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
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
