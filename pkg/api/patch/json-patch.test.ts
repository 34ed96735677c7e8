import { describe, expect, test } from "vitest";
import { ApiError } from "../api-error.ts";
import { applyJsonPatch, strictJsonPatchErrors } from "./json-patch.ts";

function refusalOf(document: unknown, patch: unknown): ApiError {
  try {
    applyJsonPatch(document, patch);
  } catch (caught) {
    if (caught instanceof ApiError) return caught;
    throw caught;
  }
  throw new Error("the patch was not refused");
}

const document = {
  metadata: { labels: { app: "web", "a/b": "slash", "c~d": "tilde" } },
  spec: { replicas: 1, ports: [80, 443], nothing: null },
};

describe("each operation", () => {
  test.each<[string, unknown, unknown, unknown]>([
    ["adds a key", { a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
    ["adds over a key", { a: 1 }, [{ op: "add", path: "/a", value: 2 }], { a: 2 }],
    ["adds null where no value is given", {}, [{ op: "add", path: "/a" }], { a: null }],
    ["inserts into a list", [1, 3], [{ op: "add", path: "/1", value: 2 }], [1, 2, 3]],
    ["appends at the length", [1], [{ op: "add", path: "/1", value: 2 }], [1, 2]],
    ["appends at -", [1], [{ op: "add", path: "/-", value: 2 }], [1, 2]],
    ["removes a key", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
    ["removes an item", [1, 2, 3], [{ op: "remove", path: "/1" }], [1, 3]],
    ["replaces a key", { a: 1 }, [{ op: "replace", path: "/a", value: [] }], { a: [] }],
    [
      "replaces an absent key, as Kubernetes does",
      {},
      [{ op: "replace", path: "/a", value: 1 }],
      { a: 1 },
    ],
    ["replaces an item", [1, 2], [{ op: "replace", path: "/1", value: 3 }], [1, 3]],
    ["replaces the whole", { a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }], { b: 2 }],
    ["moves", { a: { b: 1 } }, [{ op: "move", from: "/a/b", path: "/c" }], { a: {}, c: 1 }],
    ["moves within a list", [1, 2, 3], [{ op: "move", from: "/0", path: "/2" }], [2, 3, 1]],
    [
      "copies",
      { a: { b: 1 } },
      [{ op: "copy", from: "/a", path: "/c" }],
      { a: { b: 1 }, c: { b: 1 } },
    ],
    ["copies null from an absent key", {}, [{ op: "copy", from: "/a", path: "/c" }], { c: null }],
    ["ignores what stands before the first slash", { a: 1 }, [{ op: "remove", path: "x/a" }], {}],
    ["does nothing for null", { a: 1 }, null, { a: 1 }],
  ])("%s", (_, before, patch, after) => {
    expect(applyJsonPatch(before, patch)).toEqual(after);
  });

  test.each<[string, string, unknown]>([
    ["a value", "/spec/replicas", 1],
    ["a list", "/spec/ports", [80, 443]],
    [
      "an object whatever its order",
      "/metadata/labels",
      { "c~d": "tilde", app: "web", "a/b": "slash" },
    ],
    ["an escaped slash", "/metadata/labels/a~1b", "slash"],
    ["an escaped tilde", "/metadata/labels/c~0d", "tilde"],
    ["a null", "/spec/nothing", null],
    ["an absent key against null", "/spec/absent", null],
    ["the whole", "", document],
  ])("test finds %s", (_, path, value) => {
    expect(applyJsonPatch(document, [{ op: "test", path, value }])).toEqual(document);
  });
});

describe("a patch that cannot be carried out", () => {
  test.each<[string, unknown]>([
    ["test of another value", { op: "test", path: "/spec/replicas", value: 2 }],
    ["test under an absent key", { op: "test", path: "/status/phase", value: "x" }],
    ["remove of an absent key", { op: "remove", path: "/spec/absent" }],
    ["remove of an index out of bounds", { op: "remove", path: "/spec/ports/2" }],
    ["add beyond the end", { op: "add", path: "/spec/ports/3", value: 1 }],
    ["add under an absent key", { op: "add", path: "/status/phase", value: "x" }],
    ["add under null", { op: "add", path: "/spec/nothing/x", value: "x" }],
    ["add under a scalar", { op: "add", path: "/spec/replicas/x", value: "x" }],
    ["add at the root", { op: "add", path: "", value: {} }],
    ["a negative index", { op: "replace", path: "/spec/ports/-1", value: 1 }],
    ["an index that is no number", { op: "replace", path: "/spec/ports/x", value: 1 }],
    ["replace of - in a list", { op: "replace", path: "/spec/ports/-", value: 1 }],
    ["replace of the whole by a scalar", { op: "replace", path: "", value: 1 }],
    ["move of an absent key", { op: "move", from: "/spec/absent", path: "/x" }],
    ["copy without from", { op: "copy", path: "/x" }],
    ["no path", { op: "remove" }],
    ["an unknown operation", { op: "frobnicate", path: "/x" }],
    ["no operation", {}],
  ])("%s is Invalid, and the object stays as it was", (_, operation) => {
    const before = structuredClone(document);
    const error = refusalOf(document, [{ op: "add", path: "/touched", value: 1 }, operation]);
    expect(error.toStatus()).toMatchObject({
      code: 422,
      reason: "Invalid",
      message: "the server rejected our request due to an error in our request",
      details: {},
    });
    expect(document).toEqual(before);
  });
});

describe("a malformed patch", () => {
  test.each<[unknown, string]>([
    [
      {},
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    ],
    [
      "x",
      "error decoding patch: json: cannot unmarshal string into Go value of type []handlers.jsonPatchOp",
    ],
    [
      [1],
      "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp",
    ],
    [
      [{ op: "add", path: 1 }],
      "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.path of type string",
    ],
  ])("%j is a bad request", (patch, message) => {
    expect(refusalOf({}, patch)).toMatchObject({ code: 400, reason: "BadRequest", message });
  });

  test("fields that no operation has are named for strict validation", () => {
    expect(
      strictJsonPatchErrors([
        { op: "remove", path: "/a" },
        { op: "add", extra: 1 },
      ]),
    ).toEqual(['json patch unknown field "[1].extra"']);
  });
});

describe("bounds", () => {
  test("10,000 operations are taken, one more is too large", () => {
    const operation = { op: "add", path: "/a", value: 1 };
    expect(applyJsonPatch({}, Array(10_000).fill(operation))).toEqual({ a: 1 });
    expect(refusalOf({}, Array(10_001).fill(operation))).toMatchObject({
      code: 413,
      reason: "RequestEntityTooLarge",
      message:
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    });
  });

  test("copies that double the object end before it is large", () => {
    const patch = Array(40).fill({ op: "copy", from: "/a", path: "/a/-" });
    expect(refusalOf({ a: ["x".repeat(1_000)] }, patch).code).toBe(422);
  });

  test("nesting that a patch adds to step by step is refused before the stack ends", () => {
    const patch = Array(5_000).fill({ op: "copy", from: "/a", path: "/a/b" });
    expect(refusalOf({ a: { c: {} } }, patch).code).toBe(422);
    const deep = [
      { op: "add", path: "/a", value: JSON.parse("[".repeat(5_000) + "]".repeat(5_000)) },
    ];
    expect(refusalOf({}, deep).code).toBe(400);
  });
});

describe("names that JavaScript gives a meaning to", () => {
  test.each(["__proto__", "constructor", "prototype", "hasOwnProperty", "toString"])(
    "%s is a plain key",
    (name) => {
      const added = applyJsonPatch({}, [{ op: "add", path: `/${name}`, value: { polluted: 1 } }]);
      expect(JSON.stringify(added)).toBe(`{"${name}":{"polluted":1}}`);
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      expect(refusalOf({}, [{ op: "add", path: `/${name}/polluted`, value: 1 }]).code).toBe(422);
      expect(refusalOf({}, [{ op: "remove", path: `/${name}` }]).code).toBe(422);
      expect(JSON.stringify(applyJsonPatch(added, [{ op: "remove", path: `/${name}` }]))).toBe(
        "{}",
      );
    },
  );
});

test("the result shares nothing with the document or the patch", () => {
  const value = { inner: [1] };
  const before = { kept: { x: 1 } };
  const after = applyJsonPatch(before, [{ op: "add", path: "/added", value }]) as {
    kept: { x: number };
    added: { inner: number[] };
  };
  after.kept.x = 2;
  after.added.inner.push(2);
  expect({ before, value }).toEqual({ before: { kept: { x: 1 } }, value: { inner: [1] } });
});
