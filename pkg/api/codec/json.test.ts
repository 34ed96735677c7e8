import { expect, test } from "vitest";
import { jsonDepthMax, parseJson, parseJsonValue } from "./json.ts";

test("what JSON.parse reads is read alike", () => {
  const text = '{"a":[1,2.5,-3e2,true,false,null,"x\\n\\"\\u00e9"],"b":{"c":{}}, "d" : "é" }';
  expect(parseJsonValue(text)).toEqual(JSON.parse(text));
  expect(parseJsonValue(Buffer.from(text))).toEqual(JSON.parse(text));
});

test("an int64 keeps every digit, in and out", () => {
  const text = '{"a":9007199254740993,"b":-9223372036854775808,"c":1,"d":"9007199254740993"}';
  const value = parseJsonValue(text);
  expect(value).toMatchObject({ a: 9007199254740993n, b: -9223372036854775808n, c: 1 });
  expect(JSON.stringify(value)).toBe(text);
});

test("a long number that is no integer, or fits a double, stays a number", () => {
  expect(parseJsonValue("[0.1250000000000000000, 1000000000000000]")).toEqual([
    0.125, 1000000000000000,
  ]);
});

test("__proto__ is a key like any other", () => {
  for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":{"a":9007199254740993}}']) {
    const value = parseJsonValue(text) as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe(text);
  }
});

test("doubled keys are found where they are asked for, and the last one wins", () => {
  const text = '{"a":1,"b":{"x":1,"y":2,"x":3},"a":2}';
  expect(parseJson(text).duplicates).toBeUndefined();
  const { value, duplicates } = parseJson(text, { findDuplicates: true });
  expect(value).toEqual({ a: 2, b: { x: 3, y: 2 } });
  expect([...(duplicates?.values() ?? [])]).toEqual([
    [{ key: "x", after: 2 }],
    [{ key: "a", after: 2 }],
  ]);
});

test("a text without doubled keys has none, whatever its strings hold", () => {
  const text = '{"a":"b\\":\\"c: {","d":[{"e":":"},{"e":"\\\\"}]}';
  expect(parseJson(text, { findDuplicates: true }).duplicates).toBeUndefined();
});

test("invalid UTF-8 and lone surrogates become U+FFFD, as in Go", () => {
  expect(parseJsonValue(Buffer.from([0x22, 0xff, 0x22]))).toBe("\ufffd");
  expect(parseJsonValue('"\\ud800x"')).toBe("\ufffdx");
  expect(parseJsonValue('"\\ud83d\\ude00"')).toBe("😀");
});

test("what is nested too deeply is refused, at any length", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(() => parseJsonValue(nested(jsonDepthMax))).not.toThrow();
  expect(() => parseJsonValue(nested(jsonDepthMax + 1))).toThrow("exceeded max depth");
  expect(() => parseJsonValue("[".repeat(3_000_000))).toThrow("exceeded max depth");
});

test.each([
  ["", "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ["{a", "invalid character 'a' looking for beginning of object key string"],
  ['{"a":}', "invalid character '}' looking for beginning of value"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["nulL", "invalid character 'L' in literal null (expecting 'l')"],
  ['"\\q"', "invalid character 'q' in string escape code"],
  ["{} x", "invalid character 'x' after top-level value"],
  ["-x", "invalid character 'x' in numeric literal"],
  ["kind: Pod", "invalid character 'k' looking for beginning of value"],
])("%j is refused in Go's words", (text, message) => {
  expect(() => parseJsonValue(text)).toThrow(message);
});
