import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Pod } from "../../pkg/api/generated/core-v1.generated.ts";
import { containerProcesses } from "../support/container-processes.ts";
import { HttpLoad, httpGet } from "../support/http-load.ts";
import { openShop, shopPort } from "../support/shop.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let scratch: string;
const url = (path: string) => `http://${host.address}:${shopPort}${path}`;

/** A pod that writes down each of its starts where a reboot does not reach. */
const diary = () => `apiVersion: v1
kind: Pod
metadata: {name: diary, namespace: shop}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: localhost/tools:1
    command: [sh, -c, "echo start >> /diary/starts; echo empty >> /empty/starts; sleep 100000"]
    volumeMounts: [{name: diary, mountPath: /diary}, {name: empty, mountPath: /empty}]
  volumes:
  - {name: diary, hostPath: {path: ${scratch}}}
  - {name: empty, emptyDir: {}}
---
apiVersion: v1
kind: Pod
metadata: {name: once, namespace: shop}
spec:
  restartPolicy: Never
  containers: [{name: app, image: "localhost/tools:1", command: ["true"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: fragile, namespace: shop}
spec:
  restartPolicy: Never
  containers: [{name: app, image: "localhost/tools:1", command: [sleep, "100000"]}]
`;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/mini8s-scratch-");
  host = await TestHost.create();
  await host.start();
  await host.ready();
  await openShop(host, "open");
  await host.apply(diary());
  await eventually("the pod that runs once has run", async () => {
    const phase = await host.k(
      "get",
      "pod",
      "-n",
      "shop",
      "once",
      "-o",
      "jsonpath={.status.phase}",
    );
    return phase === "Succeeded" ? true : undefined;
  });
  await allReady();
});
afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    process.stderr.write(`${(await host.logLines()).slice(-30).join("\n")}\n`);
});
afterAll(async () => {
  await host?.destroy();
  await rm(scratch, { recursive: true, force: true });
});

async function pods(): Promise<readonly Pod[]> {
  return JSON.parse(await host.k("get", "pods", "-n", "shop", "-o", "json")).items;
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

function hasEnded({ status }: Pod): boolean {
  return status.phase === "Succeeded" || status.phase === "Failed";
}

/** Every pod that is to run is ready, and says so anew where the node was restarted. */
async function allReady(timeoutMs = 90_000): Promise<readonly Pod[]> {
  return await eventually(
    "all pods are ready",
    async () => {
      const found = await pods();
      const waiting = found.filter((pod) => !isReady(pod) && !hasEnded(pod));
      if (waiting.length === 0) return found;
      throw new Error(
        waiting
          .map(({ metadata, status }) => `${metadata.name}: ${JSON.stringify(status)}`)
          .join("\n"),
      );
    },
    { timeoutMs, everyMs: 300 },
  );
}

/** What must not change while nothing happens to the containers. */
async function identity() {
  return (await pods())
    .map(({ metadata, status }) => ({
      name: metadata.name,
      uid: metadata.uid,
      ip: status.podIP,
      ready: isReady({ metadata, status } as Pod),
      containers: status.containerStatuses?.map(({ containerID, restartCount, state }) => ({
        containerID,
        restartCount,
        state,
      })),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** By container id: the processes that run in it. */
async function running(): Promise<ReadonlyMap<string, readonly number[]>> {
  const ids = (await pods()).flatMap(({ status }) =>
    (status.containerStatuses ?? []).map(({ containerID = "" }) => containerID),
  );
  const found = new Map<string, readonly number[]>();
  // The first process of each: what a probe runs comes and goes.
  for (const id of ids) found.set(id, (await containerProcesses(id)).slice(0, 1));
  return found;
}

/** Waits until the node has told of itself since `since`: what it says of its pods is no older, then. */
async function heardOf(since: Date): Promise<void> {
  await eventually("the node is heard of", async () => {
    const time = await host.k(
      ...["get", "lease", "-n", "kube-node-lease", "node-1"],
      ...["-o", "jsonpath={.spec.renewTime}"],
    );
    return new Date(time) > since ? true : undefined;
  });
}

async function containerdPid(): Promise<number> {
  const { stdout } = await host.exec("pgrep", "-f", `^containerd --config ${host.dataDir}/`);
  return Number(stdout.trim());
}

async function alive(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return state !== undefined && !/\) [ZX] /.test(state);
}

test("mini8s is killed under load: the shop goes on, and nothing is started again", async () => {
  const before = await identity();
  const processes = await running();
  await using load = new HttpLoad([url("/"), url("/"), url("/api")], 8, 50);
  await eventually("the load has begun", async () => (load.answered > 30 ? true : undefined));
  for (let round = 0; round < 3; round += 1) {
    await host.stop("SIGKILL");
    const answered = load.answered;
    await eventually("the shop answers without mini8s", async () =>
      load.answered > answered + 20 ? true : undefined,
    );
    const since = new Date();
    await host.start();
    await host.ready();
    await heardOf(since);
  }
  await allReady();
  expect((await load.end()).lost).toEqual([]);
  expect(await identity()).toEqual(before);
  expect(await running()).toEqual(processes);
});

test("mini8s is told to stop: it does within five seconds, and finds everything again", async () => {
  const before = await identity();
  const containerd = await containerdPid();
  await using load = new HttpLoad([url("/"), url("/api")], 8, 50);
  const told = await host.logLines();
  const since = performance.now();
  expect(await host.stop("SIGTERM")).toBe(0);
  expect(performance.now() - since).toBeLessThan(5_000);
  const lastWords = (await host.logLines()).slice(told.length);
  expect(lastWords.filter((line) => line.includes('"level":"warn"'))).toEqual([]);
  const answered = load.answered;
  await eventually("the shop answers without mini8s", async () =>
    load.answered > answered + 20 ? true : undefined,
  );
  const restarted = new Date();
  await host.start();
  await host.ready();
  await heardOf(restarted);
  await allReady();
  expect((await load.end()).lost).toEqual([]);
  expect(await identity()).toEqual(before);
  expect(await containerdPid()).toBe(containerd);
});

test("containerd is killed: it is started again, the containers do not notice", async () => {
  const before = await identity();
  const processes = await running();
  const killed = await containerdPid();
  await using load = new HttpLoad([url("/"), url("/"), url("/api")], 8, 50);
  process.kill(killed, "SIGKILL");
  await eventually("another containerd runs", async () => {
    const pid = await containerdPid();
    return pid > 0 && pid !== killed ? true : undefined;
  });
  await eventually(
    "commands run in containers again",
    async () => {
      const answer = await host.k(
        "exec",
        "-n",
        "shop",
        "shell",
        "--",
        "curl",
        "-sS",
        "http://front/",
      );
      return answer === "open" ? true : undefined;
    },
    { timeoutMs: 10_000 },
  );
  await host.k("delete", "pod", "-n", "shop", "once");
  await host.apply(diary());
  await eventually("a new pod runs", async () => {
    const phase = await host.k(
      "get",
      "pod",
      "-n",
      "shop",
      "once",
      "-o",
      "jsonpath={.status.phase}",
    );
    return phase === "Succeeded" ? true : undefined;
  });
  await allReady();
  expect((await load.end()).lost).toEqual([]);
  const others = (list: readonly { readonly name: string }[]) =>
    list.filter(({ name }) => name !== "once");
  expect(others(await identity())).toEqual(others(before));
  const after = await running();
  for (const [id, pids] of processes) if (pids.length > 0) expect(after.get(id)).toEqual(pids);
});

test("containerd is killed while mini8s is away: both come back", async () => {
  const before = await identity();
  const processes = await running();
  await host.stop("SIGKILL");
  const killed = await containerdPid();
  process.kill(killed, "SIGKILL");
  await eventually("it has ended", async () => ((await alive(killed)) ? undefined : true));
  const since = new Date();
  await host.start();
  await host.ready();
  await heardOf(since);
  await allReady();
  expect(await identity()).toEqual(before);
  expect(await running()).toEqual(processes);
  expect((await httpGet(url("/api"))).status).toBe(200);
});

test("what was acknowledged is there after a kill in the midst of a storm of writes", async () => {
  const acknowledged = new Set<string>();
  let stop = false;
  const body = (name: string) =>
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { name } });
  await host.k("create", "namespace", "storm");
  // kubectl's proxy: the clients need no certificates of their own.
  const proxy = host.spawn(
    "kubectl",
    "--kubeconfig",
    host.kubeconfig,
    "proxy",
    "--port=8011",
    `--address=${host.address}`,
    "--accept-hosts=.*",
  );
  try {
    const api = `http://${host.address}:8011/api/v1/namespaces/storm/configmaps`;
    await eventually("the proxy answers", async () => ((await fetch(api)).ok ? true : undefined));
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let turn = 0; !stop; turn += 1) {
        const name = `w${writer}-${turn}`;
        const headers = { "content-type": "application/json" };
        const answer = await fetch(api, { method: "POST", headers, body: body(name) }).catch(
          () => undefined,
        );
        await answer?.arrayBuffer().catch(() => undefined);
        if (answer?.status === 201) acknowledged.add(name);
      }
    });
    await eventually("five hundred are written", async () =>
      acknowledged.size >= 500 ? true : undefined,
    );
    await host.stop("SIGKILL");
    stop = true;
    await Promise.all(writers);
  } finally {
    stop = true;
    proxy.kill();
  }
  await host.start();
  await host.ready();
  const listed = await host.k("get", "cm", "-n", "storm", "-o", "jsonpath={.items[*].data.name}");
  const there = new Set(listed.split(" "));
  expect([...acknowledged].filter((name) => !there.has(name))).toEqual([]);
  await host.k("delete", "namespace", "storm");
});

test("the power fails, again and again: everything runs again without a hand", async () => {
  const before = new Map((await allReady()).map((pod) => [pod.metadata.name, pod]));
  for (let round = 1; round <= 3; round += 1) {
    await host.reboot();
    const since = new Date();
    await host.start();
    await host.ready();
    await heardOf(since);
    await eventually("the shop is open again", async () => {
      const { status, body } = await httpGet(url("/api"));
      if (status === 200) return true;
      throw new Error(body);
    });
    const after = await eventually("each container was counted as started once more", async () => {
      const found = await allReady();
      for (const { metadata, status } of found) {
        const [was] = before.get(metadata.name)?.status.containerStatuses ?? [];
        const [is] = status.containerStatuses ?? [];
        if (status.phase === "Succeeded") expect(is).toEqual(was);
        else if (metadata.name === "fragile") expect(status.phase).toBe("Failed");
        else
          expect(is?.restartCount, metadata.name).toBeGreaterThanOrEqual(
            (was?.restartCount ?? 0) + round,
          );
      }
      return found;
    });
    // The same pods, each with an address of its own.
    expect(after.map(({ metadata }) => metadata.uid).sort()).toEqual(
      [...before.values()].map(({ metadata }) => metadata.uid).sort(),
    );
    const addresses = after.filter(isReady).map(({ status }) => status.podIP);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses.length).toBe(after.length - 2);
    expect(await readFile(join(scratch, "starts"), "utf8")).toBe("start\n".repeat(round + 1));
    expect(await host.k("exec", "-n", "shop", "diary", "--", "cat", "/empty/starts")).toBe(
      "empty\n".repeat(round + 1).trim(),
    );
    expect((await httpGet(url("/"))).body).toBe("open");
    expect(await host.k("exec", "-n", "shop", "shell", "--", "curl", "-sS", "http://front/")).toBe(
      "open",
    );
    await eventually("no address is held for who is gone", async () => {
      const held = await host.heldAddresses();
      expect([...held].sort()).toEqual(addresses.sort());
      return true;
    });
  }
});
