import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DatastoreError } from "../../pkg/datastore/datastore.ts";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";

/**
 * Writes one value after another to one key until its input says otherwise, and tells of each: "written <turn>
 * <revision>" or "refused <turn> <reason>", with "reads <turn>" of what is read there after it. First "opened".
 */
const [file = "", bytes = "100", fileBytesMax = String(2 ** 30)] = process.argv.slice(2);
const store = await openSqliteDatastore({
  file,
  fileBytesMax: Number(fileBytesMax),
  logPagesMax: 50,
});
say("opened");
for (let turn = 1; ; turn++) {
  const before = await store.get("k/a");
  const value = Buffer.from(`${turn} ${"x".repeat(Number(bytes))}`);
  try {
    const result =
      before === undefined
        ? await store.create("k/a", value)
        : await store.update("k/a", value, before.revision);
    if (result.outcome === "conflict") throw new Error("nobody else writes here");
    say(`written ${turn} ${result.stored.revision}`);
  } catch (error) {
    if (!(error instanceof DatastoreError)) throw error;
    say(`refused ${turn} ${error.reason}`);
    await sleep(20);
  }
  say(
    `reads ${
      Buffer.from((await store.get("k/a"))?.value ?? [])
        .toString()
        .split(" ")[0]
    }`,
  );
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
