import { expect, test } from "vitest";
import { Limiter } from "./limiter.ts";

const never = new AbortController().signal;

test("no more than so many work at once, and all get their turn in order", async () => {
  const limiter = new Limiter(2);
  const order: number[] = [];
  let working = 0;
  let most = 0;
  await Promise.all(
    [0, 1, 2, 3, 4].map((number) =>
      limiter.run(async () => {
        working += 1;
        most = Math.max(most, working);
        order.push(number);
        await new Promise(setImmediate);
        working -= 1;
      }, never),
    ),
  );
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

test("who gives up while waiting does not work, and blocks nobody; a failure frees the place", async () => {
  const limiter = new Limiter(1);
  const stop = new AbortController();
  const first = Promise.withResolvers<void>();
  const held = limiter.run(() => first.promise, never);
  const given = limiter.run(() => Promise.reject(new Error("must not run")), stop.signal);
  const last = limiter.run(() => Promise.resolve("done"), never);
  stop.abort(new Error("given up"));
  await expect(given).rejects.toThrow("given up");
  first.reject(new Error("failed"));
  await expect(held).rejects.toThrow("failed");
  expect(await last).toBe("done");
});
