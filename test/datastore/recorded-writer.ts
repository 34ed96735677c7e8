import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";

/**
 * Writes to a store in `directory` for some turns, closes it and opens it again now and then. What was acknowledged it
 * notes, line by line, in the file "acknowledged": key, turn, revision. Of each key's turns every fifth is a delete.
 */
const [directory = "", turns = "20", lives = "3"] = process.argv.slice(2);
const acknowledged = openSync(join(directory, "acknowledged"), "a");
const workers = 4;
const states = new Map<string, { readonly revision: number } | undefined>();
for (let life = 0; life < Number(lives); life++) {
  await using store = await openSqliteDatastore({
    file: join(directory, "state.db"),
    history: { eventsMax: 30 },
    logPagesMax: 60,
  });
  const write = async (worker: number, turn: number): Promise<void> => {
    const key = `k/${worker}`;
    const value = Buffer.from(`${turn} ${"x".repeat((turn * 997) % 9_000)}`);
    const before = states.get(key);
    const result =
      before === undefined
        ? await store.create(key, value)
        : turn % 5 === 4
          ? await store.delete(key, before.revision)
          : await store.update(key, value, before.revision);
    if (result.outcome === "conflict") throw new Error("nobody else writes here");
    const { revision } = result.stored;
    states.set(key, before !== undefined && turn % 5 === 4 ? undefined : result.stored);
    writeSync(acknowledged, `${key} ${turn} ${revision}\n`);
  };
  const first = life * Number(turns);
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (let turn = first; turn < first + Number(turns); turn++) await write(worker, turn);
    }),
  );
}
