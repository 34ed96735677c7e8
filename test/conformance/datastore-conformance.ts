import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Datastore,
  DatastoreError,
  type Revision,
  type StoredValue,
  type StoreEvent,
  type WriteResult,
} from "../../pkg/datastore/datastore.ts";

/** Every promise of `Datastore` that can be told from outside, for a driver that opens an empty one. */
export function describeDatastore(name: string, open: () => Promise<Datastore>): void {
  describe(name, () => {
    describeWrites(open);
    describeLists(open);
    describeWatches(open);
    describeCompaction(open);
    describeLife(open);
    describeAgainstModel(open);
  });
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(stored: StoredValue | undefined): string | undefined {
  return stored === undefined ? undefined : new TextDecoder().decode(stored.value);
}

export function written(result: WriteResult): StoredValue {
  if (result.outcome !== "written") throw new Error("the write conflicted");
  return result.stored;
}

export async function keysOf(store: Datastore, prefix: string, at?: Revision): Promise<string[]> {
  const result = await store.list({ prefix, limit: 100_000 }, at);
  if (result.outcome === "expired") throw new Error("the list expired");
  return result.values.map(({ key }) => key);
}

/** The events after `after`, until `upTo` is reached; "expired" if that is how it ended. */
export async function eventsUntil(
  store: Datastore,
  prefix: string,
  after: Revision,
  upTo: Revision,
): Promise<StoreEvent[] | "expired"> {
  const enough = new AbortController();
  const events: StoreEvent[] = [];
  for await (const item of store.watch(prefix, after, enough.signal)) {
    if (item.type === "expired") return "expired";
    events.push(...item.events);
    if (item.upTo >= upTo) break;
  }
  enough.abort();
  return events;
}

function told(events: readonly StoreEvent[] | "expired"): unknown {
  if (events === "expired") return events;
  return events.map(({ type, revision, current, previous }) => [
    type,
    revision,
    current.key,
    text(current),
    text(previous),
  ]);
}

function describeWrites(open: () => Promise<Datastore>): void {
  test("revisions grow with each write and never repeat", async () => {
    await using store = await open();
    let last = await store.currentRevision();
    for (const key of ["b", "a", "c"]) {
      const stored = written(await store.create(key, bytes(key)));
      expect(stored.revision).toBeGreaterThan(last);
      expect(stored.createRevision).toBe(stored.revision);
      last = stored.revision;
      expect(await store.currentRevision()).toBe(last);
    }
  });

  test("an acknowledged write is read back byte for byte", async () => {
    await using store = await open();
    const every = Uint8Array.from({ length: 256 }, (_, index) => index);
    for (const key of ["pods/ns/a", "__proto__", "constructor", "ключ/😀"]) {
      await store.create(key, every);
      expect((await store.get(key))?.value.join()).toBe(every.join());
    }
    await store.create("empty", new Uint8Array());
    expect((await store.get("empty"))?.value.byteLength).toBe(0);
    expect(await store.get("toString")).toBeUndefined();
  });

  test("a create of a key that exists conflicts and tells what is there", async () => {
    await using store = await open();
    const first = written(await store.create("a", bytes("1")));
    expect(await store.create("a", bytes("2"))).toEqual({ outcome: "conflict", current: first });
    expect(text(await store.get("a"))).toBe("1");
  });

  test("an update keeps the create revision and needs the latest revision", async () => {
    await using store = await open();
    const first = written(await store.create("a", bytes("1")));
    const second = written(await store.update("a", bytes("2"), first.revision));
    expect(second.createRevision).toBe(first.revision);
    expect(second.revision).toBeGreaterThan(first.revision);
    expect(await store.update("a", bytes("3"), first.revision)).toEqual({
      outcome: "conflict",
      current: second,
    });
    expect(await store.update("gone", bytes("3"), 1)).toEqual({
      outcome: "conflict",
      current: undefined,
    });
  });

  test("a delete tells the last value at its own revision, and needs the latest revision", async () => {
    await using store = await open();
    const first = written(await store.create("a", bytes("1")));
    const second = written(await store.update("a", bytes("2"), first.revision));
    expect((await store.delete("a", first.revision)).outcome).toBe("conflict");
    const last = written(await store.delete("a", second.revision));
    expect(text(last)).toBe("2");
    expect(last.revision).toBeGreaterThan(second.revision);
    expect(last.createRevision).toBe(first.revision);
    expect(await store.get("a")).toBeUndefined();
    expect(await store.delete("a", last.revision)).toEqual({
      outcome: "conflict",
      current: undefined,
    });
    const again = written(await store.create("a", bytes("3")));
    expect(again.createRevision).toBe(again.revision);
  });

  test("of many writes that expect the same revision exactly one is written", async () => {
    await using store = await open();
    const creates = await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.create("a", bytes(String(index)))),
    );
    expect(creates.filter(({ outcome }) => outcome === "written")).toHaveLength(1);
    const { revision } = await present(store, "a");
    const rest = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? store.update("a", bytes(String(index)), revision)
          : store.delete("a", revision),
      ),
    );
    const winner = rest.find(({ outcome }) => outcome === "written");
    expect(rest.filter(({ outcome }) => outcome === "written")).toEqual([winner]);
    for (const result of rest)
      if (result.outcome === "conflict") expect(result.current).toEqual(await store.get("a"));
  });

  test.each(["lazy", "at-close"] as const)(
    "a %s write is acknowledged, listed and watched as any other",
    async (durability) => {
      await using store = await open();
      const before = await store.currentRevision();
      const first = written(await store.create("l/a", bytes("1"), { durability }));
      const durable = written(await store.create("d/a", bytes("1")));
      const second = written(await store.update("l/a", bytes("2"), first.revision, { durability }));
      expect(text(await store.get("l/a"))).toBe("2");
      const last = written(await store.delete("l/a", second.revision, { durability }));
      expect(told(await eventsUntil(store, "", before, last.revision))).toEqual([
        ["put", first.revision, "l/a", "1", undefined],
        ["put", durable.revision, "d/a", "1", undefined],
        ["put", second.revision, "l/a", "2", "1"],
        ["delete", last.revision, "l/a", "2", "2"],
      ]);
    },
  );
}

function describeLists(open: () => Promise<Datastore>): void {
  test("a list is in the order of the keys' UTF-16 code units", async () => {
    await using store = await open();
    const keys = ["a/b", "a-b", "a/", "a", "a/😀", "a/～", "a/é", "a/e", "A", "a0"];
    await Promise.all(keys.map((key) => store.create(key, bytes(key))));
    expect(await keysOf(store, "")).toEqual([...keys].sort());
    expect(await keysOf(store, "a/")).toEqual(["a/", "a/b", "a/e", "a/é", "a/😀", "a/～"]);
    expect(await store.count("a/")).toBe(6);
    expect(await store.count("")).toBe(keys.length);
    expect(await store.count("nothing")).toBe(0);
  });

  test("pages at one revision are one snapshot, whatever is written between them", async () => {
    await using store = await open();
    const keys = Array.from({ length: 25 }, (_, index) => `p/${String(index).padStart(3, "0")}`);
    for (const key of keys) await store.create(key, bytes(key));
    const found: string[] = [];
    let at: Revision | undefined;
    for (;;) {
      const last = found.at(-1);
      const page = await store.list(
        { prefix: "p/", limit: 7, ...(last === undefined ? {} : { startAfter: last }) },
        at,
      );
      if (page.outcome === "expired") throw new Error("the list expired");
      expect(page.values.length).toBeLessThanOrEqual(7);
      found.push(...page.values.map(({ key }) => key));
      at = page.revision;
      if (!page.hasMore) break;
      const { revision } = await present(store, found.at(-1) ?? "");
      await store.delete(found.at(-1) ?? "", revision);
      await store.create(`${found.at(-1)}-new`, bytes("new"));
    }
    expect(found).toEqual(keys);
  });

  test("a list at a revision is the state at that revision, and never of one to come", async () => {
    await using store = await open();
    const a = written(await store.create("a", bytes("1")));
    const b = written(await store.create("b", bytes("1")));
    const a2 = written(await store.update("a", bytes("2"), a.revision));
    const gone = written(await store.delete("b", b.revision));
    const at = async (revision: Revision) => {
      const result = await store.list({ prefix: "", limit: 10 }, revision);
      return result.outcome === "listed" && result.values.map((one) => [one.key, text(one)]);
    };
    expect(await at(a.revision)).toEqual([["a", "1"]]);
    expect(await at(b.revision)).toEqual([
      ["a", "1"],
      ["b", "1"],
    ]);
    expect(await at(a2.revision)).toEqual([
      ["a", "2"],
      ["b", "1"],
    ]);
    expect(await at(gone.revision)).toEqual([["a", "2"]]);
    await expect(store.list({ prefix: "", limit: 10 }, gone.revision + 1)).rejects.toThrow(
      RangeError,
    );
  });
}

function describeWatches(open: () => Promise<Datastore>): void {
  test("a watch tells each later event under its prefix once, in order, past and to come", async () => {
    await using store = await open();
    const a = written(await store.create("w/a", bytes("1")));
    await store.create("x/a", bytes("1"));
    const a2 = written(await store.update("w/a", bytes("2"), a.revision));
    const watching = eventsUntil(store, "w/", a.revision, a2.revision + 2);
    const gone = written(await store.delete("w/a", a2.revision));
    const b = written(await store.create("w/b", bytes("3")));
    expect(told(await watching)).toEqual([
      ["put", a2.revision, "w/a", "2", "1"],
      ["delete", gone.revision, "w/a", "2", "2"],
      ["put", b.revision, "w/b", "3", undefined],
    ]);
  });

  test("a write is in the watch once it is acknowledged, and in no list before the watch", async () => {
    await using store = await open();
    const end = new AbortController();
    const seen: Revision[] = [];
    const watching = (async () => {
      for await (const item of store.watch("", 0, end.signal)) {
        if (item.type !== "events") continue;
        for (const event of item.events) {
          seen.push(event.revision);
          expect(await store.currentRevision()).toBeGreaterThanOrEqual(event.revision);
        }
        if (seen.length === 100) end.abort();
      }
    })();
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.create(`k/${index}`, bytes("v"))),
    );
    await watching;
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
    expect(seen).toHaveLength(100);
  });

  test("a watch ends when its signal aborts, without throwing, while it waits or before it began", async () => {
    await using store = await open();
    const end = new AbortController();
    const waiting = eventsFor(store, end.signal);
    end.abort(new Error("enough"));
    expect(await waiting).toEqual([]);
    expect(await eventsFor(store, end.signal)).toEqual([]);
  });
}

function describeCompaction(open: () => Promise<Datastore>): void {
  test("after a compaction an older list or watch is expired, and told from where it would not be", async () => {
    await using store = await open();
    const a = written(await store.create("c/a", bytes("1")));
    const b = written(await store.create("c/b", bytes("1")));
    const c = written(await store.create("c/c", bytes("1")));
    await store.compact(b.revision);
    expect(await store.list({ prefix: "c/", limit: 10 }, a.revision)).toEqual({
      outcome: "expired",
    });
    expect(await keysOf(store, "c/", b.revision)).toEqual(["c/a", "c/b"]);
    expect(await keysOf(store, "c/")).toEqual(["c/a", "c/b", "c/c"]);
    const items = await all(store.watch("c/", a.revision, AbortSignal.timeout(10_000)));
    expect(items).toEqual([{ type: "expired", oldest: b.revision }]);
    expect(told(await eventsUntil(store, "c/", b.revision, c.revision))).toEqual([
      ["put", c.revision, "c/c", "1", undefined],
    ]);
  });

  test("a watcher that is overtaken by a compaction is told that it has expired", async () => {
    await using store = await open();
    await store.create("c/0", bytes("1"));
    const items = store.watch("c/", 0, AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    expect((await items.next()).value?.type).toBe("events");
    for (const key of ["c/1", "c/2", "c/3"]) await store.create(key, bytes("1"));
    await store.compact(await store.currentRevision());
    expect((await items.next()).value?.type).toBe("expired");
    expect((await items.next()).done).toBe(true);
  });

  test("a compaction of revisions to come forgets no more than there is", async () => {
    await using store = await open();
    const { revision } = written(await store.create("c/a", bytes("1")));
    await store.compact(revision + 1_000_000);
    const next = written(await store.create("c/b", bytes("1")));
    expect(next.revision).toBeLessThan(revision + 1_000_000);
    expect(told(await eventsUntil(store, "", revision, next.revision))).toEqual([
      ["put", next.revision, "c/b", "1", undefined],
    ]);
  });
}

function describeLife(open: () => Promise<Datastore>): void {
  test("a closed datastore refuses everything and its watches end", async () => {
    const store = await open();
    await store.create("a", bytes("1"));
    const watching = eventsFor(store, new AbortController().signal, 1);
    await store[Symbol.asyncDispose]();
    await watching;
    const closed = expect.objectContaining({ reason: "closed" });
    await expect(store.get("a")).rejects.toEqual(closed);
    await expect(store.list({ prefix: "", limit: 1 })).rejects.toEqual(closed);
    await expect(store.create("b", bytes("1"))).rejects.toEqual(closed);
    await expect(store.delete("a", 1)).rejects.toBeInstanceOf(DatastoreError);
    await store[Symbol.asyncDispose]();
  });
}

type Step =
  | { readonly do: "create" | "update" | "delete"; readonly key: string; readonly value: string }
  | { readonly do: "compact"; readonly back: number };

/** What a store must hold after each revision, kept in the dullest possible way. */
interface Model {
  readonly states: Map<Revision, ReadonlyMap<string, string>>;
  oldest: Revision;
}

function describeAgainstModel(open: () => Promise<Datastore>): void {
  const key = fc.constantFrom("a/1", "a/2", "a/3", "b/1", "b/2");
  const write = fc.record({
    do: fc.constantFrom("create" as const, "update" as const, "delete" as const),
    key,
    value: fc.string({ maxLength: 8 }),
  });
  const compact = fc.record({ do: fc.constant("compact" as const), back: fc.nat(5) });
  const steps = fc.array(fc.oneof({ weight: 12, arbitrary: write }, compact), { maxLength: 60 });

  test("any run of writes reads, at every revision, as the plainest model of it", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (run: readonly Step[]) => {
        await using store = await open();
        const start = await store.currentRevision();
        const model: Model = { states: new Map([[start, new Map()]]), oldest: 0 };
        for (const step of run) await take(store, model, step);
        await expectSame(store, model);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
}

async function take(store: Datastore, model: Model, step: Step): Promise<void> {
  if (step.do === "compact") {
    const before = (await store.currentRevision()) - step.back;
    await store.compact(before);
    model.oldest = Math.max(model.oldest, before);
    return;
  }
  const last = new Map([...model.states.values()].at(-1));
  const current = await store.get(step.key);
  expect(text(current)).toBe(last.get(step.key));
  const expected = current?.revision ?? 1;
  const value = bytes(step.value);
  const result =
    step.do === "create"
      ? await store.create(step.key, value)
      : step.do === "update"
        ? await store.update(step.key, value, expected)
        : await store.delete(step.key, expected);
  expect(result.outcome).toBe(
    (step.do === "create") === (current === undefined) ? "written" : "conflict",
  );
  if (result.outcome === "conflict") return;
  if (step.do === "delete") last.delete(step.key);
  else last.set(step.key, step.value);
  model.states.set(result.stored.revision, last);
}

async function expectSame(store: Datastore, { states, oldest }: Model): Promise<void> {
  const now = await store.currentRevision();
  for (const [revision, state] of states) {
    const result = await store.list({ prefix: "", limit: 100 }, revision);
    if (revision < oldest && revision !== now) {
      expect(result.outcome).toBe("expired");
      continue;
    }
    if (result.outcome !== "listed") throw new Error("the list expired");
    const listed = result.values.map((stored) => [stored.key, text(stored)]);
    expect(listed).toEqual([...state].sort(([one], [other]) => (one < other ? -1 : 1)));
    if (revision === now) continue;
    const replayed = new Map(state);
    const events = await eventsUntil(store, "", revision, now);
    if (revision < oldest) {
      expect(events).toBe("expired");
      continue;
    }
    if (events === "expired") throw new Error("the watch expired");
    for (const { type, current } of events) {
      if (type === "delete") replayed.delete(current.key);
      else replayed.set(current.key, text(current) ?? "");
    }
    expect(replayed).toEqual([...states.values()].at(-1));
  }
}

async function present(store: Datastore, key: string): Promise<StoredValue> {
  const stored = await store.get(key);
  if (stored === undefined) throw new Error(`${key} is not there`);
  return stored;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function eventsFor(store: Datastore, signal: AbortSignal, after = 0): Promise<StoreEvent[]> {
  const events: StoreEvent[] = [];
  for await (const item of store.watch("", after, signal))
    if (item.type === "events") events.push(...item.events);
  return events;
}
