import { expect, test } from "vitest";
import { formatDelay, RestartBackoff } from "./restart-backoff.ts";

test("the first restart is at once, then the waits double up to five minutes", () => {
  const backoff = new RestartBackoff();
  const waits: string[] = [];
  let now = 0;
  for (let crash = 0; crash < 8; crash += 1) {
    const delay = backoff.delayMs("app", now);
    waits.push(formatDelay(delay));
    now += delay;
    backoff.restarted("app", now, now);
  }
  expect(waits).toEqual(["0s", "10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
});

test("who ran for ten minutes starts over", () => {
  const backoff = new RestartBackoff();
  backoff.restarted("app", 0, 0);
  expect(backoff.delayMs("app", 599_000)).toBe(10_000);
  expect(backoff.delayMs("app", 600_001)).toBe(0);
});
