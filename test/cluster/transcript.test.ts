import { expect, test } from "vitest";
import { parseTranscript, readable, saidPattern } from "../support/transcript.ts";

test("a transcript is its commands, what they say, and which of them fail", () => {
  const text = "\n$ cat <<END\n> a\n> END\na\n$ true\n! false\nno\n\nway\n";
  expect(parseTranscript(text)).toEqual([
    { command: "cat <<END\na\nEND", said: "a", mustFail: false },
    { command: "true", said: "", mustFail: false },
    { command: "false", said: "no\n\nway", mustFail: true },
  ]);
  expect(() => parseTranscript("said by nobody")).toThrow("begins with a command");
});

test.each<[string, string, boolean]>([
  ["a.b created", "a.b created\n", true],
  ["a.b created", "aXb created\n", false],
  ["a", "a\nb\n", false],
  ["a/… created", "a/b-c created\n", true],
  ["a/… created", "a/b\nc created\n", false],
  ["NAME   AGE\na      …", "NAME         AGE  \na            3s\n", true],
  ["NAME   AGE", "NAME AGE\n", false],
  ["  k: v", "  k: v\n", true],
  ["    k: v", "  k: v\n", false],
  ["a\n…\nz", "a\nb\nc\nz\n", true],
  ["a\n…\nz", "a\nz\n", true],
  ["a\n…\nz", "a\nb\n", false],
])("%j is read in %j: %s", (said, output, matches) => {
  expect(saidPattern(said).test(readable(output))).toBe(matches);
});
