import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { Node, Pod } from "../../../api/generated/core-v1.generated.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { createCertificate } from "../../../base/x509/certificate.ts";
import { encodePem } from "../../../base/x509/pem.ts";
import { createBearerTokenAuthenticator } from "./bearer-token.ts";
import { createAuthenticator } from "./chain.ts";
import { createTokenAuthenticator } from "./service-account-authenticator.ts";
import { jsonWebKeySet, signToken } from "./service-account-token.ts";
import { createTokenIssuer } from "./token-request.ts";
import {
  createCertificateAuthenticator,
  createCertificateAuthority,
} from "./x509-authenticator.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
const meta = (name: string, uid: string, namespace?: string) => ({
  name,
  uid,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...(namespace === undefined ? {} : { namespace }),
});

function setUp(kind: "ec" | "rsa" = "ec") {
  const { privateKey, publicKey } =
    kind === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  let nowMs = Date.parse("2026-11-21T00:00:00Z");
  const clock: Clock = { ...systemClock, now: () => nowMs };
  const world = new ObjectWorld();
  const account = world.put(serviceAccountResource, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: meta("bot", "sa-1", "shop"),
  });
  const pod = world.put(podResource, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta("web", "pod-1", "shop"),
    spec: { serviceAccountName: "bot", nodeName: "n1", containers: [] },
    status: {},
  } as Pod);
  world.put(nodeResource, {
    apiVersion: "v1",
    kind: "Node",
    metadata: meta("n1", "node-1"),
  } as Node);
  const audiences = [issuer];
  return {
    world,
    account,
    pod,
    privateKey,
    publicKey,
    advance: (seconds: number) => {
      nowMs += seconds * 1000;
    },
    issue: createTokenIssuer({ issuer, privateKey, audiences, reader: world, clock }),
    authenticate: createTokenAuthenticator({
      issuer,
      publicKeys: [publicKey],
      audiences,
      reader: world,
      clock,
    }),
    clock,
  };
}

const podReference = { apiVersion: "v1", kind: "Pod", name: "web", uid: "pod-1" };

test.each(["ec", "rsa"] as const)(
  "any verifier of JWTs accepts a token signed by an %s key",
  async (kind) => {
    const { issue, publicKey, clock } = setUp(kind);
    const { status } = issue("shop", "bot", {
      spec: { boundObjectRef: podReference, expirationSeconds: 3607 },
    });
    const keys = createLocalJWKSet(jsonWebKeySet([publicKey]) as never);
    const { payload } = await jwtVerify(status.token, keys, {
      issuer,
      audience: issuer,
      currentDate: new Date(clock.now()),
    });
    const now = Date.parse("2026-11-21T00:00:00Z") / 1000;
    expect(payload).toEqual({
      aud: [issuer],
      exp: now + 365 * 24 * 3600,
      iat: now,
      iss: issuer,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "kubernetes.io": {
        namespace: "shop",
        node: { name: "n1", uid: "node-1" },
        pod: { name: "web", uid: "pod-1" },
        serviceaccount: { name: "bot", uid: "sa-1" },
        warnafter: now + 3607,
      },
      nbf: now,
      sub: "system:serviceaccount:shop:bot",
    });
    expect(status.expirationTimestamp).toBe("2026-11-21T01:00:07Z");
  },
);

test("a token stands for its ServiceAccount", () => {
  const { issue, authenticate } = setUp();
  const { token } = issue("shop", "bot", { spec: { boundObjectRef: podReference } }).status;
  expect(authenticate(token)?.user).toEqual({
    username: "system:serviceaccount:shop:bot",
    uid: "sa-1",
    groups: ["system:serviceaccounts", "system:serviceaccounts:shop"],
    extra: {
      "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^JTI=/)],
      "authentication.kubernetes.io/node-name": ["n1"],
      "authentication.kubernetes.io/node-uid": ["node-1"],
      "authentication.kubernetes.io/pod-name": ["web"],
      "authentication.kubernetes.io/pod-uid": ["pod-1"],
    },
  });
});

test("a token ends with its time", () => {
  const { issue, authenticate, advance } = setUp();
  const { token } = issue("shop", "bot", { spec: { expirationSeconds: 600 } }).status;
  expect(authenticate(token)).toBeDefined();
  advance(599);
  expect(authenticate(token)).toBeDefined();
  advance(1);
  expect(authenticate(token)).toBeUndefined();
});

test("a token ends with its pod and with its ServiceAccount", () => {
  const { issue, authenticate, world, account, pod, advance } = setUp();
  const bound = issue("shop", "bot", { spec: { boundObjectRef: podReference } }).status.token;
  const free = issue("shop", "bot", { spec: {} }).status.token;
  const deletionTimestamp = "2026-11-21T00:00:00Z";
  world.put(podResource, { ...pod, metadata: { ...pod.metadata, deletionTimestamp } });
  expect(authenticate(bound)).toBeDefined();
  advance(61);
  expect(authenticate(bound)).toBeUndefined();
  expect(authenticate(free)).toBeDefined();
  world.put(serviceAccountResource, { ...account, metadata: { ...account.metadata, uid: "sa-2" } });
  expect(authenticate(free)).toBeUndefined();
});

test("a token for others is not for the API", () => {
  const { issue, authenticate } = setUp();
  const { token } = issue("shop", "bot", { spec: { audiences: ["vault"] } }).status;
  expect(authenticate(token)).toBeUndefined();
  expect(authenticate(token, ["vault", "other"])?.audiences).toEqual(["vault"]);
});

test("forged tokens are refused", () => {
  const { issue, authenticate, publicKey } = setUp();
  const { token } = issue("shop", "bot", { spec: {} }).status;
  const [head = "", payload = "", signature = ""] = token.split(".");
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  const hmac = Buffer.from(JSON.stringify({ alg: "HS256" })).toString("base64url");
  const changed = Buffer.from(JSON.stringify({ ...claims, sub: "x" })).toString("base64url");
  for (const forged of [
    "",
    "a.b.c",
    `${head}.${payload}.`,
    `${none}.${payload}.`,
    `${hmac}.${payload}.${signature}`,
    `${head}.${changed}.${signature}`,
    `${token}.x`,
    signToken(claims, other.privateKey),
  ]) {
    expect(authenticate(forged), forged).toBeUndefined();
  }
  expect(createPublicKey(publicKey.export({ type: "spki", format: "pem" })).type).toBe("public");
});

test.each([
  [
    { expirationSeconds: 10 },
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes',
  ],
  [{ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "gone" } }, 'pods "gone" not found'],
  [
    { boundObjectRef: { ...podReference, uid: "old" } },
    'Operation cannot be fulfilled on Pod "web": the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
  ],
  [
    { boundObjectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } },
    "cannot bind token to object of type apps/v1, Kind=Deployment",
  ],
])("%j is refused", (spec, message) => {
  const { issue } = setUp();
  expect(() => issue("shop", "bot", { spec })).toThrow(message);
});

test.each([
  [
    { name: "other" },
    'TokenRequest.authentication.k8s.io "bot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
  ],
  [
    { namespace: "other" },
    'TokenRequest.authentication.k8s.io "bot" is invalid: metadata.namespace: Invalid value: "other": must match the service account namespace if specified',
  ],
  [
    { uid: "sa-0" },
    'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "bot": the UID in the token request (sa-0) does not match the UID of the service account (sa-1)',
  ],
])("a request for the token of another, %j, is refused", (metadata, message) => {
  const { issue } = setUp();
  expect(() => issue("shop", "bot", { metadata, spec: {} })).toThrow(message);
});

test("a certificate stands for its common name, as long as it is valid", async () => {
  const { clock, advance, authenticate } = setUp();
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { der } = createCertificate(
    {
      subject: { commonName: "jane", organizations: ["devs", "ops"] },
      publicKey: keys.publicKey,
      uses: ["client"],
      alternativeNames: [],
      notBeforeMs: clock.now(),
      notAfterMs: clock.now() + 60_000,
    },
    { certificate: undefined, key: keys.privateKey },
  );
  const authority = createCertificateAuthority(encodePem("CERTIFICATE", der), clock);
  const authenticator = createAuthenticator({
    authenticators: [
      createCertificateAuthenticator(authority),
      createBearerTokenAuthenticator(authenticate),
    ],
  });
  const shown = (isVerified: boolean) => ({
    clientCertificate: { chain: [der], isVerified },
    headers: {},
  });
  const credentials = shown(true);
  const refusal = expect.objectContaining({ code: 401, message: "Unauthorized" });
  expect(() => authenticator.authenticate(shown(false))).toThrow(refusal);
  expect(await authenticator.authenticate(credentials)).toMatchObject({
    username: "jane",
    groups: ["devs", "ops", "system:authenticated"],
  });
  advance(61);
  expect(() => authenticator.authenticate(credentials)).toThrow(refusal);
  const nothing = { clientCertificate: undefined, headers: {} };
  expect(await authenticator.authenticate(nothing)).toMatchObject({
    username: "system:anonymous",
  });
  const wrong = { clientCertificate: undefined, headers: { authorization: "Bearer x" } };
  expect(() => authenticator.authenticate(wrong)).toThrow(refusal);
  const closed = createAuthenticator({ authenticators: [], allowsAnonymous: false });
  expect(() => closed.authenticate(nothing)).toThrow(refusal);
});
