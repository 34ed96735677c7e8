import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { expect, test } from "vitest";
import { allowEverything } from "./allow-everything.ts";
import { type Answer, type ApiWorld, ask, startApiWorld } from "./api-world.ts";

const objects = 300;
const objectBytes = 2_000;
const idleWatches = 500;
const slowWatches = 50;
const lists = 500;
const configMaps = "/api/v1/namespaces/default/configmaps";

function configMap(name: string): object {
  const data = { text: "x".repeat(objectBytes) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

/** A watch whose client reads nothing. */
function unread(world: ApiWorld, session = world.session()): ClientHttp2Stream {
  const stream = session.request({ ":path": `${configMaps}?watch=1` });
  stream.on("error", () => {});
  return stream;
}

async function all(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

test("a crowd of watchers and of those who list everything costs others neither answers nor much time", async () => {
  await using world = await startApiWorld();
  await allowEverything(world, "crowd");
  const crowd = world.certificateFor("crowd", []);
  await all(objects, (index) =>
    world.request("POST", configMaps, { body: configMap(`map-${index}`) }),
  );
  const idle = world.session(crowd);
  await all(idleWatches, async (index) => {
    const path = `${configMaps}?watch=1&resourceVersion=1&fieldSelector=metadata.name%3Dno-${index}`;
    const stream = idle.request({ ":path": path });
    stream.on("error", () => {});
    await once(stream, "response");
  });
  const slow = Array.from({ length: slowWatches }, () => unread(world));
  await all(slowWatches, async (index) => {
    const stream = slow[index];
    if (stream !== undefined) await once(stream, "response");
  });

  // The crowd asks for everything at once; meanwhile somebody asks for one object after the other.
  const session = world.session(crowd);
  let isOver = false;
  const answers: Promise<Answer>[] = Array.from({ length: lists }, () =>
    ask(session, "GET", configMaps),
  );
  const listed = Promise.all(answers).finally(() => {
    isOver = true;
  });
  const waitsMs: number[] = [];
  while (!isOver) {
    const startedMs = performance.now();
    const { status } = await world.request("GET", `${configMaps}/map-${waitsMs.length % objects}`);
    waitsMs.push(performance.now() - startedMs);
    expect(status).toBe(200);
  }
  const statuses = (await listed).map(({ status }) => status);
  for (const { status, headers, json } of await listed) {
    if (status === 200) expect(json.items).toHaveLength(objects);
    else {
      expect(status).toBe(429);
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    }
  }
  // Six queues of fifty, and some seats: that many wait their turn, if not for too long, and the others come again.
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(100);
  expect(statuses).toContain(429);
  // The clients are in this very process, which unpacks a gigabyte meanwhile.
  const sorted = waitsMs.toSorted((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length * 0.99)]).toBeLessThan(1_000);
}, 60_000);

test("a watcher that does not read is let go of once it lags too far, and others hear of everything", async () => {
  await using world = await startApiWorld();
  const slow = unread(world);
  await once(slow, "response");
  const closed = once(slow, "close");
  let heard = 0;
  const reading = world.session().request({ ":path": `${configMaps}?watch=1` });
  reading.on("error", () => {});
  reading.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1").split("\n").length - 1;
  });
  const changes = 5_000;
  for (let index = 0; index < changes; index += 50) {
    await all(50, (at) =>
      world.request("POST", configMaps, { body: configMap(`m-${index + at}`) }),
    );
  }
  slow.resume();
  await closed;
  await expect.poll(() => heard, { timeout: 10_000 }).toBe(changes);
}, 60_000);
