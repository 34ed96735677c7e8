import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { bootstrapHeaders, bootstrapPaths } from "../../api/node-bootstrap.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { readCertificate } from "../../base/x509/certificate.ts";
import { createCertificateRequest } from "../../base/x509/certificate-request.ts";
import { decodePem } from "../../base/x509/pem.ts";
import { createAuthority, generateKey } from "./authority.ts";
import { createBootstrapHandler } from "./node-bootstrap.ts";
import { createNodePasswords } from "./node-passwords.ts";

const signal = new AbortController().signal;
const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const csr = createCertificateRequest({ commonName: "anything", organizations: [] }, [], keys);

function server() {
  const now = Date.now();
  const secrets = new Map<string, string>();
  return {
    secrets,
    handle: createBootstrapHandler({
      serverCa: createAuthority("server", generateKey(), now),
      clientCa: createAuthority("client", generateKey(), now),
      admitsNode: (username, secret) => username === "node" && secret === "right",
      passwords: createNodePasswords({
        read: (name) => Promise.resolve(secrets.get(name)),
        create: (name, hash) => {
          if (secrets.has(name)) return Promise.resolve(false);
          secrets.set(name, hash);
          return Promise.resolve(true);
        },
      }),
      clusterConfig: { clusterDomain: "cluster.local" },
      clock: systemClock,
      log: silentLogger,
    }),
  };
}

function post(path: string, headers: Record<string, string>, body = csr) {
  const authorization = `Basic ${Buffer.from("node:right").toString("base64")}`;
  return { method: "POST", path, headers: { authorization, ...headers }, body };
}

const node = {
  [bootstrapHeaders.nodeName]: "edge-2",
  [bootstrapHeaders.nodePassword]: "pw",
  [bootstrapHeaders.nodeAddresses]: "192.0.2.9, 2001:db8::9",
};

test("the CA is open to all", async () => {
  const { handle } = server();
  const answer = await handle({ method: "GET", path: "/cacerts", headers: {}, body: "" }, signal);
  expect(answer?.status).toBe(200);
  expect(new X509Certificate(answer?.body ?? "").ca).toBe(true);
});

test("other paths are left to others", async () => {
  const { handle } = server();
  const request = { method: "GET", path: "/api", headers: {}, body: "" };
  expect(await handle(request, signal)).toBeUndefined();
  expect(await handle({ ...request, path: "constructor" }, signal)).toBeUndefined();
});

test("a node gets the identity of its name, whatever its request says", async () => {
  const { handle } = server();
  const answer = await handle(post(bootstrapPaths.clientKubelet, node), signal);
  expect(answer?.status).toBe(200);
  const [der] = decodePem("CERTIFICATE", answer?.body ?? "");
  if (der === undefined) throw new Error("no certificate");
  expect(readCertificate(der).subject).toEqual({
    commonName: "system:node:edge-2",
    organizations: ["system:nodes"],
  });
});

test("a kubelet's serving certificate names the node and its addresses", async () => {
  const { handle } = server();
  const answer = await handle(post(bootstrapPaths.servingKubelet, node), signal);
  const certificate = new X509Certificate(answer?.body ?? "");
  expect(certificate.checkHost("edge-2")).toBe("edge-2");
  expect(certificate.checkIP("192.0.2.9")).toBe("192.0.2.9");
  expect(certificate.checkIP("2001:db8::9")).toBe("2001:db8::9");
});

test("a wrong secret is refused", async () => {
  const { handle } = server();
  for (const authorization of [
    "",
    "Basic !",
    `Basic ${Buffer.from("node:wrong").toString("base64")}`,
  ]) {
    const request = post(bootstrapPaths.clientKubelet, { ...node, authorization });
    expect((await handle(request, signal))?.status, authorization).toBe(401);
  }
});

test("a taken node name is refused to another password, and given again to its own", async () => {
  const { handle, secrets } = server();
  expect((await handle(post(bootstrapPaths.clientKubelet, node), signal))?.status).toBe(200);
  const other = { ...node, [bootstrapHeaders.nodePassword]: "other" };
  const refused = await handle(post(bootstrapPaths.clientKubelet, other), signal);
  expect(refused?.status).toBe(403);
  expect(refused?.body).toContain('the node name "edge-2" is taken');
  expect((await handle(post(bootstrapPaths.servingKubelet, node), signal))?.status).toBe(200);
  expect([...secrets.keys()]).toEqual(["edge-2.node-password.mini8s"]);
  expect([...secrets.values()].join()).not.toContain("pw");
});

test.each([
  ["a bad name", { ...node, [bootstrapHeaders.nodeName]: "Edge_2" }, csr],
  ["no password", { ...node, [bootstrapHeaders.nodePassword]: "" }, csr],
  ["a bad address", { ...node, [bootstrapHeaders.nodeAddresses]: "1.2.3" }, csr],
  ["no request", node, "hello"],
  ["a request that others signed", node, forged()],
])("%s is a bad request", async (_what, headers, body) => {
  const { handle } = server();
  expect((await handle(post(bootstrapPaths.clientKubelet, headers, body), signal))?.status).toBe(
    400,
  );
});

function forged(): string {
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return createCertificateRequest({ commonName: "x", organizations: [] }, [], {
    publicKey: keys.publicKey,
    privateKey: other.privateKey,
  });
}
