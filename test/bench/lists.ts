import { expectStatus, podsPath, unscheduledPod, untilUsable } from "./api-objects.ts";
import { BenchServer } from "./bench-server.ts";
import { type Figure, median } from "./figure.ts";
import type { Http2Load } from "./http2-load.ts";
import { perSecond, repeated } from "./load.ts";
import { processStats } from "./process-stats.ts";
import { RawHttp2 } from "./raw-http2.ts";

const pods = 10_000;
const runs = 9;
const partBytes = 64 * 1024;

/** How long one list of everything takes, from request to its last byte. */
export async function measureLists(): Promise<readonly Figure[]> {
  await using server = await BenchServer.start();
  using client = await server.connect();
  await untilUsable(client);
  const beforeMb = processStats(server.pid).rssMb;
  await perSecond(pods, 64, async (index) => {
    await expectStatus(client.request("POST", podsPath, unscheduledPod(`pod-${index}`)), 201);
  });
  const podsMb = processStats(server.pid).rssMb - beforeMb;
  const { body } = await expectStatus(client.request("GET", podsPath), 200);
  const value = median(await repeated(runs, () => elapsed(client, podsPath)));
  const page = median(await repeated(runs, () => elapsed(client, `${podsPath}?limit=500`)));
  const table = median(await repeated(runs, () => elapsed(client, podsPath, tables)));
  const protobuf = median(await repeated(runs, () => elapsed(client, podsPath, protobufs)));
  await using raw = await RawHttp2.start();
  using rawClient = await raw.connect();
  const path = `/parts/${Math.ceil(body.length / partBytes)}/${partBytes}`;
  const floor = median(await repeated(runs, () => elapsed(rawClient, path)));
  const megabytes = (body.length / 1e6).toFixed(0);
  return [
    {
      name: `LIST of 10,000 Pods (${megabytes} MB)`,
      unit: "ms",
      value,
      floor: { what: "bare node:http2 writes as much out of ready buffers", value: floor },
      budget: 35,
      better: "less",
    },
    {
      name: "memory per 1,000 Pods, of 10,000 just made",
      unit: "MB",
      value: podsMb / (pods / 1_000),
      budget: 8,
      better: "less",
    },
    { name: "LIST of 500 of them", unit: "ms", value: page, budget: 2.5, better: "less" },
    {
      name: "LIST of all of them as a Table",
      unit: "ms",
      value: table,
      budget: 3 * value,
      better: "less",
    },
    {
      name: "LIST of all of them in protobuf",
      unit: "ms",
      value: protobuf,
      budget: 3 * value,
      better: "less",
    },
  ];
}

const tables = "application/json;as=Table;v=v1;g=meta.k8s.io";
const protobufs = "application/vnd.kubernetes.protobuf";

async function elapsed(client: Http2Load, path: string, accept?: string): Promise<number> {
  const started = performance.now();
  const types = accept === undefined ? {} : { accept };
  await expectStatus(client.request("GET", path, undefined, types), 200);
  return performance.now() - started;
}
