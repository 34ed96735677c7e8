import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyEgress, removeEgress } from "../../pkg/agent/network/masquerade.ts";
import { createIptablesBackend, removeIptables } from "../../pkg/agent/proxy/iptables/iptables.ts";
import {
  createNftablesBackend,
  nftablesUnusable,
  removeNftables,
} from "../../pkg/agent/proxy/nftables/nftables.ts";
import type { ProxyBackend } from "../../pkg/agent/proxy/proxy-backend.ts";
import type { Frontend, ServiceTable } from "../../pkg/agent/proxy/service-table.ts";
import { PacketLab } from "../support/packet-lab.ts";

const network = { clusterCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16" };
const signal = new AbortController().signal;

function frontend(rest: Partial<Frontend>): Frontend {
  return {
    kind: "address",
    address: "10.43.0.7",
    protocol: "tcp",
    port: 80,
    service: "shop/web:http",
    backends: [],
    affinitySeconds: 0,
    masquerade: false,
    whenEmpty: "reject",
    ...rest,
  };
}

describe.each(["nftables", "iptables"] as const)("packets through %s", (mode) => {
  let lab: PacketLab;
  let backend: ProxyBackend;
  const pods = [0, 1, 2];
  const backends = (...indexes: readonly number[]) =>
    indexes.map((index) => ({ address: lab.podAddress(index), port: 8080 }));
  const serve = (table: ServiceTable) => backend.apply(table, signal);
  const who = async (from: string, address: string, port: number, times = 24) => {
    const answers = new Set<string>();
    for (let count = 0; count < times; count++) answers.add(await lab.ask(from, address, port));
    return [...answers].sort();
  };

  beforeAll(async () => {
    lab = await PacketLab.create(pods.length);
    for (const index of pods) await lab.serve(index, 8080);
    const deps = { commands: lab.commands, network };
    backend = mode === "nftables" ? createNftablesBackend(deps) : createIptablesBackend(deps);
  }, 60_000);
  afterAll(() => lab.destroy());

  test("the machine can do it", async () => {
    if (mode === "nftables") expect(await nftablesUnusable(lab.commands)).toBeUndefined();
    await serve([]);
  });

  test("a cluster IP reaches each of its pods, which see the asking pod's own address", async () => {
    await serve([frontend({ backends: backends(0, 1) })]);
    expect(await who(lab.pod(2), "10.43.0.7", 80)).toEqual([
      "10.42.0.2 10.42.0.4",
      "10.42.0.3 10.42.0.4",
    ]);
  });

  test("the node itself reaches a cluster IP", async () => {
    expect(await lab.ask(lab.node, "10.43.0.7", 80)).toMatch(/^10\.42\.0\.[23] 10\.42\.0\.1$/);
  });

  test("a pod reaches itself through its Service", async () => {
    await serve([frontend({ backends: backends(0) })]);
    expect(await lab.ask(lab.pod(0), "10.43.0.7", 80)).toBe("10.42.0.2 10.42.0.1");
  });

  test("a pod that leaves is asked no more, and one that comes is", async () => {
    await serve([frontend({ backends: backends(0, 1) })]);
    await serve([frontend({ backends: backends(1, 2) })]);
    expect(await who(lab.pod(0), "10.43.0.7", 80)).toEqual([
      "10.42.0.3 10.42.0.2",
      "10.42.0.4 10.42.0.2",
    ]);
  });

  test("a Service without pods refuses at once, and serves when they come", async () => {
    await serve([frontend({ backends: [] })]);
    expect(await lab.ask(lab.pod(2), "10.43.0.7", 80)).toBe("refused");
    expect(await lab.ask(lab.node, "10.43.0.7", 80)).toBe("refused");
    await serve([frontend({ backends: backends(0) })]);
    expect(await lab.ask(lab.pod(2), "10.43.0.7", 80)).toMatch(/^10\.42\.0\.2 /);
  });

  test("a node port is open to the outside, masked under policy Cluster and plain under Local", async () => {
    const nodePort = { kind: "node-port", address: "", port: 30_080 } as const;
    await serve([frontend({ ...nodePort, backends: backends(0), masquerade: true })]);
    expect(await lab.ask(lab.outside, "10.97.0.1", 30_080)).toBe("10.42.0.2 10.42.0.1");
    expect(await lab.ask(lab.node, "10.97.0.1", 30_080)).toMatch(/^10\.42\.0\.2 /);
    expect(await lab.ask(lab.pod(1), "10.97.0.1", 30_080)).toMatch(/^10\.42\.0\.2 /);
    await serve([frontend({ ...nodePort, backends: backends(0), masquerade: false })]);
    expect(await lab.ask(lab.outside, "10.97.0.1", 30_080)).toBe("10.42.0.2 10.97.0.9");
    await serve([frontend({ ...nodePort, backends: [], whenEmpty: "drop" })]);
    expect(await lab.ask(lab.outside, "10.97.0.1", 30_080)).toBe("timeout");
    await serve([frontend({ ...nodePort, backends: [], whenEmpty: "reject" })]);
    expect(await lab.ask(lab.outside, "10.97.0.1", 30_080)).toBe("refused");
  });

  test("session affinity keeps a client with its pod until that pod goes", async () => {
    const sticky = { affinitySeconds: 60, address: "10.43.0.8" };
    await serve([frontend({ ...sticky, backends: backends(0, 1, 2) })]);
    const [first = "", ...others] = await who(lab.outside, "10.43.0.8", 80, 12);
    expect(others).toEqual([]);
    const left = pods.filter((index) => !first.startsWith(`${lab.podAddress(index)} `));
    await serve([frontend({ ...sticky, backends: backends(...left) })]);
    const [second = "", ...more] = await who(lab.outside, "10.43.0.8", 80, 12);
    expect(more).toEqual([]);
    expect(second.split(" ")[0]).not.toBe(first.split(" ")[0]);
  });

  test("a proxy that is started again takes over what the last one left, beside the network's own rules", async () => {
    await applyEgress(
      lab.commands,
      mode,
      { podCidr: "10.42.0.0/24", clusterCidr: network.clusterCidr },
      signal,
    );
    await serve([frontend({ backends: backends(0) })]);
    const deps = { commands: lab.commands, network };
    backend = mode === "nftables" ? createNftablesBackend(deps) : createIptablesBackend(deps);
    await serve([frontend({ backends: backends(1) })]);
    expect(await who(lab.pod(2), "10.43.0.7", 80, 4)).toEqual(["10.42.0.3 10.42.0.4"]);
    expect(await backend.isInPlace(signal)).toBe(true);
  });

  test("rules that were flushed are missed", async () => {
    if (mode === "nftables") await lab.commands.run("nft", ["flush", "ruleset"]);
    else await lab.commands.run("iptables", ["-t", "nat", "-F", "PREROUTING"]);
    expect(await backend.isInPlace(signal)).toBe(false);
    backend.forget();
    await serve([frontend({ backends: backends(0) })]);
    expect(await lab.ask(lab.pod(2), "10.43.0.7", 80)).toMatch(/^10\.42\.0\.2 /);
    expect(await backend.isInPlace(signal)).toBe(true);
    await removeEgress(lab.commands);
  });

  test("an empty table serves nothing, and removal leaves no rule", async () => {
    await serve([]);
    expect(await lab.ask(lab.outside, "10.97.0.1", 30_080)).toBe("refused");
    await (mode === "nftables" ? removeNftables(lab.commands) : removeIptables(lab.commands));
    const { stdout: rules } = await lab.commands.run("nft", ["list", "ruleset"]);
    expect(rules).not.toMatch(/mini8s/i);
  });
});
