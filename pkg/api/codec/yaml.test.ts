import { expect, test } from "vitest";
import { parseYaml, printYaml, YamlError } from "./yaml.ts";

const read = (text: string) => parseYaml(text).value;

test.each([
  ["0644", 420],
  ["0o17", 15],
  ["0x1f", 31],
  ["089", 89],
  ["1_000", 1000],
  ["-1", -1],
  ["9007199254740993", 9007199254740993n],
  ["1e3", 1000],
  ["1_0.5", 10.5],
  ["y", true],
  [".5", 0.5],
  ["yes", true],
  ["off", false],
  ["~", null],
  ["12:30:45", "12:30:45"],
  ["2024-01-01", "2024-01-01"],
  ['"yes"', "yes"],
  ["1.2.3", "1.2.3"],
])("%s is read as Go's YAML 1.1 reads it", (text, value) => {
  expect(read(`a: ${text}`)).toEqual({ a: value });
});

test("JSON is YAML, and nothing at all is null", () => {
  expect(read('{"a":[1,"b"]}')).toEqual({ a: [1, "b"] });
  expect(read("")).toBeNull();
  expect(read("# nothing\n")).toBeNull();
});

test("__proto__ is a key like any other", () => {
  const value = read("__proto__: 1\nconstructor: 2") as object;
  expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
});

test("aliases and merge keys are followed", () => {
  expect(read("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 1")).toEqual({
    a: { b: 1 },
    c: { b: 1 },
    d: { b: 1, e: 1 },
  });
});

test("a document that unfolds to too much is refused", () => {
  let text = "a: &a [1,1,1,1,1,1,1,1,1,1]\n";
  for (const [index, name] of [..."bcdefghi"].entries()) {
    const previous = "abcdefghi"[index];
    text += `${name}: &${name} [${Array(10).fill(`*${previous}`).join(",")}]\n`;
  }
  expect(() => parseYaml(text)).toThrow("document contains excessive aliasing");
});

test("what is nested too deeply is refused", () => {
  expect(() => parseYaml("[".repeat(100_000))).toThrow(YamlError);
});

test("a doubled key is told by its line, and the last one wins", () => {
  const text = "a: 1\nb:\n  c: 1\na: 2";
  expect(parseYaml(text)).toEqual({ value: { a: 2, b: { c: 1 } }, strictErrors: [] });
  expect(parseYaml(text, { findDuplicates: true }).strictErrors).toEqual([
    'error converting YAML to JSON: yaml: unmarshal errors:\n  line 4: key "a" already set in map',
  ]);
});

test("what is no YAML is refused with its line", () => {
  expect(() => parseYaml("a: b: c")).toThrow(/^error converting YAML to JSON: yaml: line 1: /);
  expect(() => parseYaml("a:\n\t- b")).toThrow(/line 2: .*tab/);
});

test("what is printed reads back as the same, in any YAML", () => {
  const value = {
    b: [{ x: 1, y: "yes" }, "0644", "12:30", "a: b", "two\nlines\n"],
    a: {},
    big: 9007199254740993n,
    none: null,
    time: "2024-01-01T00:00:00Z",
  };
  const text = printYaml(value);
  expect(read(text)).toEqual(value);
  expect(text).toBe(
    'a: {}\nb:\n- x: 1\n  "y": "yes"\n- "0644"\n- "12:30"\n- "a: b"\n- |\n  two\n  lines\nbig: 9007199254740993\nnone: null\ntime: "2024-01-01T00:00:00Z"\n',
  );
});
