import { expect, test } from "vitest";
import { CommandError, type Commands } from "../host/exec.ts";
import type { Frontend, ServiceTable } from "./service-table.ts";
import { forgetFlows, staleUdpFlows } from "./udp-flows.ts";

function udp(addresses: readonly string[], rest: Partial<Frontend> = {}): ServiceTable {
  return [
    {
      kind: "address",
      address: "10.43.0.7",
      protocol: "udp",
      port: 53,
      service: "shop/dns:dns",
      backends: addresses.map((address) => ({ address, port: 5353 })),
      affinitySeconds: 0,
      masquerade: false,
      whenEmpty: "reject",
      ...rest,
    },
  ];
}
const way = ["--orig-dst", "10.43.0.7", "--orig-port-dst", "53"];

test("flows to a pod that is gone are forgotten, those to the pods that stay are not", () => {
  expect(staleUdpFlows(udp(["10.42.0.3", "10.42.0.4"]), udp(["10.42.0.4"]))).toEqual([
    [...way, "--dst-nat", "10.42.0.3"],
  ]);
  expect(staleUdpFlows(udp(["10.42.0.3"]), [])).toEqual([[...way, "--dst-nat", "10.42.0.3"]]);
});

test("a node port has the node's addresses: its flows are told by the port", () => {
  const nodePort = { kind: "node-port", address: "", port: 30_053 } as const;
  expect(staleUdpFlows(udp(["10.42.0.3"], nodePort), udp([], nodePort))).toEqual([
    ["--orig-port-dst", "30053", "--dst-nat", "10.42.0.3"],
  ]);
});

test("a client that asked before anybody answered is not left with its untranslated flow", () => {
  const untranslated = [[...way, "--reply-src", "10.43.0.7"]];
  expect(staleUdpFlows([], udp(["10.42.0.3"]))).toEqual(untranslated);
  expect(staleUdpFlows(udp([]), udp(["10.42.0.3"]))).toEqual(untranslated);
  expect(staleUdpFlows(udp(["10.42.0.3"]), udp(["10.42.0.3", "10.42.0.4"]))).toEqual([]);
});

test("TCP flows end by themselves", () => {
  expect(staleUdpFlows(udp(["10.42.0.3"], { protocol: "tcp" }), [])).toEqual([]);
});

test("a machine without conntrack is told of, and is no failure that is tried again for ever", async () => {
  const attempt: Commands["attempt"] = () =>
    Promise.reject(new CommandError("conntrack: none", { exitCode: undefined, missing: true }));
  const commands = { attempt, run: attempt } as Commands;
  const signal = new AbortController().signal;
  expect(await forgetFlows(commands, [["--orig-dst", "10.43.0.7"]], signal)).toBe(false);
  expect(await forgetFlows(commands, [], signal)).toBe(true);
});
