import { expect, test } from "vitest";
import { cpuWeight } from "./cgroups.ts";
import { defaultInterface } from "./machine.ts";

test("the default route with the least metric names the interface", () => {
  const header = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";
  const wifi = "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0";
  const wire = "eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0";
  const local = "br0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
  expect(defaultInterface([header, wifi, wire, local].join("\n"))).toBe("eth0");
  expect(defaultInterface([header, local].join("\n"))).toBeUndefined();
});

test("shares of cgroup v1 become weights of v2", () => {
  expect([2, 1024, 262_144].map(cpuWeight)).toEqual([1, 39, 10_000]);
});
