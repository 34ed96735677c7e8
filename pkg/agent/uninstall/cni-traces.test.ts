import { expect, test } from "vitest";
import { readCniTrace } from "./cni-traces.ts";

const ipamDir = "/var/lib/mini8s/agent/cni/networks";
const cached = (config: unknown, sandbox: string) =>
  JSON.stringify({
    kind: "cniCacheV1",
    containerId: "a1",
    config: Buffer.from(JSON.stringify(config)).toString("base64"),
    ifName: "eth0",
    networkName: "mini8s",
    result: { interfaces: [{ name: "cni0" }, { name: "eth0", sandbox }] },
  });

test("an attachment is ours when its addresses come out of our folder", () => {
  const config = { name: "mini8s", plugins: [{ type: "bridge", ipam: { dataDir: ipamDir } }] };
  expect(readCniTrace("f", cached(config, "/var/run/netns/cni-1"), ipamDir)).toEqual({
    file: "f",
    containerId: "a1",
    ours: true,
    namespace: "cni-1",
  });
});

test("another instance's network of the same name is not ours, even in a folder that begins alike", () => {
  const config = { name: "mini8s", plugins: [{ ipam: { dataDir: `${ipamDir}2` } }] };
  expect(readCniTrace("f", cached(config, "/var/run/netns/cni-2"), ipamDir)?.ours).toBe(false);
});

test("what is no cached result is left alone", () => {
  expect(readCniTrace("f", '{"kind":', ipamDir)).toBeUndefined();
  expect(readCniTrace("f", "{}", ipamDir)).toBeUndefined();
});
