import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OfficialClients, officialClients } from "../support/official-clients.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let clients: OfficialClients;

beforeAll(async () => {
  clients = await officialClients();
  host = await TestHost.create();
  await host.start("--disable-agent");
  await eventually("the API answers", () => host.k("get", "serviceaccount", "default"));
  await cp(host.kubeconfig, join(clients.tree, "kubeconfig"), { force: true });
}, 1_200_000);
afterAll(async () => {
  await host?.destroy();
});

async function inTree(...command: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec("chroot", clients.tree, ...command);
  expect(exitCode, stderr + stdout).toBe(0);
  return stdout;
}

test("Kubernetes' own Go client: JSON and protobuf, informers, apply, leader election, custom kinds", async () => {
  const { exitCode, stdout, stderr } = await host.exec(clients.goClient, host.kubeconfig);
  expect(exitCode, stdout + stderr).toBe(0);
  expect(stdout.trim().split("\n")).toEqual([
    "json: created, updated, patched, deleted",
    "json: an informer saw 20 added, 5 updated, 20 deleted",
    "protobuf: created, updated, patched, deleted",
    "protobuf: an informer saw 20 added, 5 updated, 20 deleted",
    "applied, in conflict, forced, given up, extracted",
    "twenty writers, no update lost",
    "two candidates led, one after the other",
    "refusals are told in errors that client-go knows",
    "discovered: 1.36",
    "metadata alone",
    "a kind of one's own, with every digit of its numbers",
  ]);
});

test("Kubernetes' own Python client: watches, pages, scale, discovery, apply", async () => {
  const stdout = await inTree("/usr/bin/python3", "/main.py", "/kubeconfig");
  expect(stdout.trim().split("\n")).toEqual([
    "created, patched, refused an old version",
    "watched from a version: 3 added, 3 deleted",
    "listed by pages",
    "a Deployment was scaled, and went with its pods",
    "found by discovery, applied by force",
  ]);
});

test("the newest kubectl", async () => {
  const kubectl = (...args: readonly string[]) =>
    inTree("/usr/bin/kubectl", "--kubeconfig=/kubeconfig", ...args);
  expect(await kubectl("version")).toMatch(/Client Version: v1\.3[6-9]/);
  expect(await kubectl("create", "deployment", "newest", "--image=i")).toContain("created");
  expect(await kubectl("explain", "pods.spec.containers.resources")).toContain("limits");
  expect(await kubectl("auth", "whoami")).toContain("system:masters");
  expect(await kubectl("get", "deployment,rs", "-o", "name")).toContain("deployment.apps/newest");
  expect(await kubectl("delete", "deployment", "newest")).toContain("deleted");
});
