import { configMapsPath, expectStatus, untilUsable } from "./api-objects.ts";
import { BenchServer } from "./bench-server.ts";
import { type Figure, median } from "./figure.ts";
import type { Http2Load } from "./http2-load.ts";
import { perSecond, repeated } from "./load.ts";

const objects = 10_000;
const inFlight = 64;
const runs = 5;
const readyTimeoutMs = 15_000;
const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const customPath = "/apis/bench.example.com/v1/namespaces/default/settings";

/** What 10,000 objects of a custom kind cost, beside as many ConfigMaps of the same size. */
export async function measureCustomResources(): Promise<readonly Figure[]> {
  const custom = await measure(customPath, setting);
  const builtIn = await measure(configMapsPath, configMap);
  const of = (what: string, unit: string, better: Figure["better"], figure: keyof Costs) => ({
    name: `custom resources: ${what}`,
    unit,
    value: custom[figure],
    floor: { what: "ConfigMaps", value: builtIn[figure] },
    better,
  });
  return [
    of("POST, 64 in flight", "/s", "more", "creates"),
    of("LIST of 10,000", "ms", "less", "listMs"),
    of("from a POST to its event, 10,000 of them", "/s", "more", "watched"),
  ];
}

interface Costs {
  readonly creates: number;
  readonly listMs: number;
  readonly watched: number;
}

async function measure(path: string, make: (name: string) => object): Promise<Costs> {
  await using server = await BenchServer.start();
  using client = await server.connect();
  using watcher = await server.connect();
  await untilUsable(client);
  await define(client);
  let events = 0;
  let told = () => {};
  const all = new Promise<void>((resolve) => {
    told = resolve;
  });
  watcher.watch(`${path}?watch=true&labelSelector=counted`, (chunk) => {
    for (const byte of chunk) if (byte === 0x0a) events += 1;
    if (events === objects) told();
  });
  const started = performance.now();
  const creates = await perSecond(objects, inFlight, async (index) => {
    const body = Buffer.from(JSON.stringify(make(`o-${index}`)));
    await expectStatus(client.request("POST", path, body), 201);
  });
  await all;
  const watched = objects / ((performance.now() - started) / 1_000);
  const listMs = median(await repeated(runs, () => elapsed(client, path)));
  return { creates, listMs, watched };
}

async function elapsed(client: Http2Load, path: string): Promise<number> {
  const started = performance.now();
  await expectStatus(client.request("GET", path), 200);
  return performance.now() - started;
}

async function define(client: Http2Load): Promise<void> {
  const text = { type: "string", maxLength: 500, pattern: "^[a-z0-9-]*$" };
  const properties = { data: { type: "object", additionalProperties: text } };
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "settings.bench.example.com" },
    spec: {
      group: "bench.example.com",
      scope: "Namespaced",
      names: { plural: "settings", kind: "Setting" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties } },
        },
      ],
    },
  };
  const body = Buffer.from(JSON.stringify(definition));
  await expectStatus(client.request("POST", definitionsPath, body), 201);
  const deadline = performance.now() + readyTimeoutMs;
  while ((await client.request("GET", customPath)).status !== 200) {
    if (performance.now() > deadline) throw new Error("the custom kind is not served");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const data = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => [`key-${index}`, "x".repeat(80)]),
);

function setting(name: string): object {
  const metadata = { name, labels: { counted: "yes" } };
  return { apiVersion: "bench.example.com/v1", kind: "Setting", metadata, data };
}

function configMap(name: string): object {
  const metadata = { name, labels: { counted: "yes" } };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data };
}
