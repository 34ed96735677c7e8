import { expectStatus, podsPath, unscheduledPod, untilUsable } from "./api-objects.ts";
import { BenchServer } from "./bench-server.ts";
import { type Figure, median } from "./figure.ts";
import type { Http2Load } from "./http2-load.ts";
import { perSecond, repeated } from "./load.ts";
import { RawHttp2 } from "./raw-http2.ts";

const pods = 10_000;
const runs = 9;
const partBytes = 64 * 1024;

/** How long one list of everything takes, from request to its last byte. */
export async function measureLists(): Promise<readonly Figure[]> {
  await using server = await BenchServer.start();
  using client = await server.connect();
  await untilUsable(client);
  await perSecond(pods, 64, async (index) => {
    await expectStatus(client.request("POST", podsPath, unscheduledPod(`pod-${index}`)), 201);
  });
  const { body } = await expectStatus(client.request("GET", podsPath), 200);
  const value = median(await repeated(runs, () => elapsed(client, podsPath)));
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
      budget: 60,
      better: "less",
    },
  ];
}

async function elapsed(client: Http2Load, path: string): Promise<number> {
  const started = performance.now();
  await expectStatus(client.request("GET", path), 200);
  return performance.now() - started;
}
