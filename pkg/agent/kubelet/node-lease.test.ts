import { expect, test } from "vitest";
import { ManualClock, settle } from "../../../test/support/manual-clock.ts";
import { ApiError } from "../../api/api-error.ts";
import { silentLogger } from "../../base/log.ts";
import { createNodeLease } from "./node-lease.ts";

test("while the API is away the lease is tried sooner at first, then no more often than it is renewed", async () => {
  const clock = new ManualClock();
  let tries = 0;
  const away = () => {
    tries += 1;
    return Promise.reject(new ApiError("ServiceUnavailable", "nobody there"));
  };
  const lease = createNodeLease({
    client: { get: away, create: away, update: away },
    nodeName: "a",
    nodeUid: () => "u",
    clock,
    logger: silentLogger,
  });
  const stop = new AbortController();
  const running = lease.run(stop.signal);
  const waits: (number | undefined)[] = [];
  for (let count = 0; count < 5; count++) {
    await settle();
    waits.push(clock.nextInMs);
    await clock.advance(clock.nextInMs ?? 0);
  }
  expect(waits).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
  expect(tries).toBe(6);
  stop.abort();
  await running;
});
