import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonValue } from "../../api/codec/json.ts";
import type { KubernetesObject } from "../../api/object.ts";
import type { Datastore, Revision } from "../../datastore/datastore.ts";
import { openMemoryDatastore } from "../../datastore/memory/memory-datastore.ts";
import { openSqliteDatastore } from "../../datastore/sqlite/sqlite-datastore.ts";
import type { HubEvent, HubWriteResult, StoredObject } from "./hub.ts";
import { type HubOptions, type OpenHub, openHub } from "./hub-store.ts";

interface Note extends KubernetesObject {
  readonly data: { readonly text: string };
}

function note(name: string, text = "", namespace = "default"): Note {
  // As the API hands it over: what the hub itself adds is not there yet.
  const metadata = { name, namespace, uid: `uid-of-${name}` } as Note["metadata"];
  return { data: { text }, metadata, kind: "Note", apiVersion: "test/v1" };
}

async function memoryHub(options: Partial<HubOptions> = {}): Promise<OpenHub> {
  return await openHub({ datastore: openMemoryDatastore(), ...options });
}

function written<T extends KubernetesObject>(result: HubWriteResult<T>): StoredObject<T> {
  if (result.outcome !== "written") throw new Error("the write conflicted");
  return result.stored;
}

function keysOf(hub: OpenHub, prefix: string, at?: Revision): string[] {
  const result = hub.list({ prefix }, at);
  if (result.outcome === "expired") throw new Error("the list expired");
  return result.objects.map(({ key }) => key);
}

interface Heard {
  readonly events: HubEvent[];
  readonly revisions: Revision[];
  expired: number;
  stop(): void;
}

function listen(hub: OpenHub, prefix: string, after: Revision): Heard {
  const heard: Heard = { events: [], revisions: [], expired: 0, stop: () => {} };
  heard.stop = hub.watch(prefix, after, {
    onEvents(events, upTo) {
      heard.events.push(...events);
      heard.revisions.push(upTo);
    },
    onExpired() {
      heard.expired++;
    },
  });
  return heard;
}

const told = (events: readonly HubEvent[]) =>
  events.map(({ type, revision, current, previous }) => [
    type,
    revision,
    current.key,
    current.revision,
    previous?.revision,
  ]);

describe("an object", () => {
  test("is served as JSON that begins with its kind and holds its resourceVersion", async () => {
    await using hub = await memoryHub();
    const stored = written(await hub.create("notes/default/a", note("a", "häß"), "durable"));
    expect(Buffer.from(stored.json).toString()).toBe(
      `{"kind":"Note","apiVersion":"test/v1","metadata":{"resourceVersion":"${stored.revision}",` +
        '"name":"a","namespace":"default","uid":"uid-of-a"},"data":{"text":"häß"}}',
    );
    expect(JSON.parse(Buffer.from(stored.json).toString())).toEqual(stored.value);
  });

  test("has its one value and its one buffer for all readers, and nobody can change the value", async () => {
    await using hub = await memoryHub();
    const stored = written(await hub.create("notes/default/a", note("a", "x"), "durable"));
    const got = hub.get("notes/default/a");
    expect(got).toBe(stored);
    expect(got?.value).toBe(stored.value);
    expect(got?.json).toBe(stored.json);
    expect(() => Object.assign(stored.value.data, { text: "y" })).toThrow(TypeError);
    expect(() => Object.assign(stored.value.metadata, { name: "y" })).toThrow(TypeError);
    let made = 0;
    const make = () => new Uint8Array([++made]);
    expect(got?.encoded("frame", make)).toBe(stored.encoded("frame", make));
  });

  test("with metadata that is empty or speaks of metadata is put together correctly", async () => {
    await using hub = await memoryHub();
    const odd = { kind: 'Odd"metadata":{', apiVersion: "v1", metadata: {} } as KubernetesObject;
    const stored = written(await hub.create("odds/a", odd, "durable"));
    expect(JSON.parse(Buffer.from(stored.json).toString())).toEqual({
      kind: 'Odd"metadata":{',
      apiVersion: "v1",
      metadata: { resourceVersion: String(stored.revision) },
    });
  });

  test("written with a stale resourceVersion in it does not keep that", async () => {
    await using hub = await memoryHub();
    const first = written(await hub.create("notes/default/a", note("a"), "durable"));
    const second = written(
      await hub.update("notes/default/a", first.value, first.revision, "durable"),
    );
    expect(second.value.metadata.resourceVersion).toBe(String(second.revision));
    expect(
      Buffer.from(second.json)
        .toString()
        .match(/resourceVersion/g),
    ).toHaveLength(1);
    expect(first.value.metadata.resourceVersion).toBe(String(first.revision));
  });

  test("keeps every digit of a long integer and every key, in memory and read back", async () => {
    const datastore = openMemoryDatastore();
    const text = '{"__proto__":{"x":1},"constructor":2,"long":9007199254740993}';
    const object = { ...note("a"), data: parseJsonValue(text) } as Note;
    await using hub = await openHub({ datastore });
    const stored = written(await hub.create("notes/default/a", object, "durable"));
    expect(Buffer.from(stored.json).toString()).toContain(`"data":${text}`);
    await using again = await openHub({ datastore });
    const read = again.get("notes/default/a");
    expect(read).not.toBe(stored);
    expect(read?.value).toEqual(stored.value);
    expect(JSON.stringify(read?.value)).toContain(`"data":${text}`);
  });

  test("is, after a delete, its last state at the delete's revision", async () => {
    await using hub = await memoryHub();
    const first = written(await hub.create("notes/default/a", note("a", "last"), "durable"));
    const gone = written(await hub.delete("notes/default/a", first.revision, "durable"));
    expect(gone.revision).toBeGreaterThan(first.revision);
    expect(gone.value).toEqual({
      ...first.value,
      metadata: { ...first.value.metadata, resourceVersion: String(gone.revision) },
    });
    expect(hub.get("notes/default/a")).toBeUndefined();
    expect(first.value.metadata.resourceVersion).toBe(String(first.revision));
  });
});

describe("a write", () => {
  test("is seen by every reader and watcher once it resolves", async () => {
    await using hub = await memoryHub();
    const heard = listen(hub, "notes/", hub.revision);
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const key = `notes/default/${index}`;
        const stored = written(await hub.create(key, note(String(index)), "durable"));
        expect(hub.revision).toBeGreaterThanOrEqual(stored.revision);
        expect(hub.get(key)).toBe(stored);
        expect(heard.events.map(({ current }) => current)).toContain(stored);
      }),
    );
  });

  test("that conflicts tells the version that readers see", async () => {
    await using hub = await memoryHub();
    const first = written(await hub.create("notes/default/a", note("a"), "durable"));
    const second = written(
      await hub.update("notes/default/a", note("a", "2"), first.revision, "durable"),
    );
    for (const result of [
      await hub.create("notes/default/a", note("a"), "durable"),
      await hub.update("notes/default/a", note("a"), first.revision, "durable"),
      await hub.delete("notes/default/a", first.revision, "durable"),
    ])
      expect(result).toEqual({ outcome: "conflict", current: second });
    const none = await hub.update("notes/default/b", note("b"), 1, "durable");
    expect(none).toEqual({ outcome: "conflict", current: undefined });
  });
});

describe("a list", () => {
  test("takes in one namespace, one object, or a whole resource, and never a namesake", async () => {
    await using hub = await memoryHub();
    for (const key of ["notes/a/x", "notes/a/xy", "notes/ab/x", "notesheets/a/x"])
      await hub.create(key, note("x"), "durable");
    expect(keysOf(hub, "notes/a/")).toEqual(["notes/a/x", "notes/a/xy"]);
    expect(keysOf(hub, "notes/")).toEqual(["notes/a/x", "notes/a/xy", "notes/ab/x"]);
    expect(keysOf(hub, "notes/a/x")).toEqual(["notes/a/x"]);
    expect(keysOf(hub, "notes/a/none")).toEqual([]);
    expect(keysOf(hub, "nothing/")).toEqual([]);
    expect([hub.count("notes/"), hub.count("notes/a/"), hub.count("none/")]).toEqual([3, 2, 0]);
  });

  test("in pages is one snapshot, with what remains told exactly, whatever happens meanwhile", async () => {
    await using hub = await memoryHub();
    const names = Array.from({ length: 40 }, (_, index) => `notes/n/${index + 100}`);
    for (const name of names) await hub.create(name, note(name), "durable");
    const at = hub.revision;
    const found: string[] = [];
    for (;;) {
      const last = found.at(-1);
      const range = {
        prefix: "notes/n/",
        limit: 7,
        ...(last === undefined ? {} : { startAfter: last }),
      };
      const page = hub.list(range, at);
      if (page.outcome === "expired") throw new Error("the list expired");
      found.push(...page.objects.map(({ key }) => key));
      expect(page.remaining).toBe(names.length - found.length);
      expect(page.revision).toBe(at);
      if (!page.hasMore) break;
      const removed = hub.get(names.at(found.length + 2) ?? "");
      if (removed !== undefined) await hub.delete(removed.key, removed.revision, "durable");
      await hub.create(`${last ?? "notes/n/1"}-new`, note("new"), "durable");
    }
    expect(found).toEqual(names);
  });

  test("at a revision that fell out of the window is expired, and one to come is refused", async () => {
    await using hub = await memoryHub({ window: { eventsMax: 10 } });
    for (let index = 0; index < 30; index++)
      await hub.create(`notes/n/${index + 100}`, note("x"), "durable");
    expect(hub.list({ prefix: "notes/" }, 5)).toEqual({ outcome: "expired" });
    expect(keysOf(hub, "notes/", 20)).toHaveLength(20);
    expect(keysOf(hub, "notes/", 25)).toHaveLength(25);
    expect(() => hub.list({ prefix: "notes/" }, 31)).toThrow(RangeError);
  });
});

describe("a watch", () => {
  test("tells what has been before it returns, and then what comes, under its prefix only", async () => {
    await using hub = await memoryHub();
    const a = written(await hub.create("notes/a/x", note("x"), "durable"));
    const b = written(await hub.create("notes/b/x", note("x"), "durable"));
    const heard = listen(hub, "notes/a/", 0);
    expect(told(heard.events)).toEqual([["added", a.revision, "notes/a/x", a.revision, undefined]]);
    const whole = listen(hub, "notes/", a.revision);
    const one = listen(hub, "notes/b/x", b.revision);
    const a2 = written(await hub.update("notes/a/x", note("x", "2"), a.revision, "durable"));
    const gone = written(await hub.delete("notes/b/x", b.revision, "durable"));
    expect(told(heard.events).slice(1)).toEqual([
      ["modified", a2.revision, "notes/a/x", a2.revision, a.revision],
    ]);
    expect(whole.events.map(({ revision }) => revision)).toEqual([
      b.revision,
      a2.revision,
      gone.revision,
    ]);
    expect(told(one.events)).toEqual([
      ["deleted", gone.revision, "notes/b/x", gone.revision, b.revision],
    ]);
    expect(heard.events[1]?.previous).toBe(heard.events[0]?.current);
    heard.stop();
    await hub.create("notes/a/y", note("y"), "durable");
    expect(heard.events).toHaveLength(2);
  });

  test("is expired where the window no longer reaches, and only there", async () => {
    await using hub = await memoryHub({ window: { eventsMax: 10 } });
    await hub.create("quiet/a", note("a"), "durable");
    for (let index = 0; index < 30; index++)
      await hub.create(`notes/n/${index}`, note("x"), "durable");
    const late = listen(hub, "notes/", 3);
    expect([late.expired, late.events.length]).toEqual([1, 0]);
    await hub.create("notes/n/more", note("x"), "durable");
    expect(late.events).toHaveLength(0);
    const quiet = listen(hub, "quiet/", 0);
    expect([quiet.expired, quiet.events.length]).toEqual([0, 1]);
  });

  test("that fails is ended, and does no harm to the others", async () => {
    await using hub = await memoryHub();
    let ended = 0;
    hub.watch("notes/", 0, {
      onEvents() {
        throw new Error("a defect");
      },
      onExpired() {
        ended++;
      },
    });
    const heard = listen(hub, "notes/", 0);
    await hub.create("notes/n/a", note("a"), "durable");
    await hub.create("notes/n/b", note("b"), "durable");
    expect(heard.events).toHaveLength(2);
    expect(ended).toBe(1);
  });

  test("that is begun from within another one's events hears nothing twice", async () => {
    await using hub = await memoryHub();
    const inner: Heard[] = [];
    hub.watch("notes/", 0, {
      onEvents(_, upTo) {
        if (inner.length > 0) return;
        inner.push(listen(hub, "notes/", upTo - 1), listen(hub, "notes/n/", upTo - 1));
      },
      onExpired() {},
    });
    // Its prefix comes after the one above, in the same step.
    listen(hub, "notes/n/", 0);
    for (const name of ["a", "b"]) await hub.create(`notes/n/${name}`, note(name), "durable");
    for (const { events } of inner)
      expect(events.map(({ current }) => current.key)).toEqual(["notes/n/a", "notes/n/b"]);
  });

  test("that begins at a revision to come hears nothing before it", async () => {
    await using hub = await memoryHub();
    const heard = listen(hub, "notes/", 2);
    await Promise.all(
      ["a", "b", "c", "d"].map((name) => hub.create(`notes/n/${name}`, note(name), "durable")),
    );
    expect(heard.events.map(({ revision }) => revision)).toEqual([3, 4]);
  });

  test("of a thousand namespaces is told of its own only, in one shared list of events", async () => {
    await using hub = await memoryHub();
    const watchers = Array.from({ length: 1_000 }, (_, index) =>
      listen(hub, `notes/ns-${index}/`, hub.revision),
    );
    await hub.create("notes/ns-7/a", note("a"), "durable");
    expect(watchers.map(({ events }) => events.length).reduce((sum, count) => sum + count)).toBe(1);
    expect(watchers[7]?.events).toHaveLength(1);
  });
});

describe("from list to watch", () => {
  const step = fc.record({
    key: fc.constantFrom("notes/a/1", "notes/a/2", "notes/b/1", "others/a/1"),
    remove: fc.boolean(),
    burst: fc.boolean(),
  });

  test("nothing is lost, doubled or out of order, wherever one begins, breaks off and resumes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.constantFrom("notes/", "notes/a/", "notes/a/1"),
        fc.array(fc.nat(60), { maxLength: 4 }),
        async (steps, prefix, breaks) => {
          await using hub = await memoryHub({ window: { warmEventsMax: 3 } });
          const follower = follow(hub, prefix);
          let running: Promise<unknown>[] = [];
          for (const [index, { key, remove, burst }] of steps.entries()) {
            if (breaks.includes(index)) follower.resume();
            running.push(change(hub, key, remove));
            if (burst) continue;
            await Promise.all(running);
            running = [];
          }
          await Promise.all(running);
          expect(follower.state()).toEqual(
            new Map(keysOf(hub, prefix).map((key) => [key, hub.get(key)?.revision])),
          );
          expect(follower.mistakes).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** A client as it should be: lists once, then applies events; `resume` begins anew from the last one it has seen. */
function follow(hub: OpenHub, prefix: string) {
  const objects = new Map<string, Revision>();
  const mistakes: string[] = [];
  const first = hub.list({ prefix });
  if (first.outcome === "expired") throw new Error("the list expired");
  for (const { key, revision } of first.objects) objects.set(key, revision);
  let seen = first.revision;
  let stop = () => {};
  const watch = () => {
    stop();
    stop = hub.watch(prefix, seen, {
      onEvents(events, upTo) {
        for (const event of events) {
          if (event.revision <= seen) mistakes.push(`${event.revision} after ${seen}`);
          if (event.previous?.revision !== objects.get(event.current.key))
            mistakes.push(`${event.current.key} was not as ${event.revision} says`);
          seen = event.revision;
          if (event.type === "deleted") objects.delete(event.current.key);
          else objects.set(event.current.key, event.current.revision);
        }
        if (upTo < seen) mistakes.push(`up to ${upTo} with ${seen} seen`);
        seen = upTo;
      },
      onExpired: () => mistakes.push("expired"),
    });
  };
  watch();
  return { mistakes, resume: watch, state: () => objects };
}

async function change(hub: OpenHub, key: string, remove: boolean): Promise<void> {
  const current = hub.get(key);
  if (current === undefined) await hub.create(key, note("x"), "durable");
  else if (remove) await hub.delete(key, current.revision, "durable");
  else await hub.update(key, note("x", String(current.revision)), current.revision, "durable");
}

describe("a hub over a datastore that was there before", () => {
  async function filled(): Promise<{ datastore: Datastore; revisions: Revision[] }> {
    const datastore = openMemoryDatastore();
    await using hub = await openHub({ datastore });
    const a = written(await hub.create("notes/n/a", note("a"), "durable"));
    const b = written(await hub.create("notes/n/b", note("b"), "durable"));
    const a2 = written(await hub.update("notes/n/a", note("a", "2"), a.revision, "durable"));
    const gone = written(await hub.delete("notes/n/b", b.revision, "durable"));
    return { datastore, revisions: [a, b, a2, gone].map(({ revision }) => revision) };
  }

  test("serves what is in it, and its past as far as the datastore knows it", async () => {
    const { datastore, revisions } = await filled();
    await using hub = await openHub({ datastore });
    const [a = 0, b = 0, a2 = 0, gone = 0] = revisions;
    expect(hub.revision).toBe(gone);
    expect(hub.get("notes/n/a")?.value).toMatchObject({ data: { text: "2" } });
    expect(keysOf(hub, "notes/", b)).toEqual(["notes/n/a", "notes/n/b"]);
    expect(told(listen(hub, "notes/", a).events)).toEqual([
      ["added", b, "notes/n/b", b, undefined],
      ["modified", a2, "notes/n/a", a2, a],
      ["deleted", gone, "notes/n/b", gone, b],
    ]);
    expect(listen(hub, "unheard-of/", a).expired).toBe(1);
  });

  test("expires what the datastore has forgotten", async () => {
    const { datastore, revisions } = await filled();
    const [a = 0, b = 0, a2 = 0] = revisions;
    await datastore.compact(b);
    await using hub = await openHub({ datastore });
    expect(hub.oldestRevision).toBe(b);
    expect(listen(hub, "notes/", a).expired).toBe(1);
    expect(listen(hub, "notes/", b).events.map(({ revision }) => revision)[0]).toBe(a2);
  });

  test("follows writes that were made past it", async () => {
    const { datastore } = await filled();
    await using hub = await openHub({ datastore });
    const heard = listen(hub, "notes/", hub.revision);
    const value = Buffer.from('{"kind":"Note","apiVersion":"test/v1","metadata":{"name":"c"}}');
    const result = await datastore.create("notes/n/c", value);
    if (result.outcome !== "written") throw new Error("the write conflicted");
    await hub.caughtUp(result.stored.revision, AbortSignal.timeout(10_000));
    expect(hub.get("notes/n/c")?.value.metadata).toEqual({
      name: "c",
      resourceVersion: String(result.stored.revision),
    });
    expect(heard.events).toHaveLength(1);
  });
});

test("over a restart, watches of durable kinds resume, and those of lazy kinds list again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mini8s-hub-"));
  const file = join(directory, "state.db");
  const before = await openSqliteDatastore({ file });
  const hub = await openHub({ datastore: before });
  const first = written(await hub.create("notes/n/a", note("a"), "durable"));
  const lease = written(await hub.create("leases/n/a", note("a"), "at-close"));
  const second = written(await hub.update("notes/n/a", note("a", "2"), first.revision, "durable"));
  await hub.update("leases/n/a", note("a", "2"), lease.revision, "at-close");
  await hub[Symbol.asyncDispose]();
  await before[Symbol.asyncDispose]();

  await using datastore = await openSqliteDatastore({ file });
  await using again = await openHub({ datastore });
  expect(listen(again, "notes/", first.revision).events.map(({ revision }) => revision)).toEqual([
    second.revision,
  ]);
  const leases = listen(again, "leases/", lease.revision);
  expect([leases.expired, leases.events.length]).toEqual([1, 0]);
  expect(again.list({ prefix: "leases/" }, lease.revision)).toEqual({ outcome: "expired" });
  expect(again.get("leases/n/a")?.value).toMatchObject({ data: { text: "2" } });
  await rm(directory, { recursive: true });
});

test("waiting for a revision ends with it, or with its signal", async () => {
  await using hub = await memoryHub();
  const giveUp = new AbortController();
  const waiting = hub.caughtUp(2, giveUp.signal);
  const longer = hub.caughtUp(1_000, giveUp.signal);
  await hub.create("notes/n/a", note("a"), "durable");
  await hub.create("notes/n/b", note("b"), "durable");
  await waiting;
  const reason = new Error("enough");
  giveUp.abort(reason);
  await expect(longer).rejects.toBe(reason);
});

test("a hub that must read everything anew shows the old state until all of the new one is there", async () => {
  // More than the datastore remembers is replaced at once: its history has moved on before the hub has read it.
  const memory = openMemoryDatastore({ history: { bytesMax: 1_000 } });
  const keys = ["a/n/1", "b/n/1", "c/n/1"];
  const seen: number[] = [];
  const count = () => keys.filter((key) => hub.get(key) !== undefined).length;
  const whileItReads: Datastore["watch"] = (prefix, after, signal) => {
    if (reading && prefix !== "") seen.push(count());
    return memory.watch(prefix, after, signal);
  };
  const datastore = new Proxy(memory, {
    get(target, name: keyof Datastore) {
      const method = target[name] as (...args: unknown[]) => unknown;
      return name === "watch" ? whileItReads : method.bind(target);
    },
  });
  let reading = false;
  await using hub = await openHub({ datastore });
  const large = "x".repeat(1_000);
  for (const key of keys) await hub.create(key, note("1", large), "durable");
  const heard = listen(hub, "a/", hub.revision);
  reading = true;
  await Promise.all(
    keys.map((key) =>
      hub.update(key, note("1", `${large}y`), hub.get(key)?.revision ?? 0, "durable"),
    ),
  );
  expect(heard.expired).toBe(1);
  expect(seen).toEqual([3, 3, 3]);
});

test("a hub that is told to stop works on for those who finish, until it is closed", async () => {
  const stop = new AbortController();
  const hub = await memoryHub();
  const running = hub.run(stop.signal);
  stop.abort();
  await running;
  expect((await hub.create("notes/n/a", note("a"), "durable")).outcome).toBe("written");
  await hub[Symbol.asyncDispose]();
  await expect(hub.create("notes/n/b", note("b"), "durable")).rejects.toThrow(/stopping/);
});

test("a hub whose datastore is closed under it says so, and ends its watches", async () => {
  const datastore = openMemoryDatastore();
  await using hub = await openHub({ datastore });
  const heard = listen(hub, "notes/", 0);
  const running = hub.run(new AbortController().signal);
  await datastore[Symbol.asyncDispose]();
  await expect(running).rejects.toMatchObject({ reason: "closed" });
  expect(heard.expired).toBe(1);
  await expect(hub.create("notes/n/a", note("a"), "durable")).rejects.toThrow(/closed/);
});
