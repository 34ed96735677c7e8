import { join } from "node:path";
import type { Datastore, Durability, Revision } from "../../pkg/datastore/datastore.ts";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import { ManualClock } from "../support/manual-clock.ts";

/**
 * What an idle node writes to a store in `directory`: its lease every ten seconds, two leaders' leases every two seconds,
 * an event a minute. It does so for `seconds` of a clock of its own, and is then killed as it is.
 */
const [directory = "", seconds = "0"] = process.argv.slice(2);
const clock = new ManualClock();
const store: Datastore = await openSqliteDatastore({ file: join(directory, "state.db"), clock });
const revisions = new Map<string, Revision>();
for (let second = 0; second <= Number(seconds); second += 2) {
  await write("leases.coordination.k8s.io/kube-system/scheduler", 700, "lazy");
  await write("leases.coordination.k8s.io/kube-system/controllers", 700, "lazy");
  if (second % 10 === 0) await write("leases.coordination.k8s.io/node/a", 700, "at-close");
  if (second % 60 === 0) await write(`events/default/${second}`, 900, "lazy");
  await clock.advance(2_000);
}
process.kill(process.pid, "SIGKILL");

async function write(key: string, bytes: number, durability: Durability): Promise<void> {
  const value = Buffer.alloc(bytes, `${revisions.size}`);
  const expected = revisions.get(key);
  const result =
    expected === undefined
      ? await store.create(key, value, { durability })
      : await store.update(key, value, expected, { durability });
  if (result.outcome === "conflict") throw new Error("nobody else writes here");
  revisions.set(key, result.stored.revision);
}
