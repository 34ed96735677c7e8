import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SqliteFile } from "../../pkg/datastore/sqlite/sqlite-file.ts";
import { CrashableDisk, type PowerCut } from "./crash-states.ts";
import { type DiskOperation, recordDisk } from "./disk-recording.ts";
import { Random } from "./random.ts";

export interface PowerLossOptions {
  /** Empty, and removed at the end. */
  readonly directory: string;
  readonly turns: number;
  readonly lives: number;
  /** How many differently torn states are looked at after each write and sync. */
  readonly tornStates: number;
  readonly seed: number;
  /** A disk that only says that it has synced the log: to see that this is found out. */
  readonly lies?: boolean;
}

export interface PowerLossResult {
  readonly operations: number;
  readonly syncs: number;
  readonly acknowledged: number;
  /** Disks on which the store was opened. */
  readonly states: number;
  readonly violations: readonly string[];
}

interface Acknowledged {
  readonly turn: number;
  readonly revision: number;
}

const files = ["state.db", "state.db-wal", "state.db.new", "state.db.new-wal", "acknowledged"];
const writer = new URL("./recorded-writer.ts", import.meta.url).pathname;

/**
 * Records a real store at work, then cuts the power after each thing that it asked of the disk, in several ways, and
 * opens the real store on what is left.
 */
export async function cutPowerEverywhere(options: PowerLossOptions): Promise<PowerLossResult> {
  const { directory, turns, lives } = options;
  const operations = await recordDisk(join(directory, "recorded"), files, [
    ...[process.execPath, writer, join(directory, "recorded"), String(turns), String(lives)],
  ]);
  const disk = new CrashableDisk();
  const random = new Random(options.seed);
  const acknowledged = new Map<string, Acknowledged>();
  const violations: string[] = [];
  let [count, states, syncs] = [0, 0, 0];
  const look = (cut: PowerCut, index: number) => {
    states++;
    const found = disk.after(cut);
    const broken = lookAfterCut(join(directory, "cut"), found, acknowledged);
    violations.push(...broken.map((one) => `cut ${cut.type} after operation ${index}: ${one}`));
  };
  for (const [index, operation] of operations.entries()) {
    const acknowledges = operation.file === "acknowledged";
    if (acknowledges) count += noteAcknowledged(operation, acknowledged);
    else if (
      options.lies !== true ||
      operation.type !== "sync" ||
      operation.file !== "state.db-wal"
    )
      disk.apply(operation);
    for (let torn = 0; torn < options.tornStates; torn++) look({ type: "torn", random }, index);
    if (operation.type === "write" && !acknowledges) continue;
    if (operation.type === "sync") syncs++;
    look({ type: "kept" }, index);
    look({ type: "lost", of: () => true }, index);
    look({ type: "lost", of: (file) => file === "state.db" }, index);
    look({ type: "lost", of: (file) => file === "state.db-wal" }, index);
  }
  rmSync(directory, { recursive: true });
  return { operations: operations.length, syncs, acknowledged: count, states, violations };
}

function noteAcknowledged(operation: DiskOperation, into: Map<string, Acknowledged>): number {
  if (operation.type !== "write") return 0;
  const lines = operation.bytes.toString().trim().split("\n");
  for (const line of lines) {
    const [key = "", turn, revision] = line.split(" ");
    into.set(key, { turn: Number(turn), revision: Number(revision) });
  }
  return lines.length;
}

function lookAfterCut(
  directory: string,
  found: ReadonlyMap<string, Buffer>,
  acknowledged: ReadonlyMap<string, Acknowledged>,
): string[] {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  for (const [name, content] of found) writeFileSync(join(directory, name), content);
  const broken: string[] = [];
  let file: SqliteFile;
  try {
    file = SqliteFile.open({
      file: join(directory, "state.db"),
      fileBytesMax: 2 ** 30,
      logPagesMax: 60,
      lockWaitMs: 0,
    });
  } catch (error) {
    return [`the store does not open: ${error instanceof Error ? error.message : error}`];
  }
  const values = new Map([...file.values()].map((value) => [value.key, value]));
  for (const [key, { turn, revision }] of acknowledged) {
    if (revision > file.state.revision)
      broken.push(
        `revision ${revision} was acknowledged, and the store is at ${file.state.revision}`,
      );
    const value = values.get(key);
    const there =
      value === undefined
        ? undefined
        : Number(
            Buffer.from(value.value ?? [])
              .toString()
              .split(" ")[0],
          );
    // Each key's next write was on its way, and may be there.
    const fits =
      there === undefined
        ? turn % 5 === 4 || (turn + 1) % 5 === 4
        : there === turn + 1 || (there === turn && value?.revision === revision);
    if (!fits) broken.push(`turn ${turn} of ${key} was acknowledged, and there is ${there}`);
  }
  file.close(file.state.revision);
  return broken;
}
