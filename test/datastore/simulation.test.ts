import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FileStep } from "../../pkg/datastore/sqlite/file-step.ts";
import { type PlantedFaults, type SimulationResult, simulate } from "./simulation.ts";

let directory = "";
let runs = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "mini8s-simulation-"));
});
afterAll(() => rm(directory, { recursive: true }));

const seeds = 140;
const seedsToFind = 40;

async function run(
  driver: "memory" | "sqlite",
  seed: number,
  faults: PlantedFaults = {},
): Promise<SimulationResult> {
  const own = join(directory, String(runs++));
  const result = await simulate({ seed, driver, directory: own, faults });
  await rm(own, { recursive: true });
  return result;
}

describe("whatever clients, watchers, the disk and crashes do", () => {
  test.each(["memory", "sqlite"] as const)(
    "every promise is kept over %s",
    async (driver) => {
      const crashes = new Set<string>();
      const reached = new Set<FileStep>();
      for (let seed = 1; seed <= seeds; seed++) {
        const result = await run(driver, seed);
        const replay = `replay with: node test/datastore/simulate.ts ${driver} ${seed}`;
        expect(result.violations, replay).toEqual([]);
        for (const step of result.crashes) crashes.add(step);
        for (const step of result.reached) reached.add(step);
      }
      if (driver === "memory") return;
      // A step at which nothing crashed would be one of which nothing is known.
      const steps: (FileStep | "between steps")[] = [
        ...([
          "open: made",
          "open: named",
          "open: prepared",
          "open: tables",
          "open: checked",
        ] as const),
        ...(["open: noted", "commit: begun", "commit: written", "commit: forgotten"] as const),
        ...(["commit: whole", "commit: done", "checkpoint: begun", "checkpoint: done"] as const),
        ...(["close: noted", "close: emptied", "between steps"] as const),
      ];
      expect(steps.filter((step) => !crashes.has(step))).toEqual([]);
      expect(reached).toContain("room: emptied");
    },
    120_000,
  );

  test("a seed is the same run each time, so that it can be looked into", async () => {
    for (const driver of ["memory", "sqlite"] as const) {
      const [first, again] = [await run(driver, 7), await run(driver, 7)];
      expect(first.history.length).toBeGreaterThan(50);
      expect(again.history).toEqual(first.history);
    }
  });
});

describe("what is planted on purpose is found", () => {
  const planted: readonly [name: string, faults: PlantedFaults, tells: RegExp][] = [
    [
      "a lost acknowledged write after a crash",
      { acknowledgesTooEarly: true },
      /means two things|is lost/,
    ],
    ["an event lost to a starved stream", { losesEventsOfStarvedWatches: true }, /misses/],
    ["a doubled event", { doublesEvents: true }, /wrongly or again/],
    [
      "a watch that starts at the compaction revision and misses a delete",
      { watchesFromCompaction: true },
      /misses deleted/,
    ],
    [
      "a revision that falls after a crash in compaction",
      { revisionFallsAfterCompaction: true },
      /opened again is at revision \d+, but \d+ was seen before/,
    ],
    [
      "a stale read after a pause",
      { readsStaleAfterPause: true },
      /a consistent read .* older than/,
    ],
  ];

  test.each(planted)(
    "%s",
    async (_name, faults, tells) => {
      const found: string[] = [];
      for (let seed = 1; seed <= seedsToFind && !found.some((one) => tells.test(one)); seed++)
        found.push(...(await run("sqlite", seed, faults)).violations);
      expect(found.filter((one) => tells.test(one))).not.toEqual([]);
    },
    60_000,
  );
});
