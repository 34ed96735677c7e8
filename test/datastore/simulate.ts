import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PlantedFaults, type SimulationResult, simulate } from "./simulation.ts";

/**
 * Replays one run, or looks for one that fails:
 *   node test/datastore/simulate.ts <memory|sqlite> <first seed> [<seeds>] [<planted fault>]
 */
const [driver = "sqlite", first = "1", seeds = "1", fault] = process.argv.slice(2);
if (driver !== "memory" && driver !== "sqlite") throw new Error("the driver is memory or sqlite");
const faults: PlantedFaults = fault === undefined ? {} : { [fault]: true };
const crashes = new Map<string, number>();
for (let seed = Number(first); seed < Number(first) + Number(seeds); seed++) {
  const directory = await mkdtemp(join(tmpdir(), "mini8s-simulation-"));
  let result: SimulationResult;
  try {
    result = await simulate({ seed, driver, directory, faults });
  } finally {
    await rm(directory, { recursive: true });
  }
  for (const one of result.crashes) crashes.set(one, (crashes.get(one) ?? 0) + 1);
  if (result.violations.length === 0) continue;
  console.log(`seed ${seed} breaks ${result.violations.length} promises:`);
  for (const violation of result.violations.slice(0, 20)) console.log(`  ${violation}`);
  process.exitCode = 1;
  break;
}
console.log(`crashes: ${JSON.stringify(Object.fromEntries(crashes))}`);
