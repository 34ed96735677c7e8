import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Datastore, Durability, Revision, StoreEvent } from "../../pkg/datastore/datastore.ts";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import { bytes, eventsUntil, keysOf, text } from "./datastore-conformance.ts";

const threadModule = new URL("../../pkg/datastore/sqlite/thread.ts", import.meta.url);

const durability = fc.constantFrom("durable" as const, "lazy" as const, "at-close" as const);
const key = fc.constantFrom("1", "2", "3");
/** A segment of keys that are always durable, and one where each write is as it comes. */
const write = fc.oneof(
  fc.record({
    do: fc.constant("write" as const),
    key,
    segment: fc.constant("durable/"),
    durability: fc.constant("durable" as const),
    remove: fc.boolean(),
  }),
  fc.record({
    do: fc.constant("write" as const),
    key,
    segment: fc.constant("lazy/"),
    durability,
    remove: fc.boolean(),
  }),
);
const restart = fc.record({ do: fc.constantFrom("close" as const, "crash" as const) });
const steps = fc.array(
  fc.oneof({ weight: 10, arbitrary: write }, { weight: 1, arbitrary: restart }),
  {
    minLength: 10,
    maxLength: 80,
  },
);

/** A store, the thread to take away from it, and all that was ever acknowledged. */
interface World {
  readonly file: string;
  opened: { readonly store: Datastore; readonly thread: Worker | undefined };
  /** Every state of a key since the last that is sure to be on the disk; the last one is the present. */
  readonly states: Map<string, (string | undefined)[]>;
  readonly durableEvents: StoreEvent[];
  lastRevision: Revision;
  /** The revision at the latest opening. */
  openedAt: Revision;
  writes: number;
  anyLazy: boolean;
}

async function openFile(file: string): Promise<World["opened"]> {
  let thread: Worker | undefined;
  const store = await openSqliteDatastore({
    file,
    startThread(data) {
      thread = new Worker(threadModule, { workerData: data });
      return thread;
    },
  });
  return { store, thread };
}

async function change(
  world: World,
  key: string,
  durability: Durability,
  remove: boolean,
): Promise<void> {
  const { store } = world.opened;
  const current = await store.get(key);
  const value = `value ${++world.writes}`;
  const result =
    current === undefined
      ? await store.create(key, bytes(value), { durability })
      : remove
        ? await store.delete(key, current.revision, { durability })
        : await store.update(key, bytes(value), current.revision, { durability });
  if (result.outcome === "conflict") throw new Error("nobody else writes here");
  const { stored } = result;
  const removed = current !== undefined && remove;
  expect(stored.revision).toBeGreaterThan(world.lastRevision);
  world.lastRevision = stored.revision;
  const state = removed ? undefined : value;
  const before = durability === "durable" ? [] : (world.states.get(key) ?? [undefined]);
  world.states.set(key, [...before, state]);
  if (durability !== "durable") world.anyLazy = true;
  if (!key.startsWith("durable/")) return;
  const type = removed ? "delete" : "put";
  const { revision } = stored;
  world.durableEvents.push({ type, revision, current: stored, previous: current });
}

async function restartBy(world: World, how: "close" | "crash"): Promise<void> {
  const { store: before, thread } = world.opened;
  if (how === "close") await before[Symbol.asyncDispose]();
  else {
    await thread?.terminate();
    await expect(before[Symbol.asyncDispose]()).rejects.toMatchObject({ reason: "io" });
  }
  world.opened = await openFile(world.file);
  const { store } = world.opened;
  world.openedAt = await store.currentRevision();
  expect(world.openedAt).toBeGreaterThanOrEqual(world.lastRevision);
  for (const [key, states] of world.states) {
    const found = text(await store.get(key));
    expect(how === "close" ? [states.at(-1)] : states, key).toContain(found);
    world.states.set(key, [found]);
  }
  await expectPast(world);
}

/** What happened to durable keys is told whole, from any revision on; of the others nothing before the opening. */
async function expectPast({
  opened: { store },
  durableEvents,
  openedAt,
  anyLazy,
}: World): Promise<void> {
  for (const { revision } of durableEvents) {
    if (revision === openedAt) continue;
    const later = durableEvents.filter((event) => event.revision > revision);
    expect(await eventsUntil(store, "durable/", revision, openedAt)).toEqual(later);
    if (anyLazy) expect(await eventsUntil(store, "lazy/", revision, openedAt)).toBe("expired");
  }
}

test("whatever was written and however it ended, a restart loses and invents nothing that it may not", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mini8s-restarts-"));
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const file = join(directory, `${runs++}.db`);
      const world: World = {
        file,
        opened: await openFile(file),
        states: new Map(),
        durableEvents: [],
        lastRevision: 0,
        openedAt: 0,
        writes: 0,
        anyLazy: false,
      };
      for (const step of run) {
        if (step.do === "write")
          await change(world, step.segment + step.key, step.durability, step.remove);
        else await restartBy(world, step.do);
      }
      await restartBy(world, "close");
      const present = [...world.states].filter(([, states]) => states.at(-1) !== undefined);
      expect(await keysOf(world.opened.store, "")).toEqual(present.map(([key]) => key).sort());
      await world.opened.store[Symbol.asyncDispose]();
    }),
    { numRuns: 12 },
  );
  await rm(directory, { recursive: true });
}, 120_000);
