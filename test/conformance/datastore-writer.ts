import { writeSync } from "node:fs";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";

/**
 * A process that writes to a datastore as fast as it can until it is killed. Each of its workers has one write in
 * flight at a time, and says on the standard output, a line each, what was acknowledged: "durable" or "lazy", key,
 * revision, seed, turn, "put" or "delete". Turn by turn a worker goes round its ten keys. The first line is
 * "opened" and the revision.
 */
const [file = "", seed = "0"] = process.argv.slice(2);
const pause = new Int32Array(new SharedArrayBuffer(4));
const store = await openSqliteDatastore({ file, lazyFlushMs: 20 });
say(`opened ${await store.currentRevision()}`);
await Promise.all(Array.from({ length: 16 }, (_, worker) => writeOn(worker)));

async function writeOn(worker: number): Promise<never> {
  const durability = worker % 4 === 0 ? "lazy" : "durable";
  for (let turn = 0; ; turn++) {
    const key = `${durability}/${worker}-${turn % 10}`;
    const value = new TextEncoder().encode(`${seed} ${turn}`);
    const current = await store.get(key);
    const deletes = turn % 7 === 0 && current !== undefined;
    try {
      const result =
        current === undefined
          ? await store.create(key, value, { durability })
          : deletes
            ? await store.delete(key, current.revision, { durability })
            : await store.update(key, value, current.revision, { durability });
      if (result.outcome === "conflict") throw new Error(`nobody else writes ${key}`);
      const { revision } = result.stored;
      say(`${durability} ${key} ${revision} ${seed} ${turn} ${deletes ? "delete" : "put"}`);
    } catch (error) {
      say(`failed ${error instanceof Error ? error.message : String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Before anything else happens: what was not said was not acknowledged. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
