import { describe, expect, test } from "vitest";
import { ApiError } from "../api-error.ts";
import { kubernetesObjectSchema } from "../kubernetes-schema.ts";
import type { JsonObject } from "./json-value.ts";
import { applyStrategicMergePatch } from "./strategic-merge.ts";

const podSpec = kubernetesObjectSchema("io.k8s.api.core.v1.PodSpec");
const deployment = kubernetesObjectSchema("io.k8s.api.apps.v1.Deployment");
const objectMeta = kubernetesObjectSchema("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
const service = kubernetesObjectSchema("io.k8s.api.core.v1.Service");

function refusalOf(run: () => unknown): ApiError {
  try {
    run();
  } catch (caught) {
    if (caught instanceof ApiError) return caught;
    throw caught;
  }
  throw new Error("the patch was not refused");
}

const a = { name: "a", image: "a:1" };
const b = { name: "b", image: "b:1" };
const c = { name: "c", image: "c:1" };

describe("maps", () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ["are merged", { labels: { a: "1" } }, { labels: { b: "2" } }, { labels: { a: "1", b: "2" } }],
    [
      "lose what is null",
      { labels: { a: "1", b: "2" } },
      { labels: { a: null } },
      { labels: { b: "2" } },
    ],
    ["keep no null of the patch", {}, { labels: { a: null, b: "2" } }, { labels: { b: "2" } }],
    ["ignore a null of what is absent", {}, { labels: null }, {}],
    [
      "are replaced by $patch: replace",
      { labels: { a: "1" } },
      { labels: { $patch: "replace", b: "2" } },
      { labels: { b: "2" } },
    ],
    [
      "are emptied by $patch: delete",
      { labels: { a: "1" } },
      { labels: { $patch: "delete" } },
      { labels: {} },
    ],
    ["drop a directive for what is absent", {}, { labels: { $patch: "delete" } }, {}],
    [
      "of another kind are replaced",
      { labels: "odd" },
      { labels: { a: "1" } },
      { labels: { a: "1" } },
    ],
  ])("%s", (_, document, patch, result) => {
    expect(applyStrategicMergePatch(objectMeta, document, patch)).toEqual(result);
  });
});

describe("keyed lists", () => {
  test.each<[string, unknown[], unknown, unknown[]]>([
    [
      "merge an item by its key",
      [a, b],
      [{ name: "b", image: "b:2" }],
      [a, { name: "b", image: "b:2" }],
    ],
    ["put a new item where the patch leads", [a], [c], [c, a]],
    ["delete an item", [a, b], [{ $patch: "delete", name: "a" }], [b]],
    ["delete nothing that is not there", [a], [{ $patch: "delete", name: "x" }], [a]],
    ["are replaced whole", [a, b], [{ $patch: "replace" }, c], [c]],
    ["are emptied", [a, b], [{ $patch: "replace" }], []],
    ["delete and add at once", [a, b], [{ $patch: "delete", name: "a" }, c], [c, b]],
    ["remove a field of an item", [a], [{ name: "a", image: null }], [{ name: "a" }]],
    [
      "an item may replace its like",
      [{ ...a, tty: true }],
      [{ name: "a", image: "a:2" }],
      [{ name: "a", image: "a:2", tty: true }],
    ],
  ])("%s", (_, containers, patch, result) => {
    expect(applyStrategicMergePatch(podSpec, { containers }, { containers: patch })).toEqual({
      containers: result,
    });
  });

  test("nested lists are merged by their own keys", () => {
    const container = { name: "a", ports: [{ containerPort: 80, name: "web" }] };
    const patch = {
      containers: [
        { name: "a", ports: [{ containerPort: 80, name: "http" }, { containerPort: 443 }] },
      ],
    };
    expect(applyStrategicMergePatch(podSpec, { containers: [container] }, patch)).toEqual({
      containers: [
        { name: "a", ports: [{ containerPort: 80, name: "http" }, { containerPort: 443 }] },
      ],
    });
  });

  test("lists without a merge strategy are replaced", () => {
    expect(
      applyStrategicMergePatch(
        podSpec,
        { containers: [{ name: "a", args: ["x", "y"] }] },
        {
          containers: [{ name: "a", args: ["z"] }],
        },
      ),
    ).toEqual({ containers: [{ name: "a", args: ["z"] }] });
  });

  test("a service's ports are found by their number", () => {
    const document = { spec: { ports: [{ port: 80, targetPort: 8080 }] } };
    const patch = { spec: { ports: [{ port: 80, nodePort: 30080 }] } };
    expect(applyStrategicMergePatch(service, document, patch)).toEqual({
      spec: { ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] },
    });
  });
});

describe("$setElementOrder", () => {
  const order = (...names: string[]): unknown[] => names.map((name) => ({ name }));

  test.each<[string, unknown[], unknown[] | undefined, unknown[], string[]]>([
    ["orders what is there", [a, b, c], undefined, order("c", "b", "a"), ["c", "b", "a"]],
    ["places a new item", [a, c], [b], order("a", "b", "c"), ["a", "b", "c"]],
    [
      "keeps what only the server has where it stood",
      [{ name: "s" }, a, b],
      undefined,
      order("b", "a"),
      ["s", "b", "a"],
    ],
    [
      "deletes and orders",
      [a, b, c],
      [{ $patch: "delete", name: "b" }],
      order("c", "a"),
      ["c", "a"],
    ],
  ])("%s", (_, containers, patched, elements, names) => {
    const patch = {
      "$setElementOrder/containers": elements,
      ...(patched === undefined ? {} : { containers: patched }),
    };
    const result = applyStrategicMergePatch(podSpec, { containers }, patch) as {
      containers: { name: string }[];
    };
    const found = result.containers.map((container) => container.name);
    expect(found).toEqual(names);
  });

  test("orders sets of scalars and takes items out of them", () => {
    const document = { finalizers: ["x", "a", "b"] };
    const patch = {
      "$setElementOrder/finalizers": ["c", "b"],
      "$deleteFromPrimitiveList/finalizers": ["a"],
      finalizers: ["c"],
    };
    expect(applyStrategicMergePatch(objectMeta, document, patch)).toEqual({
      finalizers: ["c", "x", "b"],
    });
  });

  test("a patch whose items stand in another order is refused", () => {
    const patch = { "$setElementOrder/containers": order("a", "b"), containers: [b, a] };
    const error = refusalOf(() => applyStrategicMergePatch(podSpec, { containers: [] }, patch));
    expect(error.message).toMatch(
      /^The order in patch list:\n.*\n doesn't match \$setElementOrder list:\n/,
    );
  });
});

describe("$retainKeys", () => {
  test("clears what is not retained", () => {
    const document = {
      spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } },
    };
    const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
    expect(applyStrategicMergePatch(deployment, document, patch)).toEqual({
      spec: { strategy: { type: "Recreate" } },
    });
  });

  test("works on items of lists, whose one source replaces another", () => {
    const document = { volumes: [{ name: "v", emptyDir: {} }] };
    const patch = {
      volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }],
    };
    expect(applyStrategicMergePatch(podSpec, document, patch)).toEqual({
      volumes: [{ name: "v", hostPath: { path: "/x" } }],
    });
  });

  test.each([
    { $retainKeys: ["type"], rollingUpdate: {} },
    { $retainKeys: "type", type: "Recreate" },
  ])("%j is a bad request", (strategy) => {
    const patch = { spec: { strategy } };
    const error = refusalOf(() =>
      applyStrategicMergePatch(deployment, { spec: { strategy: {} } }, patch),
    );
    expect(error).toMatchObject({ code: 400, message: "invalid patch format of retainKeys" });
  });
});

describe("a set of scalars", () => {
  test.each<[unknown[], JsonObject, unknown[]]>([
    [["a"], { finalizers: ["b"] }, ["b", "a"]],
    [["a", "b"], { finalizers: ["b"] }, ["a", "b"]],
    [["a", "b"], { "$deleteFromPrimitiveList/finalizers": ["a", "x"] }, ["b"]],
    [[], { finalizers: ["a"] }, ["a"]],
  ])("%j with %j is %j", (finalizers, patch, result) => {
    const patched = applyStrategicMergePatch(objectMeta, { finalizers }, patch)["finalizers"];
    expect(new Set(patched as unknown[])).toEqual(new Set(result));
    expect(patched).toHaveLength(result.length);
  });
});

describe("refusals", () => {
  test.each<[string, JsonObject, JsonObject, Partial<ApiError>]>([
    [
      "an item without its key",
      { containers: [a] },
      { containers: [{ image: "x" }] },
      { code: 400, message: "map: map[image:x] does not contain declared merge key: name" },
    ],
    [
      "an unknown directive",
      { containers: [a] },
      { containers: [{ $patch: "explode", name: "a" }] },
      { message: "unknown patch type: explode in map: map[$patch:explode name:a]" },
    ],
    [
      "merge in a list",
      { containers: [a] },
      { containers: [{ $patch: "merge", name: "a" }] },
      { message: "merging lists cannot yet be specified in the patch" },
    ],
    [
      "an unknown directive of a map",
      { securityContext: {} },
      { securityContext: { $patch: "explode" } },
      { message: "unknown patch type: explode in map: map[$patch:explode]" },
    ],
    [
      "a field that is not there",
      { nope: { a: 1 } },
      { nope: { a: 2 } },
      { message: 'unable to find api field in struct PodSpec for the json field "nope"' },
    ],
    [
      "items of two kinds",
      { containers: [a] },
      { containers: ["x"] },
      { message: "list element types are not identical: [[map[image:a:1 name:a]] [x]]" },
    ],
    [
      "lists of lists",
      { containers: [[1]] },
      { containers: [[2]] },
      { code: 422, reason: "Invalid" },
    ],
    [
      "an order without a field",
      {},
      { $setElementOrder: [] },
      { code: 400, message: "invalid patch format of setElementOrder list" },
    ],
    [
      "a deletion without a field",
      {},
      { $deleteFromPrimitiveList: ["a"] },
      { code: 400, message: "invalid patch format of primitive list" },
    ],
  ])("%s", (_, document, patch, expected) => {
    expect(refusalOf(() => applyStrategicMergePatch(podSpec, document, patch))).toMatchObject(
      expected,
    );
  });

  test.each([null, [], "x"])("%j is no patch", (patch) => {
    expect(refusalOf(() => applyStrategicMergePatch(podSpec, {}, patch)).code).toBe(400);
  });
});

test("neither the document nor the patch is touched", () => {
  const document = { containers: [a, b] };
  const patch = {
    containers: [
      { $patch: "delete", name: "a" },
      { name: "b", image: "b:2" },
    ],
  };
  const before = structuredClone({ document, patch });
  applyStrategicMergePatch(podSpec, document, patch);
  expect({ document, patch }).toEqual(before);
});

test("__proto__ is a plain key", () => {
  const patch = JSON.parse('{"labels":{"__proto__":"x","constructor":"y"}}') as JsonObject;
  const patched = applyStrategicMergePatch(objectMeta, { labels: { a: "1" } }, patch);
  expect(JSON.stringify(patched)).toBe('{"labels":{"a":"1","__proto__":"x","constructor":"y"}}');
});
