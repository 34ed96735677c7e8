import { expect, test } from "vitest";
import { ManualClock, settle } from "../../test/support/manual-clock.ts";
import { ApiError } from "../api/api-error.ts";
import type { KubernetesObject } from "../api/object.ts";
import { silentLogger } from "../base/log.ts";
import { createHttpInformer, type WatchLine } from "./http-informer.ts";

function thing(name: string, version: number): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Thing",
    metadata: {
      name,
      uid: name,
      resourceVersion: String(version),
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
  };
}

/** Each watch yields its lines and then ends as its last step says. */
type Script = {
  readonly lists: readonly (readonly [items: readonly KubernetesObject[], version: string])[];
  readonly watches: readonly (readonly (WatchLine<KubernetesObject> | Error | "hang")[])[];
};

function follow(script: Script) {
  const clock = new ManualClock();
  const calls: string[] = [];
  let lists = 0;
  let watches = 0;
  const informer = createHttpInformer<KubernetesObject>({
    name: "things",
    clock,
    logger: silentLogger,
    random: () => 0,
    source: {
      list(resourceVersion) {
        calls.push(`list ${resourceVersion}`);
        const [items, version] = script.lists[lists++] ?? [[], "0"];
        return Promise.resolve({ items, resourceVersion: version });
      },
      async *watch(resourceVersion, _seconds, signal) {
        calls.push(`watch ${resourceVersion}`);
        for (const step of script.watches[watches++] ?? ["hang"]) {
          if (step instanceof Error) throw step;
          if (step !== "hang") {
            yield step;
            continue;
          }
          await new Promise<void>((resolve) => {
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
        }
      },
    },
  });
  const told: string[] = [];
  informer.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
  return { clock, calls, informer, told };
}

test("a watch that ends goes on from the last event or bookmark", async () => {
  const stop = new AbortController();
  const { calls, informer, told } = follow({
    lists: [[[thing("a", 1)], "3"]],
    watches: [
      [
        { type: "set", object: thing("b", 4) },
        { type: "bookmark", object: thing("", 9) },
      ],
      [{ type: "deleted", object: thing("a", 10) }, "hang"],
    ],
  });
  const running = informer.run(stop.signal);
  await informer.caughtUp("10", stop.signal);
  expect(calls).toEqual(["list 0", "watch 3", "watch 9"]);
  expect(told).toEqual(["added a", "added b", "deleted a"]);
  stop.abort();
  await running;
});

test("history that is gone means a list that is surely current, and its differences are told", async () => {
  const stop = new AbortController();
  const { clock, calls, informer, told } = follow({
    lists: [
      [[thing("a", 1), thing("b", 2)], "3"],
      [[thing("b", 2), thing("c", 8)], "9"],
    ],
    watches: [[new ApiError("Expired", "too old resource version")], ["hang"]],
  });
  const running = informer.run(stop.signal);
  await settle();
  await clock.advance(800);
  expect(calls).toEqual(["list 0", "watch 3", "list ", "watch 9"]);
  expect(told).toEqual(["added a", "added b", "deleted a", "added c"]);
  stop.abort();
  await running;
});

test("a server that is not there is asked later each time", async () => {
  const stop = new AbortController();
  const down = new ApiError("ServiceUnavailable", "nobody there");
  const { clock, calls, informer } = follow({
    lists: [[[], "3"]],
    watches: [[down], [down], [down], ["hang"]],
  });
  const running = informer.run(stop.signal);
  const waits: (number | undefined)[] = [];
  for (let tries = 0; tries < 3; tries++) {
    await settle();
    waits.push(clock.nextInMs);
    await clock.advance(clock.nextInMs ?? 0);
  }
  expect(waits).toEqual([800, 1600, 3200]);
  expect(calls).toEqual(["list 0", "watch 3", "watch 3", "watch 3", "watch 3"]);
  stop.abort();
  await running;
});

test("a server that ends each watch as soon as it began is not asked in a circle", async () => {
  const stop = new AbortController();
  const { clock, calls, informer } = follow({
    lists: [[[], "3"]],
    watches: [[], [], ["hang"]],
  });
  const running = informer.run(stop.signal);
  await settle();
  expect(calls).toEqual(["list 0", "watch 3"]);
  await clock.advance(800);
  expect(calls).toEqual(["list 0", "watch 3", "watch 3"]);
  await clock.advance(1600);
  expect(calls).toHaveLength(4);
  stop.abort();
  await running;
});
