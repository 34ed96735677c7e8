import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { createEndpoint } from "../../pkg/agent/kubelet/endpoint/endpoint.ts";
import { createCertificateRenewal, renewalDueMs } from "../../pkg/agent/renew-certificates.ts";
import { clusterRoleResource } from "../../pkg/api/resources/clusterrole.ts";
import { clusterRoleBindingResource } from "../../pkg/api/resources/clusterrolebinding.ts";
import { nodeResource } from "../../pkg/api/resources/node.ts";
import { selfSubjectReviewResource } from "../../pkg/api/resources/selfsubjectreview.ts";
import { systemClock } from "../../pkg/base/clock.ts";
import { silentLogger } from "../../pkg/base/log.ts";
import { createCertificate } from "../../pkg/base/x509/certificate.ts";
import { encodePem } from "../../pkg/base/x509/pem.ts";
import { createHttpClient } from "../../pkg/client/http-client.ts";
import { createServerCertificateRenewal } from "../../pkg/server/certificates/renew-server-certificates.ts";
import { openServerCertificates } from "../../pkg/server/certificates/server-certificates.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { startLoopsWorld } from "./loops-world.ts";

const dayMs = 24 * 3_600_000;

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mini8s-renewal-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The serial number that a TLS server shows now. */
function shownBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a node has its certificates renewed in time, and goes on with the new ones", async () => {
  await using world = await startLoopsWorld();
  const folder = await scratch();
  const { api, signal } = world;
  const node = await world.addNode("edge-1");
  await world.client.patch(
    nodeResource,
    "edge-1",
    {
      type: "merge",
      patch: {
        status: {
          addresses: [
            { type: "InternalIP", address: "127.0.0.1" },
            { type: "Hostname", address: node.metadata.name },
          ],
        },
      },
    },
    signal,
    { subresource: "status" },
  );
  await world.client.create(
    clusterRoleBindingResource,
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "nodes" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "nodes" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:nodes" }],
    },
    signal,
  );
  await world.client.create(
    clusterRoleResource,
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "nodes" },
      rules: [
        {
          apiGroups: ["certificates.k8s.io"],
          resources: ["certificatesigningrequests", "certificatesigningrequests/selfnodeclient"],
          verbs: ["create", "get", "list", "watch"],
        },
        {
          apiGroups: ["authentication.k8s.io"],
          resources: ["selfsubjectreviews"],
          verbs: ["create"],
        },
      ],
    },
    signal,
  );
  const pair = api.certificateFor("system:node:edge-1", ["system:nodes"]);
  const first = { certificate: pair.certificatePem, privateKey: pair.keyPem };
  let current = first;
  let served = first;
  await using client = createHttpClient({
    server: `https://127.0.0.1:${api.port}`,
    ca: api.authority.certificatePem,
    credentials: () => ({ type: "certificate", ...current }),
    userAgent: "test",
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
  });
  const port = await freePort();
  const endpoint = createEndpoint({
    address: "127.0.0.1",
    port,
    tls: {
      cert: first.certificate,
      key: first.privateKey,
      clientCa: api.authority.certificatePem,
    },
    access: { check: () => Promise.resolve({ outcome: "unauthorized" }) } as never,
    workloads: {} as never,
    clock: systemClock,
    logger: silentLogger,
  });
  const stop = new AbortController();
  const clock = new ManualClock(Date.now());
  const renewed = Promise.withResolvers<void>();
  let count = 0;
  const done = () => {
    count += 1;
    if (count === 2) renewed.resolve();
  };
  const renewal = createCertificateRenewal(
    {
      client,
      nodeName: "edge-1",
      nodeAddresses: ["127.0.0.1"],
      folder,
      clock,
      logger: silentLogger,
      random: () => 0.5,
    },
    [
      {
        use: "client",
        current: first,
        replace(next) {
          current = next;
          client.renew();
          done();
        },
      },
      {
        use: "serving",
        current: first,
        replace(next) {
          served = next;
          endpoint.renew({ cert: next.certificate, key: next.privateKey });
          done();
        },
      },
    ],
  );
  const running = Promise.all([endpoint.run(stop.signal), renewal.run(stop.signal)]);
  await clock.advance(dayMs);
  expect(count).toBe(0);
  const dueMs = renewalDueMs(first.certificate, 0.5);
  await clock.advance(dueMs - clock.now() + 1);
  await renewed.promise;

  const issued = new X509Certificate(current.certificate);
  expect(issued.subject).toBe("O=system:nodes\nCN=system:node:edge-1");
  expect(issued.serialNumber).not.toBe(new X509Certificate(first.certificate).serialNumber);
  const who = await client.create(
    selfSubjectReviewResource,
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
      metadata: {},
    },
    signal,
  );
  const id = who.status?.userInfo?.extra?.["authentication.kubernetes.io/credential-id"]?.[0];
  expect(id).toBe(`X509SHA256=${issued.fingerprint256.replaceAll(":", "").toLowerCase()}`);

  const serving = new X509Certificate(served.certificate);
  expect(serving.checkHost("edge-1")).toBe("edge-1");
  expect(serving.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(await shownBy(port)).toBe(serving.serialNumber);
  expect(await readFile(join(folder, "client-kubelet.crt"), "utf8")).toBe(current.certificate);
  expect(await readFile(join(folder, "serving-kubelet.key"), "utf8")).toBe(served.privateKey);
  stop.abort();
  await running;
});

test.each([
  [0, 70],
  [0.5, 80],
  [1, 90],
])("with chance %d, a certificate is renewed after %d percent of its life", (random, percent) => {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { der } = createCertificate(
    {
      subject: { commonName: "x", organizations: [] },
      publicKey: keys.publicKey,
      uses: ["client"],
      alternativeNames: [],
      notBeforeMs: 0,
      notAfterMs: 100_000,
    },
    { certificate: undefined, key: keys.privateKey },
  );
  expect(renewalDueMs(encodePem("CERTIFICATE", der), random)).toBeCloseTo(percent * 1000);
});

test("the server's certificates are issued anew while it runs, when they end within 90 days", async () => {
  const folder = await scratch();
  const clock = new ManualClock(Date.parse("2026-03-01T12:00:00Z"));
  const options = {
    folder,
    clock,
    log: silentLogger,
    hostname: "edge-1",
    advertiseAddress: "192.0.2.1",
    extraNames: [],
    apiServiceAddress: "10.43.0.1",
    clusterDomain: "cluster.local",
  };
  const current = await openServerCertificates(options);
  const seen: string[] = [];
  const told = Promise.withResolvers<void>();
  const stop = new AbortController();
  const running = createServerCertificateRenewal({
    ...options,
    current,
    renewed({ serving, serverCa }) {
      seen.push(serving.certificatePem);
      expect(serverCa.certificatePem).toBe(current.serverCa.certificatePem);
      told.resolve();
    },
  }).run(stop.signal);
  // Each look reads files, which takes real time: the clock goes on once it sleeps again.
  const until = async (days: number) => {
    const endMs = clock.now() + days * dayMs;
    while (clock.now() < endMs) {
      await expect.poll(() => clock.nextInMs).toBeDefined();
      await clock.advance(Math.min(clock.nextInMs ?? 0, endMs - clock.now()) || 1);
    }
  };
  await until(3);
  expect(seen).toEqual([]);
  await clock.advance(271 * dayMs);
  await until(2);
  await told.promise;
  expect(seen).toHaveLength(1);
  const next = new X509Certificate(seen[0] ?? "");
  expect(next.validToDate.getTime() - clock.now()).toBeGreaterThan(360 * dayMs);
  stop.abort();
  await running;
});
