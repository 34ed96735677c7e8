import { mkdtemp, readFile, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ManualClock, settle } from "../../../test/support/manual-clock.ts";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { silentLogger } from "../../base/log.ts";
import type { InformerEvent } from "../../client/informer.ts";
import { InformerCache } from "../../client/informer-cache.ts";
import type { Commands } from "../host/exec.ts";
import { createNetwork } from "./network.ts";

/** An address that this machine has: the network looks for the interface that holds the node's. */
const ownAddress =
  Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4")?.address ?? "127.0.0.1";

function node(
  name: string,
  resourceVersion: string,
  podCIDR: string | undefined,
  address: string,
): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      uid: name,
      resourceVersion,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: podCIDR === undefined ? {} : { podCIDR },
    status: { addresses: [{ type: "InternalIP", address }] },
  } as unknown as Node;
}

async function world() {
  const folder = await mkdtemp(join(tmpdir(), "mini8s-network-"));
  const clock = new ManualClock();
  const nodes = new InformerCache<Node>();
  /** What ran, and which of it fails or answers otherwise than with nothing. */
  const ran: string[] = [];
  const outcomes = new Map<string, { readonly exitCode?: number; readonly stdout?: string }>();
  const attempt: Commands["attempt"] = (command, args, { input } = {}) => {
    const line = [command, ...args].join(" ");
    ran.push(
      input === undefined ? line : `${line} < ${String(input).trim().split("\n").join("; ")}`,
    );
    const { exitCode = 0, stdout = "" } = outcomes.get(line) ?? {};
    return Promise.resolve({ exitCode, stdout, stderr: "" });
  };
  const run: Commands["run"] = async (...call) => {
    const result = await attempt(...call);
    if (result.exitCode !== 0) throw new Error(`${call[0]} failed`);
    return result;
  };
  const stop = new AbortController();
  const network = createNetwork({
    nodes: {
      get: (key) => nodes.get(key),
      list: () => nodes.list(),
      ownedBy: () => [],
      subscribe: (handler: (event: InformerEvent<Node>) => void) => nodes.subscribe(handler),
      synced: (signal) => nodes.synced(signal),
      caughtUp: (version, signal) => nodes.caughtUp(version, signal),
      run: () => Promise.resolve(),
    },
    nodeName: "a",
    overlay: "vxlan",
    rules: "nftables",
    clusterCidr: "10.42.0.0/16",
    serviceCidr: "10.43.0.0/16",
    cniConfDir: folder,
    ipamDir: join(folder, "ipam"),
    commands: { attempt, run, startDetached: () => Promise.reject(new Error("no")) },
    sysctls: { get: () => Promise.resolve("1"), set: () => Promise.resolve() },
    clock,
    logger: silentLogger,
  });
  const running = network.run(stop.signal);
  const until = async (seen: () => boolean) => {
    while (!seen()) await settle();
  };
  return {
    clock,
    nodes,
    ran,
    outcomes,
    network,
    stop,
    until,
    folder,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await rm(folder, { recursive: true });
    },
  };
}

test("pods can be given addresses as soon as the node has its range, and not before", async () => {
  await using one = await world();
  const { nodes, network, stop, folder, ran, until } = one;
  nodes.replace([node("a", "1", undefined, ownAddress)], "1");
  await settle();
  expect(ran.some((line) => line.startsWith("nft -f"))).toBe(false);
  nodes.set(node("a", "2", "10.42.0.0/24", ownAddress));
  await network.ready(stop.signal);
  expect(await readFile(join(folder, "10-mini8s.conflist"), "utf8")).toContain("10.42.0.0/24");
  nodes.set(node("b", "3", "10.42.1.0/24", "192.168.0.2"));
  await until(() => ran.some((line) => line.includes("fdb replace")));
  const before = ran.length;
  // A heartbeat says nothing of routes.
  nodes.set(node("b", "4", "10.42.1.0/24", "192.168.0.2"));
  await settle();
  expect(ran.slice(before)).toEqual([]);
});

test("a node that left takes its route along, also when an earlier try failed", async () => {
  await using one = await world();
  const { nodes, ran, outcomes, until, clock } = one;
  nodes.replace(
    [node("a", "1", "10.42.0.0/24", ownAddress), node("b", "2", "10.42.1.0/24", "192.168.0.2")],
    "2",
  );
  await until(() => ran.some((line) => line.includes("fdb replace")));
  const list = "ip -4 route show proto 98";
  outcomes.set(list, { stdout: "10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink \n" });
  outcomes.set("ip -batch -", { exitCode: 1 });
  nodes.remove("b");
  const removed = () => ran.filter((line) => line.includes("route del 10.42.1.0/24")).length;
  await until(() => removed() === 1);
  outcomes.delete("ip -batch -");
  await until(() => clock.nextInMs === 1_000);
  await clock.advance(1_000);
  await until(() => removed() === 2);
});

test("without a route for the Services the node gets one: else it could not reach a cluster IP", async () => {
  await using one = await world();
  const { nodes, ran, outcomes, network, stop } = one;
  outcomes.set("ip -4 route get 10.43.0.0", { exitCode: 2 });
  nodes.replace([node("a", "1", "10.42.0.0/24", ownAddress)], "1");
  await network.ready(stop.signal);
  expect(ran.some((line) => line.startsWith("ip route replace 10.43.0.0/16 dev "))).toBe(true);
});

test("flushed rules are made anew, and a firewall that comes later is told to let pods through", async () => {
  await using one = await world();
  const { nodes, ran, outcomes, network, stop, until, clock } = one;
  nodes.replace([node("a", "1", "10.42.0.0/24", ownAddress)], "1");
  await network.ready(stop.signal);
  await until(() => clock.nextInMs === 30_000);
  const before = ran.length;
  outcomes.set("nft list chain ip mini8s-network postrouting", { exitCode: 1 });
  outcomes.set("iptables --wait -t filter -S FORWARD", { stdout: "-P FORWARD DROP\n" });
  await clock.advance(30_000);
  await until(() => ran.slice(before).some((line) => line.startsWith("nft -f")));
  expect(ran.slice(before).join("\n")).toContain("-A MINI8S-FORWARD -s 10.42.0.0/16 -j ACCEPT");
});
