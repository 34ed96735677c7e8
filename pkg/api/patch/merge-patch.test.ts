import { expect, test } from "vitest";
import { applyMergePatch } from "./merge-patch.ts";

test.each<[unknown, unknown, unknown]>([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  [{ a: { b: 1 } }, { a: 1 }, { a: 1 }],
  [{ a: 1 }, { a: { b: { c: null, d: 1 } } }, { a: { b: { d: 1 } } }],
  // Where a list replaces a list, nulls within its objects go, and null items stay.
  [{ a: [1] }, { a: [{ b: null, c: 1 }, null] }, { a: [{ c: 1 }, null] }],
  // Where a list replaces an object, they are kept.
  [{ a: {} }, { a: [{ b: null }] }, { a: [{ b: null }] }],
  [{ a: "b" }, {}, { a: "b" }],
])("%j with %j is %j", (document, patch, result) => {
  expect(applyMergePatch(document, patch)).toEqual(result);
});

test.each<[unknown, string]>([
  [null, "Invalid JSON Patch"],
  [
    [],
    "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
  ],
  [
    "x",
    "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}",
  ],
  [
    true,
    "error decoding patch: json: cannot unmarshal bool into Go value of type map[string]interface {}",
  ],
])("%j is no merge patch", (patch, message) => {
  expect(() => applyMergePatch({}, patch)).toThrow(
    expect.objectContaining({ code: 400, reason: "BadRequest", message }),
  );
});

test("__proto__ is a plain key", () => {
  const patched = applyMergePatch(
    { a: 1 },
    JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
  );
  expect(JSON.stringify(patched)).toBe(
    '{"a":1,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  );
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(JSON.stringify(applyMergePatch(patched, JSON.parse('{"__proto__":null}')))).toBe(
    '{"a":1,"constructor":{"prototype":{"polluted":1}}}',
  );
});

test("neither the document nor the patch is touched or shared", () => {
  const document = Object.freeze({ a: Object.freeze({ b: 1 }), kept: Object.freeze({}) });
  const patch = { a: { c: Object.freeze([1]) } };
  const patched = applyMergePatch(document, patch) as { a: { c: number[] }; kept: object };
  patched.a.c.push(2);
  expect(patch.a.c).toEqual([1]);
  expect(patched.kept).not.toBe(document.kept);
});
