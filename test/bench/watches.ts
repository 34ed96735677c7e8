import { configMap, configMapsPath, expectStatus, untilUsable } from "./api-objects.ts";
import { BenchServer } from "./bench-server.ts";
import { type Figure, median } from "./figure.ts";
import type { Http2Load } from "./http2-load.ts";
import { perSecond, repeated } from "./load.ts";
import { processStats } from "./process-stats.ts";
import { RawHttp2 } from "./raw-http2.ts";

const watchers = 1_000;
const watchersPerConnection = 500;
const updates = 100;
const runs = 3;
const objectBytes = 800;
const openTimeoutMs = 20_000;

/** How many events a second reach 1,000 watchers of one object that changes. */
export async function measureWatches(): Promise<readonly Figure[]> {
  await using server = await BenchServer.start();
  using writer = await server.connect();
  await untilUsable(writer);
  await expectStatus(writer.request("POST", configMapsPath, watched("new")), 201);
  const path = `${configMapsPath}/watched`;
  const value = await deliveries({
    connect: () => server.connect(),
    watchPath: `${configMapsPath}?watch=true&fieldSelector=metadata.name%3Dwatched`,
    eventsAtOnce: 1,
    change: (index) => expectStatus(writer.request("PUT", path, watched(String(index))), 200),
  });
  const idle = await idleWatches(server);
  const namespacedMs = await namespacedWatches(server, writer);
  await using raw = await RawHttp2.start();
  using teller = await raw.connect();
  const floor = await deliveries({
    connect: () => raw.connect(),
    watchPath: "/watch",
    eventsAtOnce: 0,
    change: () => expectStatus(teller.request("POST", "/tell/1100", Buffer.from("{}")), 200),
  });
  return [
    {
      name: "events to 1,000 watchers of one object",
      unit: "/s",
      value,
      floor: { what: "bare node:http2 writes one buffer to 1,000 streams", value: floor },
      budget: 200_000,
      better: "more",
    },
    {
      name: "memory of 10,000 idle watches",
      unit: "MB",
      value: idle.memoryMb,
      budget: 100,
      better: "less",
    },
    { name: "10,000 watches opened", unit: "ms", value: idle.openedMs, better: "less" },
    {
      name: "1,000 namespaced watches opened beside 24,000 objects of others",
      unit: "ms",
      value: namespacedMs,
      budget: 500,
      better: "less",
    },
  ];
}

function watched(text: string): Buffer {
  const metadata = { name: "watched" };
  const data = { text: text.padEnd(objectBytes, ".") };
  return Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data }));
}

const idleCount = 10_000;

async function idleWatches(
  server: BenchServer,
): Promise<{ readonly memoryMb: number; readonly openedMs: number }> {
  using connections = new DisposableStack();
  const before = processStats(server.pid).rssMb;
  const started = performance.now();
  for (let opened = 0; opened < idleCount; opened += watchersPerConnection) {
    const connection = connections.use(await server.connect());
    for (let index = 0; index < watchersPerConnection; index++) {
      const name = `metadata.name%3Dnobody-${opened + index}`;
      connection.watch(`${configMapsPath}?watch=true&fieldSelector=${name}`, () => {});
    }
    await connection.request("GET", "/livez");
  }
  const openedMs = performance.now() - started;
  return { memoryMb: processStats(server.pid).rssMb - before, openedMs };
}

const foreignObjects = 24_000;
const namespacedCount = 1_000;

/** Until each of 1,000 watchers, who ask for what is there, has been told of the one object that it may see. */
async function namespacedWatches(server: BenchServer, writer: Http2Load): Promise<number> {
  await perSecond(foreignObjects, 64, async (index) => {
    const body = configMap(`foreign-${index}`, objectBytes);
    await expectStatus(writer.request("POST", configMapsPath, body), 201);
  });
  const path = "/api/v1/namespaces";
  await perSecond(namespacedCount, 64, async (index) => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: `own-${index}` } };
    const sent = Buffer.from(JSON.stringify(namespace));
    await expectStatus(writer.request("POST", path, sent), 201);
    const own = configMap("own", objectBytes);
    await expectStatus(writer.request("POST", `${path}/own-${index}/configmaps`, own), 201);
  });
  using connections = new DisposableStack();
  const received = new Counter();
  const started = performance.now();
  for (let opened = 0; opened < namespacedCount; opened += watchersPerConnection) {
    const connection = connections.use(await server.connect());
    for (let index = opened; index < opened + watchersPerConnection; index++) {
      const selector = "fieldSelector=metadata.name%3Down";
      connection.watch(`${path}/own-${index}/configmaps?watch=true&${selector}`, (chunk) =>
        received.add(lines(chunk)),
      );
    }
  }
  await received.reaches(namespacedCount);
  return performance.now() - started;
}

interface Delivery {
  connect(): Promise<Http2Load>;
  readonly watchPath: string;
  /** What each watcher is told when it begins. */
  readonly eventsAtOnce: number;
  change(index: number): Promise<unknown>;
}

async function deliveries({ connect, watchPath, eventsAtOnce, change }: Delivery): Promise<number> {
  using connections = new DisposableStack();
  const received = new Counter();
  for (let opened = 0; opened < watchers; opened += watchersPerConnection) {
    const connection = connections.use(await connect());
    for (let index = 0; index < watchersPerConnection; index++)
      connection.watch(watchPath, (chunk) => received.add(lines(chunk)));
    // Answered after them: they have begun.
    await connection.request("GET", "/livez");
  }
  await received.reaches(watchers * eventsAtOnce);
  const rates = await repeated(runs, async (run) => {
    received.count = 0;
    const started = performance.now();
    // Two, so that one is on its way while the other is told.
    await perSecond(updates, 2, async (index) => void (await change(run * updates + index)));
    await received.reaches(watchers * updates);
    return (watchers * updates) / ((performance.now() - started) / 1_000);
  });
  return median(rates);
}

class Counter {
  count = 0;
  #awaited = Number.POSITIVE_INFINITY;
  #reached: (() => void) | undefined;

  add(more: number): void {
    this.count += more;
    if (this.count >= this.#awaited) this.#reached?.();
  }

  async reaches(count: number): Promise<void> {
    if (this.count >= count) return;
    await new Promise<void>((resolve, reject) => {
      const late = () =>
        reject(new Error(`${this.count} events of ${count} came within ${openTimeoutMs} ms`));
      const timer = setTimeout(late, openTimeoutMs);
      this.#awaited = count;
      this.#reached = () => {
        clearTimeout(timer);
        this.#awaited = Number.POSITIVE_INFINITY;
        resolve();
      };
    });
  }
}

function lines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++;
  return count;
}
