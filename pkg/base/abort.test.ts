import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { orAborted } from "./abort.ts";

test("a wait that is over leaves no listener on a signal that lives on", async () => {
  const { signal } = new AbortController();
  await orAborted(Promise.resolve(1), signal);
  await orAborted(Promise.reject(new Error("no")), signal).catch(() => {});
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("an abort ends the wait with its reason, and what was waited for may still fail unheard", async () => {
  const stop = new AbortController();
  const work = Promise.withResolvers<void>();
  const waiting = orAborted(work.promise, stop.signal);
  stop.abort("stopped");
  await expect(waiting).rejects.toBe("stopped");
  work.reject(new Error("late"));
  await expect(orAborted(Promise.resolve(), stop.signal)).rejects.toBe("stopped");
});
