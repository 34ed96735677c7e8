import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type JoinOptions, joinCluster } from "../../pkg/agent/join.ts";
import { systemClock } from "../../pkg/base/clock.ts";
import { silentLogger } from "../../pkg/base/log.ts";
import { formatJoinToken } from "../../pkg/client/join-token.ts";
import {
  createAuthority,
  generateKey,
  issueKeyPair,
} from "../../pkg/server/certificates/authority.ts";
import { createBootstrapHandler } from "../../pkg/server/certificates/node-bootstrap.ts";
import { createNodePasswords } from "../../pkg/server/certificates/node-passwords.ts";

const signal = new AbortController().signal;

/** A server that admits nodes with the secret "right", over real TLS. */
async function cluster() {
  const now = Date.now();
  const serverCa = createAuthority("server", generateKey(), now);
  const clientCa = createAuthority("client", generateKey(), now);
  const hashes = new Map<string, string>();
  const handle = createBootstrapHandler({
    serverCa,
    clientCa,
    admitsNode: (username, secret) => username === "node" && secret === "right",
    passwords: createNodePasswords({
      read: (name) => Promise.resolve(hashes.get(name)),
      create: (name, hash) => {
        const free = !hashes.has(name);
        if (free) hashes.set(name, hash);
        return Promise.resolve(free);
      },
    }),
    clusterConfig: { clusterDomain: "cluster.local" },
    clock: systemClock,
    log: silentLogger,
  });
  const leaf = {
    subject: { commonName: "server", organizations: [] },
    uses: ["server" as const],
    alternativeNames: ["127.0.0.1"],
  };
  const { certificatePem: cert, keyPem: key } = issueKeyPair(serverCa, leaf, now);
  const asked: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request.headers.authorization === undefined ? "" : "with a secret");
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const body = Buffer.concat(chunks).toString();
      const { method = "GET", url: path = "/" } = request;
      const answer = await handle({ method, path, headers, body }, signal);
      response.writeHead(answer?.status ?? 404).end(answer?.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, serverCa, clientCa, asked };
}

async function options(
  { url, serverCa }: Awaited<ReturnType<typeof cluster>>,
  rest: Partial<JoinOptions> = {},
): Promise<JoinOptions> {
  const dataDir = await mkdtemp(join(tmpdir(), "mini8s-join-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  return {
    server: url,
    token: formatJoinToken(serverCa.certificatePem, "node", "right"),
    nodeName: "edge-1",
    nodeIps: ["192.0.2.7"],
    dataDir,
    clock: systemClock,
    logger: silentLogger,
    ...rest,
  };
}

test("a machine with the token becomes a node, and keeps its certificates over a restart", async () => {
  const there = await cluster();
  const mine = await options(there);
  const joined = await joinCluster(mine, signal);
  const client = new X509Certificate(joined.client.certificate);
  expect(client.subject).toContain("CN=system:node:edge-1");
  expect(client.verify(new X509Certificate(there.clientCa.certificatePem).publicKey)).toBe(true);
  expect(new X509Certificate(joined.serving.certificate).checkIP("192.0.2.7")).toBe("192.0.2.7");
  expect(joined.clusterConfig).toEqual({ clusterDomain: "cluster.local" });
  expect(await joinCluster(mine, signal)).toEqual(joined);
});

test("another address needs another serving certificate, and no other identity", async () => {
  const mine = await options(await cluster());
  const joined = await joinCluster(mine, signal);
  const moved = await joinCluster({ ...mine, nodeIps: ["192.0.2.8"] }, signal);
  expect(moved.client).toEqual(joined.client);
  expect(new X509Certificate(moved.serving.certificate).checkIP("192.0.2.8")).toBe("192.0.2.8");
});

test("a server of another cluster is refused before it is shown the secret", async () => {
  const there = await cluster();
  const token = formatJoinToken((await cluster()).serverCa.certificatePem, "node", "right");
  await expect(joinCluster(await options(there, { token }), signal)).rejects.toThrow(
    "is not of the cluster that the token is for",
  );
  expect(there.asked).toEqual([""]);
});

test("a wrong secret, a taken name and a token that is none are told apart", async () => {
  const there = await cluster();
  const token = formatJoinToken(there.serverCa.certificatePem, "node", "wrong");
  await expect(joinCluster(await options(there, { token }), signal)).rejects.toThrow(
    "the token is not valid for this cluster",
  );
  await joinCluster(await options(there), signal);
  await expect(joinCluster(await options(there), signal)).rejects.toThrow('"edge-1" is taken');
  await expect(joinCluster(await options(there, { token: "K10::" }), signal)).rejects.toThrow(
    "is not a join token",
  );
});
