import { mkdtemp, rm } from "node:fs/promises";
import { configMap, configMapsPath, expectStatus, untilUsable } from "./api-objects.ts";
import { BenchServer } from "./bench-server.ts";
import { type Figure, median } from "./figure.ts";
import type { Http2Load } from "./http2-load.ts";
import { perSecond, repeated } from "./load.ts";

const few = 1_000;
const many = 100_000;
const runs = 5;
const readsPerRun = 4_000;
const writesPerRun = 1_500;
const inFlight = 64;
const objectBytes = 400;

/** How much dearer a GET and a POST are beside 100,000 objects than beside 1,000, and how long a start is then. */
export async function measureGrowth(): Promise<readonly Figure[]> {
  const home = await mkdtemp("/var/tmp/mini8s-bench-");
  try {
    const figures = await grown(home);
    // The file is in the page cache: what is measured is reading it in.
    await using again = await BenchServer.start(home);
    const start: Figure = {
      name: "boot to readyz beside 110,000 objects",
      unit: "s",
      value: again.readyMs / 1_000,
      budget: 3,
      better: "less",
    };
    return [...figures, start];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function grown(home: string): Promise<readonly Figure[]> {
  await using server = await BenchServer.start(home);
  using client = await server.connect();
  await untilUsable(client);
  await create(client, "few", few);
  // What the first thousands of requests of a process cost says nothing of the objects.
  await rates(client, "unmeasured");
  const beside1k = await rates(client, "among-few");
  await create(client, "filling", many - few);
  const beside100k = await rates(client, "among-many");
  const figure = (verb: string, before: number, after: number): Figure => ({
    name: `${verb} beside 100,000 objects, against beside 1,000`,
    unit: "times the cost",
    value: before / after,
    budget: 1.2,
    better: "less",
  });
  return [
    figure("GET", beside1k.reads, beside100k.reads),
    figure("POST", beside1k.writes, beside100k.writes),
  ];
}

async function rates(
  client: Http2Load,
  prefix: string,
): Promise<{ readonly reads: number; readonly writes: number }> {
  const writes = await repeated(runs, (run) => create(client, `${prefix}-${run}`, writesPerRun));
  const reads = await repeated(runs, () =>
    perSecond(readsPerRun, inFlight, async (index) => {
      await expectStatus(client.request("GET", `${configMapsPath}/few-${index % few}`), 200);
    }),
  );
  return { reads: median(reads), writes: median(writes) };
}

function create(client: Http2Load, prefix: string, count: number): Promise<number> {
  return perSecond(count, inFlight, async (index) => {
    const body = configMap(`${prefix}-${index}`, objectBytes);
    await expectStatus(client.request("POST", configMapsPath, body), 201);
  });
}
