import {
  configMap,
  configMapsPath,
  expectStatus,
  podsPath,
  unscheduledPod,
  untilUsable,
} from "./api-objects.ts";
import { BenchServer } from "./bench-server.ts";
import { type Figure, median, percentile } from "./figure.ts";
import type { Http2Load } from "./http2-load.ts";
import { perSecond, repeated } from "./load.ts";
import { RawHttp2 } from "./raw-http2.ts";
import { sqliteRowsPerSecond } from "./raw-sqlite.ts";

const objectBytes = 3_000;
const inFlight = 64;
const runs = 3;
const writesPerRun = 4_000;
const readsPerRun = 10_000;
const sqliteMs = 1_000;

/** What one server answers in a second, of writes and reads, and how long others wait meanwhile. */
export async function measureRequests(): Promise<readonly Figure[]> {
  await using server = await BenchServer.start();
  using client = await server.connect();
  using prober = await server.connect();
  await untilUsable(client);
  await create(client, "warm", 1_000, inFlight);

  const single = median(await repeated(runs, (run) => create(client, `one-${run}`, 300, 1)));
  const probes: number[] = [];
  const many = median(
    await repeated(runs, (run) =>
      probing(prober, probes, () => create(client, `many-${run}`, writesPerRun, inFlight)),
    ),
  );
  const reads = median(await repeated(runs, () => get(client, `${configMapsPath}/warm-0`)));
  const pods = await perSecond(2_000, inFlight, async (index) => {
    await expectStatus(client.request("POST", podsPath, unscheduledPod(`pod-${index}`)), 201);
  });

  const patches: Figure[] = [];
  for (const [name, contentType, patchOf] of patchTypes) {
    const value = await perSecond(patchesPerType, inFlight, async (index) => {
      const path = `${configMapsPath}/warm-${index % 1_000}${contentType.includes("apply") ? "?fieldManager=bench&force=true" : ""}`;
      const body = Buffer.from(JSON.stringify(patchOf(index)));
      await expectStatus(client.request("PATCH", path, body, { contentType }), 200);
    });
    patches.push({ name: `${name}, 64 in flight`, unit: "/s", value, better: "more" });
  }

  const singleRows = await sqliteRowsPerSecond(1, objectBytes, sqliteMs);
  const groupRows = await sqliteRowsPerSecond(inFlight, objectBytes, sqliteMs);
  const rawReads = await rawGets();
  return [
    {
      name: "POST of a 3 kB ConfigMap, one at a time",
      unit: "/s",
      value: single,
      floor: { what: "SQLite, 1 row a commit", value: singleRows },
      better: "more",
    },
    {
      name: "POST of 3 kB ConfigMaps, 64 in flight",
      unit: "/s",
      value: many,
      floor: { what: "SQLite, 64 rows a commit", value: groupRows },
      budget: 7_000,
      better: "more",
    },
    { name: "POST of Pods, 64 in flight", unit: "/s", value: pods, budget: 3_500, better: "more" },
    ...patches,
    {
      name: "GET of a 3 kB ConfigMap, 64 in flight",
      unit: "/s",
      value: reads,
      floor: { what: "bare node:http2", value: rawReads },
      budget: 20_000,
      better: "more",
    },
    {
      name: "wait for /livez during those POSTs, longest",
      unit: "ms",
      value: Math.max(...probes),
      budget: 50,
      better: "less",
    },
    {
      name: "wait for /livez during those POSTs, p99",
      unit: "ms",
      value: percentile(probes, 0.99),
      better: "less",
    },
  ];
}

const patchesPerType = 2_000;
const patchTypes: readonly (readonly [string, string, (index: number) => unknown])[] = [
  [
    "PATCH, JSON patch",
    "application/json-patch+json",
    (index) => [{ op: "add", path: "/data/patched", value: String(index) }],
  ],
  [
    "PATCH, merge patch",
    "application/merge-patch+json",
    (index) => ({ data: { patched: `merge ${index}` } }),
  ],
  [
    "PATCH, strategic merge patch",
    "application/strategic-merge-patch+json",
    (index) => ({ data: { patched: `strategic ${index}` } }),
  ],
  [
    "PATCH, server-side apply",
    "application/apply-patch+yaml",
    (index) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `warm-${index % 1_000}` },
      data: { applied: String(index) },
    }),
  ],
];

function create(client: Http2Load, prefix: string, count: number, atOnce: number): Promise<number> {
  return perSecond(count, atOnce, async (index) => {
    const body = configMap(`${prefix}-${index}`, objectBytes);
    await expectStatus(client.request("POST", configMapsPath, body), 201);
  });
}

function get(client: Http2Load, path: string): Promise<number> {
  return perSecond(readsPerRun, inFlight, async () => {
    await expectStatus(client.request("GET", path), 200);
  });
}

async function rawGets(): Promise<number> {
  await using raw = await RawHttp2.start();
  using client = await raw.connect();
  return median(await repeated(runs, () => get(client, `/bytes/${objectBytes}`)));
}

/** Asks /livez every 5 ms while `work` lasts, and notes how long each answer took. */
async function probing<T>(
  prober: Http2Load,
  delaysMs: number[],
  work: () => Promise<T>,
): Promise<T> {
  const everyMs = 5;
  const timer = setInterval(() => {
    const asked = performance.now();
    prober.request("GET", "/livez").then(
      () => delaysMs.push(performance.now() - asked),
      () => delaysMs.push(Number.POSITIVE_INFINITY),
    );
  }, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
