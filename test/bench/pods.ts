import { containerdPaths } from "../../pkg/agent/containerd/paths.ts";
import { busyboxImage } from "../support/images.ts";
import { expectStatus, podOf, podsPath, untilUsable } from "./api-objects.ts";
import { BenchNode } from "./bench-node.ts";
import { clusterLock } from "./cluster-lock.ts";
import { type Figure, median } from "./figure.ts";
import type { Http2Load } from "./http2-load.ts";
import { PodWatch } from "./pod-watch.ts";
import { RawCri } from "./raw-cri.ts";

const single = 10;
const together = 30;
const rawInFlight = 8;
const image = "busybox:1";

/** From a pod's create to its Ready condition as a watcher is told of it, against the bare calls of its runtime. */
export async function measurePods(): Promise<readonly Figure[]> {
  using _ = await clusterLock();
  await using node = await BenchNode.start([await busyboxImage()]);
  const { client } = node;
  await untilUsable(client);
  using watch = await PodWatch.start(client);
  await using raw = await RawCri.open(containerdPaths(node.host.dataDir).socket, image);

  // The first of each pays for what all later ones find warm.
  await podMs(client, watch, "first");
  await raw.podMs("first");
  const podTimes: number[] = [];
  const rawTimes: number[] = [];
  for (let run = 0; run < single; run++) {
    await raw.quiet();
    podTimes.push(await podMs(client, watch, `one-${run}`));
    await raw.quiet();
    rawTimes.push(await raw.podMs(`one-${run}`));
  }
  await raw.removeAll();
  const rawTogetherMs = await raw.podsMs(together, rawInFlight);
  await raw.removeAll();
  await raw.quiet();
  const togetherMs = await podsMs(client, watch, together);
  await raw.quiet();

  const podP50 = median(podTimes);
  const rawP50 = median(rawTimes);
  return [
    {
      name: "one pod, create to Ready (p50 of 10)",
      unit: "ms",
      value: podP50,
      floor: { what: "the CRI calls alone", value: rawP50 },
      budget: rawP50 + 150,
      better: "less",
    },
    {
      name: `${together} pods at once, create to all Ready`,
      unit: "ms",
      value: togetherMs,
      floor: { what: `the CRI calls alone, ${rawInFlight} in flight`, value: rawTogetherMs },
      budget: rawTogetherMs * 1.6,
      better: "less",
    },
  ];
}

function body(name: string): Buffer {
  return podOf(name, {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [{ name: "sleep", image, imagePullPolicy: "Never", command: ["sleep", "3600"] }],
  });
}

async function podMs(client: Http2Load, watch: PodWatch, name: string): Promise<number> {
  const started = performance.now();
  const ready = watch.ready(name);
  await expectStatus(client.request("POST", podsPath, body(name)), 201);
  const ms = (await ready) - started;
  await remove(client, watch, name);
  return ms;
}

async function podsMs(client: Http2Load, watch: PodWatch, count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, index) => `many-${index}`);
  const started = performance.now();
  const ready = names.map((name) => watch.ready(name));
  await Promise.all(
    names.map((name) => expectStatus(client.request("POST", podsPath, body(name)), 201)),
  );
  const ms = Math.max(...(await Promise.all(ready))) - started;
  await Promise.all(names.map((name) => remove(client, watch, name)));
  return ms;
}

async function remove(client: Http2Load, watch: PodWatch, name: string): Promise<void> {
  const gone = watch.gone(name);
  await expectStatus(client.request("DELETE", `${podsPath}/${name}`), 200);
  await gone;
}
