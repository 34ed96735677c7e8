import { expect, test } from "vitest";
import { ManualClock, settle } from "../../test/support/manual-clock.ts";
import { WorkQueue } from "./work-queue.ts";

function queue(): { readonly clock: ManualClock; readonly keys: WorkQueue<string> } {
  const clock = new ManualClock();
  return { clock, keys: new WorkQueue<string>({ clock }) };
}

/** What `take` answered by now. */
async function now<T>(promise: Promise<T>): Promise<T | "waits"> {
  let answer: T | "waits" = "waits";
  void promise.then((value) => {
    answer = value;
  });
  await settle();
  return answer;
}

test("keys come out in the order they came in, each once", async () => {
  const { keys } = queue();
  for (const key of ["a", "b", "a"]) keys.add(key);
  expect([await keys.take(), await keys.take(), await now(keys.take())]).toEqual([
    "a",
    "b",
    "waits",
  ]);
});

test("a key that is added while it is worked on is handed out once more, but not before", async () => {
  const { keys } = queue();
  keys.add("a");
  await keys.take();
  keys.add("a");
  keys.add("a");
  const next = keys.take();
  expect(await now(next)).toBe("waits");
  keys.done("a");
  expect(await next).toBe("a");
  keys.done("a");
  expect(await now(keys.take())).toBe("waits");
});

test("a delayed add happens once, at the earliest time asked for", async () => {
  const { clock, keys } = queue();
  keys.addAfter("a", 100);
  keys.addAfter("a", 50);
  keys.addAfter("a", 70);
  await clock.advance(49);
  expect(keys.depth).toBe(0);
  await clock.advance(1);
  expect(await keys.take()).toBe("a");
  keys.done("a");
  await clock.advance(100);
  expect(keys.depth).toBe(0);
});

test("a key that fails waits twice as long each time, up to a thousand seconds, until it is forgotten", async () => {
  const { clock, keys } = queue();
  const waits: (number | undefined)[] = [];
  for (let failure = 0; failure < 20; failure++) {
    keys.addRateLimited("a");
    waits.push(clock.nextInMs);
    await clock.advance(clock.nextInMs ?? 0);
    await keys.take();
    keys.done("a");
  }
  expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
  expect(waits.at(-1)).toBe(1_000_000);
  keys.forget("a");
  keys.addRateLimited("a");
  expect(clock.nextInMs).toBe(5);
});

test("many keys that fail together are spread out: a hundred at once, then ten a second", async () => {
  const { clock, keys } = queue();
  for (let index = 0; index < 120; index++) keys.addRateLimited(String(index));
  await clock.advance(50);
  expect(keys.depth).toBe(100);
  await clock.advance(1_000);
  expect(keys.depth).toBe(110);
});

test("a closed queue sends waiting workers home and takes nothing in", async () => {
  const { clock, keys } = queue();
  const waiting = keys.take();
  keys.addAfter("a", 10);
  keys.close();
  keys.add("b");
  await clock.advance(10);
  expect([await waiting, await keys.take(), keys.depth]).toEqual([undefined, undefined, 0]);
});
