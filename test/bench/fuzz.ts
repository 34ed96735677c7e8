import { fuzz, startFuzzed } from "../server/fuzz-run.ts";
import type { Figure } from "./figure.ts";

const forMs = 60_000;

/** For a minute, requests as nobody should make them, other ones each time: a failure names the seed. */
export async function measureFuzz(): Promise<readonly Figure[]> {
  await using fuzzed = await startFuzzed();
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { requests, longestStallMs } = await fuzz(fuzzed, { seed, runs: 1_000_000, forMs });
  if (fuzzed.logged.length > 0) throw new Error(`the server failed, seed ${seed}`);
  return [
    {
      name: "hostile requests answered in a minute",
      unit: "requests",
      value: requests,
      better: "more",
    },
    {
      name: "longest stall of the event loop by one of them",
      unit: "ms",
      value: longestStallMs,
      budget: 50,
      better: "less",
    },
  ];
}
