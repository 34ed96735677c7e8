import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { SqliteFile } from "../../pkg/datastore/sqlite/sqlite-file.ts";
import { Random } from "./random.ts";

export interface KillStormResult {
  readonly acknowledged: number;
  readonly violations: readonly string[];
}

const writer = new URL("../conformance/datastore-writer.ts", import.meta.url).pathname;
/** How many turns later a worker of the writer comes to the same key again. */
const turnsPerKey = 10;
const turnsPerDelete = 7;

/** What a key holds: which round and turn wrote it last, or that it is not there. */
type State = `${number} ${number}` | "nothing";

interface Acknowledged {
  readonly key: string;
  readonly revision: number;
  readonly turn: number;
  readonly durable: boolean;
  readonly deleted: boolean;
}

/** Starts a storm of writes on one file again and again, and kills it each time in the middle. */
export async function killStorm(
  file: string,
  rounds: number,
  seed: number,
): Promise<KillStormResult> {
  const random = new Random(seed);
  const violations: string[] = [];
  const used = new Set<number>();
  let states: ReadonlyMap<string, State> = new Map();
  let highest = 0;
  for (let round = 1; round <= rounds; round++) {
    const lines = await linesUntilKilled(file, round, 20 + random.below(400));
    const openedAt = Number(lines.shift()?.split(" ")[1]);
    if (openedAt < highest)
      violations.push(`round ${round} began at ${openedAt}, after ${highest}`);
    const last = new Map<string, Acknowledged>();
    for (const line of lines) {
      const one = acknowledgedIn(line);
      if (used.has(one.revision)) violations.push(`revision ${one.revision} was given out twice`);
      used.add(one.revision);
      highest = Math.max(highest, one.revision);
      if (one.durable) last.set(one.key, one);
    }
    const found = statesIn(file);
    for (const key of new Set([...states.keys(), ...last.keys()])) {
      const allowed = allowedStates(round, key, states.get(key) ?? "nothing", last.get(key));
      const state = found.get(key) ?? "nothing";
      if (!allowed.includes(state))
        violations.push(`after round ${round}, ${key} is at ${state} instead of ${allowed}`);
    }
    states = found;
  }
  return { acknowledged: used.size, violations };
}

/** All that a writer acknowledged before it was gone; it is killed when it has said `count` lines. */
async function linesUntilKilled(file: string, round: number, count: number): Promise<string[]> {
  const child: ChildProcess = spawn(process.execPath, [writer, file, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("the writer's output is a pipe");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (lines.push(line) === count) child.kill("SIGKILL");
  }
  return lines;
}

function acknowledgedIn(line: string): Acknowledged {
  const [durability, key = "", revision, , turn, what] = line.split(" ");
  if (what === undefined) throw new Error(`not an acknowledgement: ${line}`);
  return {
    key,
    revision: Number(revision),
    turn: Number(turn),
    durable: durability === "durable",
    deleted: what === "delete",
  };
}

/** What was acknowledged last, or the one write after it that may have been committed and killed before it was said. */
function allowedStates(
  round: number,
  key: string,
  before: State,
  last: Acknowledged | undefined,
): readonly State[] {
  const now: State =
    last === undefined ? before : last.deleted ? "nothing" : `${round} ${last.turn}`;
  const firstTurn = Number(key.slice(key.indexOf("-") + 1));
  const nextTurn = last === undefined ? firstTurn : last.turn + turnsPerKey;
  const deletesNext = nextTurn % turnsPerDelete === 0 && now !== "nothing";
  return [now, deletesNext ? "nothing" : `${round} ${nextTurn}`];
}

/** What a start after the crash finds, of the keys whose writes are durable. */
function statesIn(file: string): ReadonlyMap<string, State> {
  const opened = SqliteFile.open({
    ...{ file, fileBytesMax: 2 ** 30, logPagesMax: 2_000, lockWaitMs: 2_000 },
  });
  const states = new Map<string, State>();
  for (const { key, value } of opened.values()) {
    if (key.startsWith("durable/")) states.set(key, new TextDecoder().decode(value) as State);
  }
  opened.close(opened.state.revision);
  return states;
}
