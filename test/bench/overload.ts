import { configMap, configMapsPath, expectStatus, untilUsable } from "./api-objects.ts";
import { BenchServer } from "./bench-server.ts";
import { type Figure, percentile } from "./figure.ts";
import { perSecond } from "./load.ts";
import { MemoryCgroup } from "./memory-cgroup.ts";
import { accountOf } from "./service-account.ts";

const objects = 10_000;
const objectBytes = 1_000;
const idleWatches = 10_000;
const slowWatches = 1_000;
const lists = 5_000;
const listConnections = 20;
const perConnection = 500;
const budgetMb = 512;
/** What there is: whoever wants more is killed. */
const memoryBytes = budgetMb * 1024 * 1024;

/** Many more watches and lists than there is memory for all at once, and one client that behaves. */
export async function measureOverload(): Promise<readonly Figure[]> {
  using memory = new MemoryCgroup(`mini8s-bench-${process.pid}`, memoryBytes);
  await using server = await BenchServer.start(undefined, memory);
  using client = await server.connect();
  await untilUsable(client);
  await perSecond(objects, 64, async (index) => {
    const body = configMap(`map-${index}`, objectBytes);
    await expectStatus(client.request("POST", configMapsPath, body), 201);
  });
  const crowd = await accountOf(client, "crowd");
  using connections = new DisposableStack();
  for (let opened = 0; opened < idleWatches; opened += perConnection) {
    const connection = connections.use(await server.connect());
    for (let index = 0; index < perConnection; index++) {
      const name = `metadata.name%3Dnobody-${opened + index}`;
      connection.watch(`${configMapsPath}?watch=1&fieldSelector=${name}`, () => {});
    }
    await connection.request("GET", "/livez");
  }
  for (let opened = 0; opened < slowWatches; opened += 10) {
    const connection = connections.use(await server.connect());
    for (let index = 0; index < 10; index++) {
      connection.watch(`${configMapsPath}?watch=1`, () => connection.stall());
    }
  }
  const statuses = new Map<number, number>();
  const waitsMs: number[] = [];
  let isOver = false;
  const storm = Promise.all(
    Array.from({ length: listConnections }, async () => {
      const connection = connections.use(await server.connect(crowd));
      await Promise.all(
        Array.from({ length: lists / listConnections }, async () => {
          const { status } = await connection.discard("GET", configMapsPath);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }),
      );
    }),
  ).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const asked = performance.now();
    await expectStatus(client.request("GET", `${configMapsPath}/map-${waitsMs.length}`), 200);
    waitsMs.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await storm;
  const share = ((statuses.get(429) ?? 0) / lists) * 100;
  return [
    {
      name: "overload: memory of the server, at most",
      unit: "MB",
      value: memory.peakBytes / 1024 / 1024,
      budget: budgetMb,
      better: "less",
    },
    {
      name: "overload: wait of one who behaves for a GET, p99",
      unit: "ms",
      value: percentile(waitsMs, 0.99),
      budget: 200,
      better: "less",
    },
    { name: "overload: lists told to come again", unit: "%", value: share, better: "less" },
    {
      name: "overload: killed for want of memory",
      unit: "times",
      value: memory.killed,
      budget: 0,
      better: "less",
    },
  ];
}
