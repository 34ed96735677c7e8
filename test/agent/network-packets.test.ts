import { afterAll, beforeAll, expect, test } from "vitest";
import { letPodsThrough, removeForwarding } from "../../pkg/agent/network/forwarding.ts";
import { Overlay } from "../../pkg/agent/network/overlay.ts";
import { type OverlayPeer, tunnelMac } from "../../pkg/agent/network/plan-overlay.ts";
import { PacketLab } from "../support/packet-lab.ts";

const ranges = { clusterCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16" };
const signal = new AbortController().signal;
let lab: PacketLab;

beforeAll(async () => {
  lab = await PacketLab.create(1);
  await lab.serve(0, 8080);
}, 60_000);
afterAll(() => lab.destroy());

test("pods pass a firewall that forwards nothing, as Docker leaves it", async () => {
  const ask = () => lab.ask(lab.outside, lab.podAddress(0), 8080);
  expect(await letPodsThrough(lab.commands, ranges, signal)).toBe("in place");
  await lab.commands.run("iptables", ["-P", "FORWARD", "DROP"]);
  expect(await ask()).toBe("timeout");
  expect(await letPodsThrough(lab.commands, ranges, signal)).toBe("made");
  expect(await ask()).toBe("10.42.0.2 10.97.0.9");
  expect(await letPodsThrough(lab.commands, ranges, signal)).toBe("in place");
  await removeForwarding(lab.commands);
  expect((await lab.commands.run("iptables", ["-S"])).stdout).not.toContain("MINI8S");
});

test("the kernel's routes follow the nodes, over a restart and over what was taken away by hand", async () => {
  const peer = (index: number): OverlayPeer => ({
    podCidr: `10.42.${index}.0/24`,
    nodeAddress: `10.97.0.${index}`,
    gateway: `10.42.${index}.0`,
    mac: tunnelMac(`10.97.0.${index}`),
  });
  const tunnel = { localAddress: "10.97.0.1", address: "10.42.0.0", mac: tunnelMac("10.97.0.1") };
  const routes = async () =>
    (await lab.commands.run("ip", ["route", "show", "proto", "98"])).stdout.match(/^\S+/gm) ?? [];
  const ends = async () =>
    (await lab.commands.run("bridge", ["fdb", "show", "dev", "flannel.1"])).stdout.match(
      /10\.97\.0\.\d+/g,
    ) ?? [];
  const first = new Overlay(lab.commands, "vxlan");
  await first.apply({ tunnel, peers: [peer(2), peer(3)] }, "eth0", 1450, signal);
  expect(await routes()).toEqual(["10.42.2.0/24", "10.42.3.0/24"]);
  const second = new Overlay(lab.commands, "vxlan");
  await second.apply({ tunnel, peers: [peer(3)] }, "eth0", 1450, signal);
  expect(await routes()).toEqual(["10.42.3.0/24"]);
  expect(await ends()).toEqual(["10.97.0.3"]);
  await lab.commands.run("ip", ["link", "del", "flannel.1"]);
  await second.apply({ tunnel, peers: [peer(4)] }, "eth0", 1450, signal);
  expect(await routes()).toEqual(["10.42.4.0/24"]);
  const plain = new Overlay(lab.commands, "host-gw");
  await plain.apply({ tunnel: undefined, peers: [peer(5)] }, "eth0", 1450, signal);
  expect(await routes()).toEqual(["10.42.5.0/24"]);
});
