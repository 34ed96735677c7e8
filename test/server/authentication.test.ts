import { request } from "node:https";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Secret } from "../../pkg/api/generated/core-v1.generated.ts";
import { secretResource } from "../../pkg/api/resources/secret.ts";
import { readTokenFile } from "../../pkg/server/apiserver/authn/token-file.ts";
import {
  createAuthority,
  generateKey,
  issueKeyPair,
  type KeyPairPem,
} from "../../pkg/server/certificates/authority.ts";
import { type Answer, ask } from "./api-world.ts";
import { type LoopsWorld, startLoopsWorld } from "./loops-world.ts";

let world: LoopsWorld;
beforeAll(async () => {
  const tokenFileUsers = readTokenFile("tokens.csv", 'let-me-in,jane,7,"devs,ops"\nplain,joe,\n');
  world = await startLoopsWorld({ tokenFileUsers });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Over HTTP/1.1, as a client that shows `pair`, or nothing. */
function send(
  headers: Headers,
  {
    pair,
    path = whoAmI,
    method = "POST",
    body = selfReview,
  }: {
    readonly pair?: KeyPairPem;
    readonly path?: string;
    readonly method?: string;
    readonly body?: object;
  } = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly json: Answer["json"] }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port: world.api.port,
        method,
        path,
        agent: false,
        ca: world.api.authority.certificatePem,
        ...(pair === undefined ? {} : { cert: pair.certificatePem, key: pair.keyPem }),
        headers: {
          ...headers,
          ...(method === "POST" ? { "content-type": "application/json" } : {}),
        } as Record<string, string | string[]>,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Headers,
            get json() {
              return JSON.parse(text);
            },
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(method === "POST" ? JSON.stringify(body) : undefined);
  });
}

const whoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const selfReview = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };

/** Who the API takes the client for; `nobody` is allowed to ask that. */
async function whoIs(headers: Headers, pair?: KeyPairPem): Promise<unknown> {
  const answer = await send(headers, pair === undefined ? {} : { pair });
  if (answer.status === 201) return answer.json.status.userInfo;
  const [, user] = /User "([^"]*)" cannot/.exec(answer.json.message) ?? [];
  return user ?? `${answer.status} ${answer.json.message}`;
}

const unauthorized = "401 Unauthorized";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

beforeAll(async () => {
  await world.api.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", {
    body: {
      metadata: { name: "ask" },
      rules: [
        {
          apiGroups: ["authentication.k8s.io"],
          resources: ["selfsubjectreviews"],
          verbs: ["create"],
        },
      ],
    },
  });
  await world.api.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    body: {
      metadata: { name: "ask" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "ask" },
      subjects: [
        { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:authenticated" },
      ],
    },
  });
});

test("who brings nothing is anonymous, and is told what that may not", async () => {
  const answer = await send({});
  expect(answer.status).toBe(403);
  expect(answer.json.message).toContain('User "system:anonymous" cannot create resource');
});

test("wrong credentials are Unauthorized, as Kubernetes says it", async () => {
  const answer = await send(bearer("nonsense"));
  expect(answer.status).toBe(401);
  expect(answer.json).toEqual({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Unauthorized",
    reason: "Unauthorized",
    code: 401,
  });
});

test("a certificate of a foreign authority is Unauthorized, though a token would make up for it", async () => {
  const foreign = createAuthority("foreign", generateKey(), Date.now());
  const pair = issueKeyPair(
    foreign,
    {
      subject: { commonName: "admin", organizations: ["system:masters"] },
      uses: ["client"],
      alternativeNames: [],
    },
    Date.now(),
  );
  expect(await whoIs({}, pair)).toBe(unauthorized);
  expect(await whoIs(bearer("plain"), pair)).toMatchObject({ username: "joe" });
});

test("tokens of a file", async () => {
  expect(await whoIs(bearer("let-me-in"))).toEqual({
    username: "jane",
    uid: "7",
    groups: ["devs", "ops", "system:authenticated"],
  });
  expect(await whoIs({ authorization: "bearer let-me-in" })).toMatchObject({ username: "jane" });
});

test("a front proxy says for whom it asks; nobody else can", async () => {
  const proxy = (commonName: string) =>
    issueKeyPair(
      world.api.proxyAuthority,
      {
        subject: { commonName, organizations: [] },
        uses: ["client"],
        alternativeNames: [],
      },
      Date.now(),
    );
  const headers = {
    "X-Remote-User": "jane",
    "X-Remote-Uid": "7",
    "X-Remote-Group": ["devs", "ops"],
    "X-Remote-Extra-Acme.com%2Fscope": "all",
  };
  expect(await whoIs(headers, proxy("system:auth-proxy"))).toEqual({
    username: "jane",
    uid: "7",
    groups: ["devs", "ops", "system:authenticated"],
    extra: { "acme.com/scope": ["all"] },
  });
  expect(await whoIs(headers, proxy("somebody"))).toBe(unauthorized);
  expect(await whoIs({}, proxy("system:auth-proxy"))).toBe(unauthorized);
  expect(await whoIs(headers, world.api.certificateFor("joe", []))).toMatchObject({
    username: "joe",
  });
  expect(await whoIs(headers)).toBe("system:anonymous");
});

const secrets = "/api/v1/namespaces";

test("a Secret that asks for an account's token gets one, which ends with the Secret", async () => {
  const { api } = world;
  await api.request("POST", `${secrets}/default/serviceaccounts`, {
    body: { metadata: { name: "bot" } },
  });
  await api.request("POST", `${secrets}/default/secrets`, {
    body: {
      metadata: {
        name: "bot-token",
        annotations: { "kubernetes.io/service-account.name": "bot" },
      },
      type: "kubernetes.io/service-account-token",
    },
  });
  const find = (look: (secret: Secret) => boolean) =>
    world.until(secretResource, (all) =>
      all.find((secret) => secret.metadata.name === "bot-token" && look(secret)),
    );
  const filled = await find(({ data }) => data?.["token"] !== undefined);
  expect(Object.keys(filled.data ?? {}).sort()).toEqual(["ca.crt", "namespace", "token"]);
  const token = Buffer.from(filled.data?.["token"] ?? "", "base64").toString();
  const uid = filled.metadata.annotations?.["kubernetes.io/service-account.uid"];
  expect(await whoIs(bearer(token))).toEqual({
    username: "system:serviceaccount:default:bot",
    uid,
    groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
  });
  const used = await find(({ metadata }) => metadata.labels?.[lastUsed] !== undefined);
  expect(used.metadata.labels?.[lastUsed]).toBe(new Date().toISOString().slice(0, 10));
  await api.request("DELETE", `${secrets}/default/serviceaccounts/bot`);
  expect(await whoIs(bearer(token))).toBe(unauthorized);
  await world.until(secretResource, (all) =>
    all.some(({ metadata }) => metadata.name === "bot-token") ? undefined : true,
  );
});

const lastUsed = "kubernetes.io/legacy-token-last-used";

test("a Secret for the token of an account that is not there is removed", async () => {
  await world.api.request("POST", `${secrets}/default/secrets`, {
    body: {
      metadata: {
        name: "orphan",
        annotations: { "kubernetes.io/service-account.name": "nobody" },
      },
      type: "kubernetes.io/service-account-token",
    },
  });
  await world.until(secretResource, (all) =>
    all.some(({ metadata }) => metadata.name === "orphan") ? undefined : true,
  );
});

const text = (data: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
const day = 24 * 3_600_000;
const tomorrow = new Date(Date.now() + day).toISOString();
const yesterday = new Date(Date.now() - day).toISOString();

test.each([
  ["in order", {}, { groups: ["system:bootstrappers", "system:authenticated"] }],
  [
    "of further groups",
    { "auth-extra-groups": "system:bootstrappers:z,system:bootstrappers:a" },
    {
      groups: [
        "system:bootstrappers",
        "system:bootstrappers:a",
        "system:bootstrappers:z",
        "system:authenticated",
      ],
    },
  ],
  ["of tomorrow's end", { expiration: tomorrow }, { username: "system:bootstrap:abc123" }],
  ["of another use", { "usage-bootstrap-authentication": "false" }, unauthorized],
  ["of groups it may not have", { "auth-extra-groups": "system:masters" }, unauthorized],
  ["of another secret", { "token-secret": "0123456789abcdeg" }, unauthorized],
  ["of another id", { "token-id": "abc124" }, unauthorized],
])("a bootstrap token %s", async (_, fields, expected) => {
  const { api } = world;
  await api.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "kube-system" } } });
  const path = `${secrets}/kube-system/secrets`;
  const made = await api.request("POST", path, {
    body: {
      metadata: { name: "bootstrap-token-abc123" },
      type: "bootstrap.kubernetes.io/token",
      data: text({
        "token-id": "abc123",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        ...fields,
      }),
    },
  });
  expect(made.status).toBe(201);
  const who = await whoIs(bearer("abc123.0123456789abcdef"));
  if (typeof expected === "string") expect(who).toBe(expected);
  else expect(who).toMatchObject(expected);
  await api.request("DELETE", `${path}/bootstrap-token-abc123`);
});

test("a bootstrap token whose time is over is removed", async () => {
  await world.api.request("POST", "/api/v1/namespaces", {
    body: { metadata: { name: "kube-system" } },
  });
  await world.api.request("POST", `${secrets}/kube-system/secrets`, {
    body: {
      metadata: { name: "bootstrap-token-old123" },
      type: "bootstrap.kubernetes.io/token",
      data: text({ "token-id": "old123", expiration: yesterday }),
    },
  });
  await world.until(secretResource, (all) =>
    all.some(({ metadata }) => metadata.name === "bootstrap-token-old123") ? undefined : true,
  );
});

test("a WebSocket may bring its token as a protocol", async () => {
  const protocol = (token: string) =>
    `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
  const socket = (protocols: string) => ({
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": protocols,
  });
  const path = "/api/v1/namespaces/default/pods/p/exec?command=ls";
  const says = async (protocols: string) => {
    const { status, json } = await send(socket(protocols), { path, method: "GET" });
    return `${status} ${json.message}`;
  };
  expect(await says(`${protocol("let-me-in")}, v5.channel.k8s.io`)).toContain('User "jane" cannot');
  expect(await says(`${protocol("wrong")}, v5.channel.k8s.io`)).toBe(unauthorized);
  expect(await says(protocol("let-me-in"))).toBe(unauthorized);
  expect(await says("v5.channel.k8s.io")).toContain('User "system:anonymous" cannot');
});

test("one may be allowed to be another for some things only", async () => {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const rule = (verb: string, group: string, resource: string) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
  });
  const authentication = "authentication.k8s.io";
  await world.api.request("POST", `${rbac}/clusterroles`, {
    body: {
      metadata: { name: "constrained" },
      rules: [
        rule("impersonate:user-info", authentication, "users"),
        rule("impersonate:user-info", authentication, "groups"),
        rule("impersonate-on:user-info:list", "", "configmaps"),
        rule("impersonate:arbitrary-node", authentication, "nodes"),
        rule("impersonate-on:arbitrary-node:create", authentication, "selfsubjectreviews"),
        rule("impersonate:serviceaccount", authentication, "serviceaccounts"),
        rule("impersonate-on:serviceaccount:create", authentication, "selfsubjectreviews"),
      ],
    },
  });
  await world.api.request("POST", `${rbac}/clusterrolebindings`, {
    body: {
      metadata: { name: "constrained" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "constrained" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "deputy" }],
    },
  });
  const pair = world.api.certificateFor("deputy", []);
  const configMaps = "/api/v1/namespaces/default/configmaps";
  const says = async (headers: Headers, path = configMaps) =>
    (await send(headers, { pair, path, method: "GET" })).json.message;
  expect(await says({ "impersonate-user": "bob" })).toBe(
    'configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"',
  );
  expect(await says({ "impersonate-user": "bob" }, `${configMaps}/x`)).toBe(
    'configmaps "x" is forbidden: User "deputy" cannot impersonate-on:user-info:get resource "configmaps" in API group "" in the namespace "default"',
  );
  expect(await says({ "impersonate-user": "bob", "impersonate-group": "system:masters" })).toBe(
    'groups.authentication.k8s.io "system:masters" is forbidden: User "deputy" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
  );
  expect(await whoIs({ "impersonate-user": "system:node:n1" }, pair)).toEqual({
    username: "system:node:n1",
    groups: ["system:nodes", "system:authenticated"],
  });
  expect(await whoIs({ "impersonate-user": "system:serviceaccount:shop:bot" }, pair)).toEqual({
    username: "system:serviceaccount:shop:bot",
    groups: ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
  });
});

test("no Authorization header makes the API fail", async () => {
  const token = fc.oneof(
    fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
    fc.stringMatching(/^Bearer [A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}$/),
    fc.base64String({ maxLength: 300 }).map((value) => `Bearer ${value}`),
    fc.json().map((value) => {
      const part = Buffer.from(value).toString("base64url");
      return `Bearer ${part}.${part}.${part}`;
    }),
    fc.string({ unit: "grapheme-ascii" }).map((value) => `Basic ${value}`),
  );
  const session = world.api.session(world.api.certificateFor("fuzz", []));
  await fc.assert(
    fc.asyncProperty(token, async (authorization) => {
      const header = authorization.replace(/[^\x20-\x7e]/g, "").trim();
      const answer = await ask(session, "POST", whoAmI, {
        body: selfReview,
        headers: { authorization: header },
      });
      // The certificate says who asks, whatever else is said.
      expect(answer.status).toBe(201);
      expect(answer.json.status.userInfo.username).toBe("fuzz");
    }),
    { numRuns: 200 },
  );
});
