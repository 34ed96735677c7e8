import { expect, test } from "vitest";
import { aborted } from "./abort.ts";
import { runStacked, type Service } from "./service.ts";

/** A service that writes down what happens to it, and takes a while to stop. */
function service(name: string, log: string[]): Service {
  return {
    name,
    async run(signal) {
      await aborted(signal);
      log.push(`${name} is told`);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      log.push(`${name} ends`);
    },
  };
}

const failing = (name: string): Service => ({
  name,
  run: () => Promise.reject(new Error(`${name} fails`)),
});

test("what others use ends after them", async () => {
  const log: string[] = [];
  const stop = new AbortController();
  const running = runStacked(service("below", log), service("above", log), stop.signal);
  stop.abort();
  await running;
  expect(log).toEqual(["above is told", "above ends", "below is told", "below ends"]);
});

test("one of two that fails takes the other along, and is the one that is told of", async () => {
  const log: string[] = [];
  const { signal } = new AbortController();
  await expect(runStacked(failing("below"), service("above", log), signal)).rejects.toThrow(
    "below fails",
  );
  await expect(runStacked(service("below", log), failing("above"), signal)).rejects.toThrow(
    "above fails",
  );
  expect(log).toEqual(["above is told", "above ends", "below is told", "below ends"]);
});

test("who is told to stop before it began ends at once", async () => {
  const log: string[] = [];
  await runStacked(service("below", log), service("above", log), AbortSignal.abort());
  expect(log).toEqual(["above is told", "above ends", "below is told", "below ends"]);
});
