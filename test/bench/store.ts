import { mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import { killStorm } from "../datastore/kill-storm.ts";
import { updateMany } from "../datastore/million-updates.ts";
import { cutPowerEverywhere } from "../datastore/power-loss.ts";
import { type Figure, median } from "./figure.ts";
import { perSecond, repeated } from "./load.ts";
import { sqliteRowsPerSecond } from "./raw-sqlite.ts";

const objectBytes = 3_000;
const inFlight = 64;
const sqliteMs = 1_000;
const stormRounds = 1_000;
const updates = 1_000_000;
const mebibyte = 1024 * 1024;
const capBytes = 40 * mebibyte;

/** What the store alone costs, and what it loses when it is treated badly. */
export async function measureStore(): Promise<readonly Figure[]> {
  const directory = await mkdtemp("/var/tmp/mini8s-store-");
  try {
    return [...(await measureWrites(directory)), ...(await measureLosses(directory))];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureWrites(directory: string): Promise<readonly Figure[]> {
  const file = join(directory, "writes.db");
  await using store = await openSqliteDatastore({ file });
  const value = new Uint8Array(objectBytes).fill(120);
  const create = (prefix: string, count: number, atOnce: number) =>
    perSecond(count, atOnce, async (index) => {
      await store.create(`configmaps/default/${prefix}-${index}`, value);
    });
  await create("warm", 1_000, inFlight);
  const single = median(await repeated(3, (run) => create(`one-${run}`, 500, 1)));
  const many = median(await repeated(3, (run) => create(`many-${run}`, 5_000, inFlight)));
  return [
    {
      name: "the store alone: writes of 3 kB, one at a time",
      ...{ unit: "/s", value: single, better: "more" },
      floor: {
        what: "SQLite, 1 row a commit",
        value: await sqliteRowsPerSecond(1, objectBytes, sqliteMs),
      },
    },
    {
      name: "the store alone: writes of 3 kB, 64 in flight",
      ...{ unit: "/s", value: many, better: "more" },
      floor: {
        what: "SQLite, 64 rows a commit",
        value: await sqliteRowsPerSecond(inFlight, objectBytes, sqliteMs),
      },
    },
  ];
}

async function measureLosses(directory: string): Promise<readonly Figure[]> {
  const file = join(directory, "updates.db");
  const many = await updateMany(file, updates, capBytes);
  const storm = await killStorm(join(directory, "storm.db"), stormRounds, Date.now());
  const power = await cutPowerEverywhere({
    ...{ directory: join(directory, "power"), turns: 40, lives: 4, tornStates: 4 },
    seed: Date.now(),
  });
  for (const violation of [...storm.violations, ...power.violations].slice(0, 20))
    console.error(`bench: ${violation}`);
  return [
    {
      name: `${updates.toLocaleString("en-US")} updates: the file, at its largest`,
      ...{ unit: "MB", value: many.fileBytesMax / mebibyte, budget: capBytes / mebibyte },
      better: "less",
    },
    {
      name: "the same: the file once it is closed",
      ...{ unit: "MB", value: (await stat(file)).size / mebibyte, better: "less" },
    },
    {
      name: `kill -9 in a storm of writes, ${stormRounds.toLocaleString("en-US")} rounds, ${storm.acknowledged.toLocaleString("en-US")} acknowledged: lost`,
      ...{ unit: "", value: storm.violations.length, budget: 0, better: "less" },
    },
    {
      name: `power cut after each of ${power.operations.toLocaleString("en-US")} writes and syncs, ${power.states.toLocaleString("en-US")} states: with a loss`,
      ...{ unit: "", value: power.violations.length, budget: 0, better: "less" },
    },
  ];
}
