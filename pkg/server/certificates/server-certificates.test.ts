import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { type CertificateOptions, openServerCertificates } from "./server-certificates.ts";

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "mini8s-tls-")), "tls");
});
afterEach(async () => {
  await rm(join(folder, ".."), { recursive: true });
});

const dayMs = 86_400_000;
const later = (days: number): Clock => ({ ...systemClock, now: () => Date.now() + days * dayMs });

function options(changes: Partial<CertificateOptions> = {}): CertificateOptions {
  return {
    folder,
    clock: systemClock,
    log: silentLogger,
    hostname: "edge-1",
    advertiseAddress: "192.0.2.7",
    extraNames: ["k8s.example.com", "2001:db8::1"],
    apiServiceAddress: "10.43.0.1",
    clusterDomain: "cluster.local",
    ...changes,
  };
}

function openssl(...args: readonly string[]): string {
  return execFileSync("openssl", [...args], { cwd: folder, encoding: "utf8", stdio: "pipe" });
}

test.each([
  ["serving-kube-apiserver", "server-ca", "sslserver"],
  ["client-admin", "client-ca", "sslclient"],
  ["client-controller", "client-ca", "sslclient"],
  ["client-scheduler", "client-ca", "sslclient"],
  ["client-kube-apiserver", "client-ca", "sslclient"],
])("openssl verifies %s strictly", async (leaf, authority, purpose) => {
  await openServerCertificates(options());
  const verify = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile"];
  expect(openssl(...verify, `${authority}.crt`, `${leaf}.crt`)).toBe(`${leaf}.crt: OK\n`);
});

test("the API is found under every one of its names and addresses", async () => {
  const { serving } = await openServerCertificates(options());
  const certificate = new X509Certificate(serving.certificatePem);
  for (const name of [
    "localhost",
    "edge-1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "k8s.example.com",
  ]) {
    expect(certificate.checkHost(name), name).toBe(name);
  }
  for (const address of ["127.0.0.1", "::1", "192.0.2.7", "10.43.0.1", "2001:db8::1"]) {
    expect(certificate.checkIP(address), address).toBe(address);
  }
  expect(certificate.checkHost("example.com")).toBeUndefined();
});

test("the administrator is of system:masters", async () => {
  await openServerCertificates(options());
  const subject = openssl("x509", "-in", "client-admin.crt", "-noout", "-subject");
  expect(subject).toBe("subject=O = system:masters, CN = system:admin\n");
});

test("keys are for their owner alone", async () => {
  await openServerCertificates(options());
  const keys = (await readdir(folder)).filter((name) => name.endsWith(".key"));
  expect(keys).toHaveLength(9);
  for (const key of keys) expect((await stat(join(folder, key))).mode & 0o777, key).toBe(0o600);
});

test("a restart changes nothing", async () => {
  await openServerCertificates(options());
  const before = await contents();
  await openServerCertificates(options());
  expect(await contents()).toEqual(before);
});

test("a leaf that ends soon is issued anew by the same authority", async () => {
  const first = await openServerCertificates(options());
  const kept = await openServerCertificates(options({ clock: later(365 - 91) }));
  expect(kept.serving).toEqual(first.serving);
  const renewed = await openServerCertificates(options({ clock: later(365 - 89) }));
  expect(renewed.serving).not.toEqual(first.serving);
  expect(renewed.serverCa.certificatePem).toBe(first.serverCa.certificatePem);
});

test("a new name renews what the API shows, and nothing else", async () => {
  const first = await openServerCertificates(options());
  const next = await openServerCertificates(options({ extraNames: ["other.example.com"] }));
  const certificate = new X509Certificate(next.serving.certificatePem);
  expect(certificate.checkHost("other.example.com")).toBe("other.example.com");
  expect(next.admin).toEqual(first.admin);
});

test("a damaged leaf is replaced, a damaged authority is not", async () => {
  const first = await openServerCertificates(options());
  await writeFile(join(folder, "client-admin.crt"), "");
  const second = await openServerCertificates(options());
  expect(second.admin).not.toEqual(first.admin);
  await writeFile(join(folder, "server-ca.key"), await readFile(join(folder, "client-ca.key")));
  await expect(openServerCertificates(options())).rejects.toThrow(
    /cannot use the CA in .*server-ca.crt: the key does not belong to the certificate/,
  );
});

test("leaves of a lost authority are issued anew", async () => {
  await openServerCertificates(options());
  await rm(join(folder, "client-ca.crt"));
  await rm(join(folder, "client-ca.key"));
  await openServerCertificates(options());
  expect(openssl("verify", "-CAfile", "client-ca.crt", "client-admin.crt")).toContain("OK");
});

async function contents(): Promise<Record<string, string>> {
  const names = await readdir(folder);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ""]));
}
