import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../support/images.ts";
import {
  type MachineSnapshot,
  snapshotMachine,
  snapshotNetwork,
} from "../support/machine-snapshot.ts";
import { runCommand } from "../support/run-command.ts";
import { eventually, executable, TestHost } from "../support/test-host.ts";

const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      volumes:
      - { name: scratch, emptyDir: { medium: Memory } }
      - { name: disk, emptyDir: {} }
      containers:
      - name: web
        image: busybox:1
        command: [sh, -c, "hostname > /www/index.html; exec httpd -f -p 8080 -h /www"]
        volumeMounts: [{ name: scratch, mountPath: /www }, { name: disk, mountPath: /disk }]
---
apiVersion: v1
kind: Pod
metadata: { name: port }
spec:
  containers:
  - name: web
    image: busybox:1
    command: [sh, -c, "mkdir /www; echo by host port > /www/index.html; exec httpd -f -p 8080 -h /www"]
    ports: [{ containerPort: 8080, hostPort: 8081 }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }]
`;

interface Instance {
  readonly host: TestHost;
  readonly untouched: MachineSnapshot;
}

let before: MachineSnapshot;
let beforeNetwork: MachineSnapshot;
const instances: Instance[] = [];

async function open(...flags: readonly string[]): Promise<Instance> {
  const host = await TestHost.create();
  const untouched = await snapshotNetwork(host.name);
  const instance = { host, untouched };
  instances.push(instance);
  await host.addImage(await busyboxImage());
  await host.start(...flags);
  await host.ready();
  await host.apply(workload);
  await host.k("rollout", "status", "deployment/web", "--timeout=60s");
  await host.k("wait", "--for=condition=Ready", "pod/port", "--timeout=60s");
  return instance;
}

function uninstall(host: TestHost, ...flags: readonly string[]) {
  return host.exec(
    executable,
    ...["uninstall", "--data-dir", host.dataDir, "--write-kubeconfig", host.kubeconfig, ...flags],
  );
}

const containersOf = (host: TestHost) =>
  host.k("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].containerID}");

async function answers(host: TestHost): Promise<void> {
  await eventually("the Service answers", async () => {
    const { stdout } = await host.exec("curl", "-sm2", `http://${host.address}:30080/`);
    return stdout.startsWith("web-") ? true : undefined;
  });
}

beforeAll(async () => {
  before = await snapshotMachine();
  beforeNetwork = await snapshotNetwork(undefined);
  await open("--proxy-mode", "nftables");
  await open("--proxy-mode", "iptables");
});

afterAll(async () => {
  for (const { host } of instances) await host.destroy();
});

test("two instances with the same names, ports and ranges serve side by side", async () => {
  for (const { host } of instances) {
    await answers(host);
    const { stdout } = await runCommand("curl", ["-sm2", `http://${host.address}:8081/`]);
    expect(stdout).toBe("by host port\n");
    expect(await host.k("get", "pods", "-o", "name")).toMatch(
      /^pod\/port\npod\/web-\S+\npod\/web-\S+$/,
    );
  }
});

test("without --yes and a terminal nothing is removed", async () => {
  const [first] = instances;
  if (first === undefined) throw new Error("nothing was opened");
  const { exitCode, stderr } = await uninstall(first.host);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^mini8s: this removes the cluster in .*: say --yes to mean it\n$/);
  await answers(first.host);
});

test("one that was killed is taken away without a trace, and the other does not notice", async () => {
  const [first, second] = instances;
  if (first === undefined || second === undefined) throw new Error("nothing was opened");
  const others = await containersOf(second.host);
  await first.host.stop("SIGKILL");
  // Neither is ours.
  const notes = join(first.host.dataDir, "notes.txt");
  await writeFile(notes, "kept");
  await first.host.exec("nft", "add", "table", "ip", "other");
  const { exitCode, stdout, stderr } = await uninstall(first.host, "--yes");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("removing 3 pods");
  expect(stdout).toContain("is kept, because it holds something else");
  expect(await readFile(notes, "utf8")).toBe("kept");
  expect(await first.host.exec("nft", "delete", "table", "ip", "other")).toMatchObject({
    exitCode: 0,
  });
  expect(await snapshotNetwork(first.host.name)).toEqual(first.untouched);

  await answers(second.host);
  expect(await containersOf(second.host)).toBe(others);
  const again = await uninstall(first.host, "--yes");
  expect(again).toMatchObject({ exitCode: 0, stderr: "" });
});

test("one whose machine has lost its power is taken away, too", async () => {
  const { host } = await open();
  await host.reboot();
  const untouched = await snapshotNetwork(host.name);
  const { exitCode, stderr } = await uninstall(host, "--yes");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(await snapshotNetwork(host.name)).toEqual(untouched);
});

test("one that runs is stopped and taken away; then the machine is as it was", async () => {
  const [, second] = instances;
  if (second === undefined) throw new Error("nothing was opened");
  const { exitCode, stdout, stderr } = await uninstall(second.host, "--yes");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("stopping mini8s");
  expect(await snapshotNetwork(second.host.name)).toEqual(second.untouched);
  for (const { host } of instances) await host.destroy();
  expect(await snapshotMachine()).toEqual(before);
  expect(await snapshotNetwork(undefined)).toEqual(beforeNetwork);
});
