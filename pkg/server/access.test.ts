import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootstrapHeaders, bootstrapPaths } from "../api/node-bootstrap.ts";
import { allResources } from "../api/registry.generated.ts";
import { serviceAccountResource } from "../api/resources/serviceaccount.ts";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { createCertificateRequest } from "../base/x509/certificate-request.ts";
import type { Client } from "../client/client.ts";
import { openMemoryDatastore } from "../datastore/memory/memory-datastore.ts";
import { createAccess } from "./access.ts";
import { nodeBootstrapPaths } from "./apiserver/authn/bootstrap-paths.ts";
import { createApiServer } from "./apiserver/create-api-server.ts";
import { openHub } from "./apiserver/hub-store.ts";
import { ResourceTable } from "./apiserver/resource-table.ts";
import { bootstrapCluster } from "./bootstrap.ts";
import { createBootstrapHandler } from "./certificates/node-bootstrap.ts";
import { createNodePasswordSecrets } from "./certificates/node-password-secrets.ts";
import { createNodePasswords } from "./certificates/node-passwords.ts";
import {
  openServerCertificates,
  type ServerCertificates,
} from "./certificates/server-certificates.ts";
import { createLocalClient } from "./local-client.ts";

const stop = new AbortController();
let folder: string;
let certificates: ServerCertificates;
let client: Client;
let port: number;
let running: Promise<void>;
const notedUses: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mini8s-access-"));
  certificates = await openServerCertificates({
    folder: join(folder, "tls"),
    clock: systemClock,
    log: silentLogger,
    hostname: "edge-1",
    advertiseAddress: undefined,
    extraNames: [],
    apiServiceAddress: "10.43.0.1",
    clusterDomain: "cluster.local",
  });
  const { serverCa, clientCa, requestHeaderCa, serving, kubeletClient } = certificates;
  const hub = await openHub({ datastore: openMemoryDatastore() });
  const resources = new ResourceTable(allResources);
  const access = createAccess({
    resources,
    hub,
    clock: systemClock,
    serviceAccountKey: certificates.serviceAccountKey,
    clusterDomain: "cluster.local",
    serviceCidr: "10.43.0.0/16",
    nodePorts: { first: 30000, last: 32767 },
    clientAuthorities: clientCa.certificatePem,
    frontProxyAuthorities: requestHeaderCa.certificatePem,
    noteLegacyTokenUse: (...use) => {
      notedUses.push(use.join(" "));
    },
  });
  const handle = createBootstrapHandler({
    serverCa,
    clientCa,
    admitsNode: (username, secret) => username === "node" && secret === "right",
    passwords: createNodePasswords({
      read: (...args) => createNodePasswordSecrets(client).read(...args),
      create: (...args) => createNodePasswordSecrets(client).create(...args),
    }),
    clusterConfig: {},
    clock: systemClock,
    log: silentLogger,
  });
  const server = createApiServer({
    ...access,
    hub,
    resources,
    health: { live: [], ready: [] },
    openPaths: nodeBootstrapPaths(handle),
    tls: {
      certificate: serving.certificatePem,
      key: serving.keyPem,
      clientAuthorities: clientCa.certificatePem,
    },
    kubelets: {
      certificate: kubeletClient.certificatePem,
      key: kubeletClient.keyPem,
      authorities: serverCa.certificatePem,
    },
    host: "127.0.0.1",
    port: 0,
    advertiseAddress: "127.0.0.1",
    build: { gitCommit: "", buildDate: "" },
    metrics: new Registry(),
    clock: systemClock,
    logger: silentLogger,
  });
  const user = { username: "system:apiserver", groups: ["system:masters"] };
  client = createLocalClient({ api: server.api, user, fieldManager: "mini8s" });
  await bootstrapCluster(
    { client, clock: systemClock, log: silentLogger },
    {
      api: { serviceAddress: "10.43.0.1", address: "192.0.2.7", port: 6443 },
      dnsAddress: undefined,
      clientCaPem: clientCa.certificatePem,
      requestHeaderCaPem: requestHeaderCa.certificatePem,
    },
    stop.signal,
  );
  running = server.service.run(stop.signal);
  port = (await server.service.listening()).port;
});

afterAll(async () => {
  stop.abort();
  await running;
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

function call(
  method: string,
  path: string,
  how: { cert?: string; key?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { headers = {}, body, cert, key } = how;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        ca: certificates.serverCa.certificatePem,
        headers,
        agent: false,
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => {
          text += chunk;
        });
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function whoami(how: Parameters<typeof call>[2]): Promise<unknown> {
  const answer = await call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
    ...how,
    headers: { ...how?.headers, "content-type": "application/json" },
    body: '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}',
  });
  return JSON.parse(answer.text);
}

test("the administrator is who the certificate says", async () => {
  const { certificatePem: cert, keyPem: key } = certificates.admin;
  expect(await whoami({ cert, key })).toMatchObject({
    status: {
      userInfo: { username: "system:admin", groups: ["system:masters", "system:authenticated"] },
    },
  });
});

test("anonymous sees the version, and no more", async () => {
  expect((await call("GET", "/version")).status).toBe(200);
  const refused = await call("GET", "/api/v1/namespaces");
  expect(JSON.parse(refused.text)).toMatchObject({
    code: 403,
    message:
      'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope',
  });
  const wrong = await call("GET", "/version", { headers: { authorization: "Bearer x" } });
  expect(JSON.parse(wrong.text)).toMatchObject({ code: 401, reason: "Unauthorized" });
});

test("a token that was asked for is accepted until its ServiceAccount is gone", async () => {
  await client.create(
    serviceAccountResource,
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "bot", namespace: "default" } },
    stop.signal,
  );
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const made = await client.createSubresource(
    serviceAccountResource,
    "default/bot",
    "token",
    body,
    stop.signal,
  );
  const { token } = (made as { readonly status: { readonly token: string } }).status;
  const headers = { authorization: `Bearer ${token}` };
  expect(await whoami({ headers })).toMatchObject({
    status: { userInfo: { username: "system:serviceaccount:default:bot" } },
  });
  await client.delete(serviceAccountResource, "default/bot", stop.signal);
  expect(await whoami({ headers })).toMatchObject({ code: 401 });
});

test("a node joins with the token, and is itself from then on", async () => {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = createCertificateRequest({ commonName: "x", organizations: [] }, [], keys);
  const ask = (secret: string, password: string) =>
    call("POST", bootstrapPaths.clientKubelet, {
      body,
      headers: {
        authorization: `Basic ${Buffer.from(`node:${secret}`).toString("base64")}`,
        [bootstrapHeaders.nodeName]: "edge-2",
        [bootstrapHeaders.nodePassword]: password,
      },
    });
  expect((await ask("wrong", "pw")).status).toBe(401);
  const { text: cert } = await ask("right", "pw");
  const key = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  expect(await whoami({ cert, key })).toMatchObject({
    status: { userInfo: { username: "system:node:edge-2" } },
  });
  expect((await ask("right", "other")).status).toBe(403);
  const refused = await call("GET", "/api/v1/namespaces/kube-system/secrets/x", { cert, key });
  expect(JSON.parse(refused.text).message).toBe(
    'secrets "x" is forbidden: User "system:node:edge-2" cannot get resource "secrets" in API group "" in the namespace "kube-system": no relationship found between node \'edge-2\' and this object',
  );
});
