import { expect, test } from "vitest";
import { ManualClock, settle } from "../../../test/support/manual-clock.ts";
import type { Service } from "../../api/generated/core-v1.generated.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";
import { silentLogger } from "../../base/log.ts";
import type { InformerEvent } from "../../client/informer.ts";
import { InformerCache } from "../../client/informer-cache.ts";
import type { Commands } from "../host/exec.ts";
import { createProxy } from "./proxy.ts";
import type { ProxyBackend } from "./proxy-backend.ts";

function service(resourceVersion: string, port: number): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "web",
      namespace: "shop",
      uid: "u",
      resourceVersion,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: {
      type: "ClusterIP",
      clusterIP: "10.43.0.7",
      clusterIPs: ["10.43.0.7"],
      ports: [{ protocol: "TCP", port, targetPort: 8080 }],
    },
    status: { loadBalancer: {} },
  };
}

/** A proxy whose kernel is a list: each entry the ports that were served from then on. */
function run() {
  const clock = new ManualClock();
  const services = new InformerCache<Service>();
  const slices = new InformerCache<EndpointSlice>();
  const informer = <T extends Service | EndpointSlice>(cache: InformerCache<T>) => ({
    get: (key: string) => cache.get(key),
    list: (namespace?: string) => cache.list(namespace),
    ownedBy: (uid: string) => cache.ownedBy(uid),
    subscribe: (handler: (event: InformerEvent<T>) => void) => cache.subscribe(handler),
    synced: (signal: AbortSignal) => cache.synced(signal),
    caughtUp: (version: string, signal: AbortSignal) => cache.caughtUp(version, signal),
    run: () => Promise.resolve(),
  });
  const kernel = { applied: [] as number[][], failures: 0, flushed: false, forgotten: 0 };
  const backend: ProxyBackend = {
    mode: "nftables",
    apply(table) {
      if (kernel.failures > 0) {
        kernel.failures--;
        return Promise.reject(new Error("nft: no"));
      }
      kernel.flushed = false;
      kernel.applied.push(table.map(({ port }) => port));
      return Promise.resolve();
    },
    isInPlace: () => Promise.resolve(!kernel.flushed),
    forget: () => {
      kernel.forgotten++;
    },
  };
  const attempt: Commands["attempt"] = () => Promise.reject(new Error("nothing is UDP here"));
  const stop = new AbortController();
  const proxy = createProxy({
    services: informer(services),
    slices: informer(slices),
    backend,
    commands: { attempt } as Commands,
    nodeName: "node-1",
    answeredHere: new Set(),
    clock,
    logger: silentLogger,
  });
  return { clock, services, slices, kernel, stop, running: proxy.run(stop.signal) };
}

test("nothing is programmed from half a list, and changes that come together are applied together", async () => {
  const { clock, services, slices, kernel, stop, running } = run();
  services.replace([service("1", 80)], "1");
  await settle();
  expect(kernel.applied).toEqual([]);
  slices.replace([], "1");
  await settle();
  expect(kernel.applied).toEqual([[80]]);
  services.set(service("2", 81));
  services.set(service("3", 82));
  await clock.advance(10);
  expect(kernel.applied).toEqual([[80], [82]]);
  stop.abort();
  await running;
});

test("a failure is tried again after a while though nothing changed", async () => {
  const { clock, services, slices, kernel, stop, running } = run();
  kernel.failures = 2;
  services.replace([service("1", 80)], "1");
  slices.replace([], "1");
  await clock.advance(1_000 + 10);
  expect(kernel.applied).toEqual([]);
  await clock.advance(1_000 + 10);
  expect(kernel.applied).toEqual([[80]]);
  stop.abort();
  await running;
});

test("rules that a restarted firewall flushed are made anew though no Service changed", async () => {
  const { clock, services, slices, kernel, stop, running } = run();
  services.replace([service("1", 80)], "1");
  slices.replace([], "1");
  await clock.advance(60_000);
  expect(kernel).toMatchObject({ applied: [[80]], forgotten: 0 });
  kernel.flushed = true;
  await clock.advance(31_000);
  expect(kernel).toMatchObject({ applied: [[80], [80]], forgotten: 1 });
  stop.abort();
  await running;
});
