import { describe, expect, test } from "vitest";
import type {
  ReadMode,
  Recorded,
  RecordedRead,
  RecordedWatch,
  RecordedWrite,
  SeenEvent,
  SeenState,
} from "./recorded.ts";
import { violationsOf } from "./validate.ts";

const a1: SeenState = { key: "k/a", revision: 1, createRevision: 1, value: "one red" };
const a2: SeenState = { key: "k/a", revision: 2, createRevision: 1, value: "two blue" };
const gone3: SeenState = { key: "k/a", revision: 3, createRevision: 1, value: "two blue" };

type Outcome = RecordedWrite["outcome"];

function write(
  did: RecordedWrite["did"],
  at: number,
  expected: number | undefined,
  value: string,
  outcome: Outcome,
): RecordedWrite {
  return { what: "write", did, key: "k/a", expected, value, began: at, ended: at + 0.5, outcome };
}

function read(at: number, mode: ReadMode, revision: number, states: SeenState[]): RecordedRead {
  const outcome = { revision, states };
  return { what: "read", view: "v", prefix: "k/", mode, began: at, ended: at + 0.5, outcome };
}

function watch(
  after: number,
  events: readonly SeenEvent[],
  upTo: number,
  selects?: (value: string) => boolean,
): RecordedWatch {
  const steps = [{ type: "events", at: 9, events, upTo }] as const;
  return { what: "watch", view: "v", prefix: "k/", after, selects, steps: [...steps] };
}

/** Made, changed and deleted. */
const writes: readonly Recorded[] = [
  write("create", 1, undefined, "one red", { written: a1 }),
  write("update", 2, 1, "two blue", { written: a2 }),
  write("delete", 3, 2, "two blue", { written: gone3 }),
];
const added: SeenEvent = { type: "added", current: a1 };
const modified: SeenEvent = { type: "modified", current: a2, previous: a1 };
const deleted: SeenEvent = { type: "deleted", current: gone3, previous: a2 };
const isRed = (value: string) => value.endsWith("red");
const isBlue = (value: string) => value.endsWith("blue");

describe("a history that keeps every promise breaks none", () => {
  test.each<[string, Recorded[]]>([
    ["a consistent read", [read(4, { type: "consistent" }, 3, [])]],
    ["any read", [read(4, { type: "any" }, 1, [a1])]],
    ["an exact read", [read(4, { type: "exact", at: 2 }, 2, [a2])]],
    ["a watch of it all", [watch(0, [added, modified, deleted], 3)]],
    ["a watch that was resumed", [watch(0, [added], 1), watch(1, [modified, deleted], 3)]],
    [
      "a watch of what is red, which it ceases to be",
      [watch(0, [added, { type: "deleted", current: { ...a1, revision: 2 } }], 3, isRed)],
    ],
    [
      "a watch of what is blue, which it comes to be",
      [watch(0, [{ type: "added", current: a2 }, deleted], 3, isBlue)],
    ],
    ["a write that lost a race", [write("update", 2, 1, "x", { conflict: a2 })]],
    [
      "a write whose outcome nobody heard",
      [{ ...write("create", 4, undefined, "new", "unknown"), key: "k/b" }],
    ],
  ])("%s", (_name, more) => {
    expect(violationsOf([...writes, ...more])).toEqual([]);
  });
});

describe("what breaks a promise is told", () => {
  test.each<[string, Recorded[], RegExp]>([
    ["a stale read", [read(4, { type: "consistent" }, 2, [a2])], /older than 3/],
    [
      "a read that is older than asked",
      [read(4, { type: "not older", than: 3 }, 2, [a2])],
      /than 3/,
    ],
    [
      "another version than exactly that",
      [read(4, { type: "exact", at: 1 }, 2, [a2])],
      /at 1 is at/,
    ],
    ["an object that is missing", [read(4, { type: "any" }, 2, [])], /as nothing instead of/],
    ["an object that is deleted", [read(4, { type: "any" }, 3, [a2])], /but k\/a is not there/],
    ["an event that is missing", [watch(0, [added, deleted], 3)], /misses modified/],
    ["a delete that is missing", [watch(0, [added, modified], 3)], /misses deleted/],
    [
      "an event told twice",
      [watch(0, [added, modified, modified, deleted], 3)],
      /wrongly or again/,
    ],
    ["events out of order", [watch(0, [modified, added, deleted], 3)], /out of order/],
    ["an event from before", [watch(1, [added, modified, deleted], 3)], /wrongly or again/],
    [
      "a bookmark that comes too early",
      [{ ...watch(0, [], 2), steps: [...watch(0, [], 2).steps, ...watch(0, [added], 3).steps] }],
      /misses added/,
    ],
    [
      "the wrong type",
      [watch(0, [{ ...added, type: "modified" }, modified, deleted], 3)],
      /misses/,
    ],
    [
      "a delete that tells an older state",
      [watch(2, [{ type: "deleted", current: { ...gone3, value: "one red" } }], 3)],
      /means two things/,
    ],
    [
      "the wrong previous state",
      [watch(1, [{ ...modified, previous: gone3 }, deleted], 3)],
      /replaced/,
    ],
    ["a selection not left", [watch(0, [added], 3, isRed)], /misses deleted k\/a="one red"@2/],
    [
      "two winners of a race",
      [write("update", 2, 1, "other", { written: { ...a2, revision: 4, value: "other" } })],
      /expected 1 but replaced/,
    ],
    ["a conflict over nothing", [write("update", 2, 2, "x", { conflict: a2 })], /what it expected/],
    [
      "a refused write that is there",
      [write("update", 5, 1, "two blue", "refused")],
      /was refused/,
    ],
    [
      "a version that comes again",
      [write("create", 5, undefined, "again", { written: { ...a1, revision: 2, value: "again" } })],
      /after 3 was known/,
    ],
    [
      "a store that lost something",
      [{ what: "opening", after: "crash", at: 5, revision: 10, states: [a2] }],
      /something acknowledged is lost/,
    ],
    [
      "a store that went back",
      [{ what: "opening", after: "crash", at: 5, revision: 2, states: [a2] }],
      /is at revision 2, but 3 was seen/,
    ],
    [
      "a watch that expires without need",
      [{ ...watch(2, [], 2), steps: [{ type: "expired", at: 5, oldest: 1 }] }],
      /though history reaches back to 1/,
    ],
  ])("%s", (_name, more, why) => {
    expect(violationsOf([...writes, ...more]).join("\n")).toMatch(why);
  });
});
