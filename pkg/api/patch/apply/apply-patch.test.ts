import { describe, expect, test } from "vitest";
import { ApiError } from "../../api-error.ts";
import type { ManagedFieldsEntry } from "../../generated/meta-v1.generated.ts";
import { kubernetesObjectSchema } from "../../kubernetes-schema.ts";
import type { JsonObject } from "../json-value.ts";
import { type Applied, type Apply, applyPatch } from "./apply-patch.ts";
import { conflictError } from "./conflicts.ts";
import { lastAppliedAnnotation } from "./last-applied.ts";
import { trackUpdate } from "./track-update.ts";

const deployment = kubernetesObjectSchema("io.k8s.api.apps.v1.Deployment");
const first = "2026-11-21T01:00:00Z";
const second = "2026-11-21T02:00:00Z";
const endpoint = {
  schema: deployment,
  apiVersion: "apps/v1",
  kind: "Deployment",
  subresource: "",
  resetFields: [["status"]],
  nowRfc3339: first,
};

function deploymentOf(spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", ...metadata },
    // An empty map is owned; most tests mean nothing by it.
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
  };
}

function template(...containers: JsonObject[]): JsonObject {
  return { template: { spec: { containers } } };
}

function tryApply(
  live: JsonObject | undefined,
  applied: JsonObject,
  manager: string,
  options: Partial<Apply> = {},
): Applied {
  return applyPatch({ ...endpoint, live, applied, manager, force: false, ...options });
}

function apply(
  live: JsonObject | undefined,
  applied: JsonObject,
  manager: string,
  options: Partial<Apply> = {},
): JsonObject {
  const result = tryApply(live, applied, manager, options);
  if (result.outcome === "conflicts") throw conflictError(result.conflicts);
  return store(result.object);
}

function update(
  live: JsonObject,
  change: JsonObject,
  manager: string,
  options: JsonObject = {},
): JsonObject {
  const next = { ...live, ...change };
  const managedFields = trackUpdate({
    ...endpoint,
    previous: live,
    next,
    manager,
    nowRfc3339: second,
    ...options,
  });
  return store({ ...next, metadata: { ...(next["metadata"] as object), managedFields } });
}

function store(object: JsonObject): JsonObject {
  return {
    ...object,
    metadata: { uid: "u", resourceVersion: "1", ...(object["metadata"] as object) },
  };
}

function specOf(object: JsonObject): JsonObject {
  return object["spec"] as JsonObject;
}

function containersOf(object: JsonObject): readonly JsonObject[] {
  const spec = specOf(object) as { template?: { spec?: { containers?: JsonObject[] } } };
  return spec.template?.spec?.containers ?? [];
}

function managersOf(object: JsonObject): Record<string, unknown> {
  const { managedFields = [] } = object["metadata"] as { managedFields?: ManagedFieldsEntry[] };
  return Object.fromEntries(
    managedFields.map((entry) => [`${entry.manager}/${entry.operation}`, entry.fieldsV1]),
  );
}

function timesOf(object: JsonObject): Record<string, unknown> {
  const { managedFields = [] } = object["metadata"] as { managedFields?: ManagedFieldsEntry[] };
  return Object.fromEntries(
    managedFields.map((entry) => [`${entry.manager}/${entry.operation}`, entry.time]),
  );
}

function refusalOf(run: () => unknown): ApiError {
  try {
    run();
  } catch (caught) {
    if (caught instanceof ApiError) return caught;
    throw caught;
  }
  throw new Error("nothing was refused");
}

describe("ownership", () => {
  test("the applier owns what it applies, and no more", () => {
    const object = apply(
      undefined,
      deploymentOf({ replicas: 1, ...template({ name: "c", image: "a" }) }),
      "alice",
    );
    expect(managersOf(object)).toEqual({
      "alice/Apply": {
        "f:spec": {
          "f:replicas": {},
          "f:template": {
            "f:spec": {
              "f:containers": { 'k:{"name":"c"}': { ".": {}, "f:image": {}, "f:name": {} } },
            },
          },
        },
      },
    });
  });

  test("two appliers of the same value share it", () => {
    const once = apply(undefined, deploymentOf({ replicas: 1 }), "alice");
    const both = apply(once, deploymentOf({ replicas: 1 }), "bob");
    expect(managersOf(both)).toEqual({
      "alice/Apply": { "f:spec": { "f:replicas": {} } },
      "bob/Apply": { "f:spec": { "f:replicas": {} } },
    });
  });

  test("status is not owned through the main resource, nor empty lists", () => {
    const applied = {
      ...deploymentOf({ replicas: 1 }, { finalizers: [] }),
      status: { replicas: 3 },
    };
    expect(managersOf(apply(undefined, applied, "alice"))).toEqual({
      "alice/Apply": { "f:spec": { "f:replicas": {} } },
    });
  });

  test("empty maps and labels are owned", () => {
    const object = apply(
      undefined,
      deploymentOf({ strategy: {} }, { labels: { a: "1" } }),
      "alice",
    );
    expect(managersOf(object)).toEqual({
      "alice/Apply": {
        "f:metadata": { "f:labels": { "f:a": {} } },
        "f:spec": { "f:strategy": {} },
      },
    });
  });

  test("an object without managed fields belongs to before-first-apply, but for what is applied", () => {
    const live = store(deploymentOf({ replicas: 1, paused: true }));
    expect(managersOf(apply(live, deploymentOf({ replicas: 1 }), "alice"))).toEqual({
      "alice/Apply": { "f:spec": { "f:replicas": {} } },
      "before-first-apply/Update": { "f:spec": { "f:paused": {}, "f:replicas": {} } },
    });
  });

  test("the subresource is part of who the applier is", () => {
    const live = apply(undefined, deploymentOf({ replicas: 1 }), "alice");
    const applied = { ...deploymentOf({ replicas: 9 }), status: { replicas: 3 } };
    const options = { subresource: "status", resetFields: [["spec"]] };
    const result = apply(live, applied, "alice", { ...options, force: true });
    const { managedFields } = result["metadata"] as { managedFields: ManagedFieldsEntry[] };
    expect(managedFields.map((entry) => [entry.subresource, entry.fieldsV1])).toEqual([
      [undefined, { "f:spec": { "f:replicas": {} } }],
      ["status", { "f:status": { "f:replicas": {} } }],
    ]);
  });
});

describe("what is no longer applied", () => {
  test("goes when nobody else owns it", () => {
    const both = apply(
      undefined,
      deploymentOf({ replicas: 1, paused: true }, { labels: { a: "1", b: "2" } }),
      "alice",
    );
    const less = apply(both, deploymentOf({ replicas: 1 }, { labels: { a: "1" } }), "alice");
    expect(specOf(less)).toEqual({ replicas: 1, strategy: {}, template: expect.anything() });
    expect((less["metadata"] as JsonObject)["labels"]).toEqual({ a: "1" });
  });

  test("stays when somebody else owns it", () => {
    const one = apply(undefined, deploymentOf({ replicas: 1, paused: true }), "alice");
    const two = apply(one, deploymentOf({ paused: true }), "bob");
    const less = apply(two, deploymentOf({ replicas: 1 }), "alice");
    expect(specOf(less)).toMatchObject({ replicas: 1, paused: true });
    expect(managersOf(less)["bob/Apply"]).toEqual({ "f:spec": { "f:paused": {} } });
  });

  test("goes item by item from keyed lists", () => {
    const a = { name: "a", image: "a" };
    const b = { name: "b", image: "b" };
    const two = apply(undefined, deploymentOf(template(a, b)), "alice");
    expect(containersOf(apply(two, deploymentOf(template(b)), "alice"))).toEqual([b]);
  });

  test("leaves in an item what others put there", () => {
    const one = apply(undefined, deploymentOf(template({ name: "a", image: "a" })), "alice");
    const two = apply(one, deploymentOf(template({ name: "a", tty: true })), "bob");
    const less = apply(two, deploymentOf({ replicas: 1 }), "alice");
    expect(containersOf(less)).toEqual([{ name: "a", tty: true }]);
  });

  test("takes with it what was in it and was nobody's", () => {
    const one = apply(undefined, deploymentOf(template({ name: "a", image: "a" })), "alice");
    const defaulted = {
      ...one,
      spec: { ...specOf(one), ...template({ name: "a", image: "a", imagePullPolicy: "Always" }) },
    };
    expect(containersOf(apply(defaulted, deploymentOf({ replicas: 1 }), "alice"))).toEqual([]);
  });

  test("takes named fields with the defaults in them", () => {
    const probe = { httpGet: { path: "/", port: 80 } };
    const of = (livenessProbe: JsonObject): JsonObject => template({ name: "a", livenessProbe });
    const one = apply(undefined, deploymentOf(of(probe)), "alice");
    const defaulted = of({ httpGet: { ...probe.httpGet, scheme: "HTTP" }, timeoutSeconds: 1 });
    const live = { ...one, spec: { ...specOf(one), ...defaulted } };
    const less = apply(live, deploymentOf(template({ name: "a" })), "alice");
    expect(containersOf(less)).toEqual([{ name: "a" }]);
  });

  test("the last manager that applies nothing is forgotten", () => {
    const one = apply(undefined, deploymentOf({ replicas: 1 }), "alice");
    const none = apply(one, deploymentOf({}), "alice");
    expect(managersOf(none)).toEqual({});
    expect(none).not.toHaveProperty("spec.replicas");
  });
});

describe("lists", () => {
  const names = (object: JsonObject): unknown[] =>
    containersOf(object).map((container) => container["name"]);
  const named = (...list: string[]): JsonObject =>
    deploymentOf(template(...list.map((name) => ({ name }))));

  test.each<[string[], string[], string[]]>([
    [
      ["a", "b", "c"],
      ["c", "b", "a"],
      ["c", "b", "a"],
    ],
    [
      ["a", "b"],
      ["a", "x"],
      ["a", "b", "x"],
    ],
    [
      ["a", "b"],
      ["x", "b"],
      ["a", "x", "b"],
    ],
    [
      ["a", "s", "b"],
      ["b", "a"],
      ["s", "b", "a"],
    ],
    [["a", "b", "c"], ["b"], ["a", "b", "c"]],
    [["a"], ["b", "c"], ["a", "b", "c"]],
  ])("%j with %j applied comes as %j", (live, applied, result) => {
    const there = apply(undefined, named(...live), "alice");
    expect(names(apply(there, named(...applied), "bob"))).toEqual(result);
  });

  test("an item that is there twice is replaced by the one applied", () => {
    const doubled = store(
      deploymentOf(template({ name: "a", image: "1" }, { name: "a", image: "2" })),
    );
    const object = apply(doubled, deploymentOf(template({ name: "a", image: "3" })), "alice", {
      force: true,
    });
    expect(containersOf(object)).toEqual([{ name: "a", image: "3" }]);
  });

  test("a port is known by its number and its protocol, TCP where none is said", () => {
    const of = (...ports: JsonObject[]): JsonObject => deploymentOf(template({ name: "c", ports }));
    const live = apply(
      undefined,
      of({ containerPort: 53, protocol: "TCP" }, { containerPort: 53, protocol: "UDP" }),
      "alice",
    );
    const object = apply(live, of({ containerPort: 53, name: "dns" }), "bob");
    expect(containersOf(object)[0]?.["ports"]).toEqual([
      { containerPort: 53, protocol: "TCP", name: "dns" },
      { containerPort: 53, protocol: "UDP" },
    ]);
  });

  test("sets have each item owned", () => {
    const one = apply(undefined, deploymentOf({}, { finalizers: ["x/a"] }), "alice");
    const two = apply(one, deploymentOf({}, { finalizers: ["x/b"] }), "bob");
    expect((two["metadata"] as JsonObject)["finalizers"]).toEqual(["x/a", "x/b"]);
    expect(managersOf(two)).toEqual({
      "alice/Apply": { "f:metadata": { "f:finalizers": { 'v:"x/a"': {} } } },
      "bob/Apply": { "f:metadata": { "f:finalizers": { 'v:"x/b"': {} } } },
    });
    const less = apply(two, deploymentOf({}), "alice");
    expect((less["metadata"] as JsonObject)["finalizers"]).toEqual(["x/b"]);
  });

  test("atomic lists and maps are replaced whole", () => {
    const of = (args: string[], labels: JsonObject): JsonObject =>
      deploymentOf({ selector: { matchLabels: labels }, ...template({ name: "c", args }) });
    const live = apply(undefined, of(["a", "b"], { a: "1" }), "alice");
    const object = apply(live, of(["c"], { b: "2" }), "alice");
    expect(containersOf(object)[0]?.["args"]).toEqual(["c"]);
    expect(specOf(object)["selector"]).toEqual({ matchLabels: { b: "2" } });
  });
});

describe("conflicts", () => {
  const live = apply(undefined, deploymentOf({ replicas: 1, paused: false }), "alice");

  test("one is told in one line", () => {
    const changed = update(
      live,
      { spec: { ...specOf(live), replicas: 3 } },
      "kubectl-client-side-apply",
    );
    const error = refusalOf(() => apply(changed, deploymentOf({ replicas: 1 }), "alice"));
    expect(error.toStatus()).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message:
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
      reason: "Conflict",
      details: {
        causes: [
          {
            reason: "FieldManagerConflict",
            message: 'conflict with "kubectl-client-side-apply" using apps/v1',
            field: ".spec.replicas",
          },
        ],
      },
      code: 409,
    });
  });

  test("several are told by manager", () => {
    const scaled = update(
      live,
      { spec: { ...specOf(live), replicas: 3, minReadySeconds: 1 } },
      "scaler",
      { subresource: "scale" },
    );
    const error = refusalOf(() =>
      apply(scaled, deploymentOf({ replicas: 2, paused: true, minReadySeconds: 2 }), "bob"),
    );
    expect(error.message).toBe(
      [
        'Apply failed with 3 conflicts: conflicts with "alice":',
        "- .spec.paused",
        'conflicts with "scaler" with subresource "scale" using apps/v1:',
        "- .spec.minReadySeconds",
        "- .spec.replicas",
      ].join("\n"),
    );
  });

  test("items are named by their keys", () => {
    const one = apply(undefined, deploymentOf(template({ name: "c", image: "a" })), "alice");
    const result = tryApply(one, deploymentOf(template({ name: "c", image: "b" })), "bob");
    expect(result).toMatchObject({
      outcome: "conflicts",
      conflicts: [
        {
          manager: "alice",
          operation: "Apply",
          fieldPath: '.spec.template.spec.containers[name="c"].image',
        },
      ],
    });
  });

  test("forced, the fields change hands", () => {
    const taken = apply(live, deploymentOf({ replicas: 2 }), "bob", { force: true });
    expect(specOf(taken)["replicas"]).toBe(2);
    expect(managersOf(taken)).toEqual({
      "alice/Apply": { "f:spec": { "f:paused": {} } },
      "bob/Apply": { "f:spec": { "f:replicas": {} } },
    });
  });

  test("there are none with what one applied oneself, or with the same value", () => {
    expect(
      specOf(apply(live, deploymentOf({ replicas: 5, paused: false }), "alice"))["replicas"],
    ).toBe(5);
    expect(tryApply(live, deploymentOf({ replicas: 1 }), "bob").outcome).toBe("applied");
  });
});

describe("times", () => {
  const live = apply(undefined, deploymentOf({ replicas: 1 }), "alice");

  test("stay when an apply changes nothing", () => {
    const again = apply(live, deploymentOf({ replicas: 1 }), "alice", { nowRfc3339: second });
    expect(timesOf(again)).toEqual({ "alice/Apply": first });
  });

  test("move when it changes something", () => {
    const again = apply(live, deploymentOf({ replicas: 2 }), "alice", { nowRfc3339: second });
    expect(timesOf(again)).toEqual({ "alice/Apply": second });
  });
});

describe("kubectl moves from client-side apply", () => {
  const configuration = deploymentOf({ replicas: 1, paused: false });
  const annotations = { [lastAppliedAnnotation]: `${JSON.stringify(configuration)}\n`, own: "x" };
  const created = deploymentOf({ replicas: 1, paused: false }, { annotations });
  const managedFields = trackUpdate({
    ...endpoint,
    previous: undefined,
    next: created,
    manager: "kubectl-client-side-apply",
  });
  const live = store({
    ...created,
    metadata: { ...(created["metadata"] as object), managedFields },
  });

  test("without conflicts, and the annotation follows", () => {
    const next = deploymentOf({ replicas: 2, paused: false });
    const object = apply(live, next, "kubectl");
    expect(specOf(object)["replicas"]).toBe(2);
    const { annotations: now } = object["metadata"] as { annotations: Record<string, string> };
    expect(now[lastAppliedAnnotation]).toBe(
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"default"},"spec":{"paused":false,"replicas":2}}\n',
    );
    expect(now["own"]).toBe("x");
  });

  test("but for what others have changed since", () => {
    const scaled = update(live, { spec: { ...specOf(live), replicas: 7 } }, "scaler");
    const result = tryApply(scaled, deploymentOf({ replicas: 2, paused: true }), "kubectl");
    expect(result).toMatchObject({
      outcome: "conflicts",
      conflicts: [{ manager: "scaler", fieldPath: ".spec.replicas" }],
    });
  });

  test("and other managers do not", () => {
    expect(tryApply(live, deploymentOf({ replicas: 2 }), "helm").outcome).toBe("conflicts");
  });
});

describe("refusals", () => {
  const context = "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): ";
  test.each<[string, JsonObject, Partial<ApiError>]>([
    [
      "an item twice",
      deploymentOf(template({ name: "x" }, { name: "x" })),
      {
        code: 400,
        reason: "BadRequest",
        message: `${context}.spec.template.spec.containers: duplicate entries for key [name="x"]`,
      },
    ],
    [
      "a scalar twice",
      deploymentOf({}, { finalizers: ["a/b", "a/b"] }),
      { message: `${context}.metadata.finalizers: duplicate entries for key [="a/b"]` },
    ],
    [
      "an unknown field",
      deploymentOf({ nope: 1 }),
      { message: `${context}.spec.nope: field not declared in schema` },
    ],
    [
      "a number in place of a string",
      deploymentOf(template({ name: "x", image: 1 })),
      {
        message: `${context}.spec.template.spec.containers[name="x"].image: expected string, got &value.valueUnstructured{Value:1}`,
      },
    ],
    [
      "a string in place of a number",
      deploymentOf({ replicas: "1" }),
      { message: `${context}.spec.replicas: expected numeric (int or float), got string` },
    ],
    [
      "a list in place of a map",
      deploymentOf({ template: [] }),
      { message: `${context}.spec.template: expected map, got &{[]}` },
    ],
    [
      "a map in place of a list",
      deploymentOf(
        template()["template"] === undefined ? {} : { template: { spec: { containers: {} } } },
      ),
      { message: `${context}.spec.template.spec.containers: expected list, got &{map[]}` },
    ],
    [
      "a scalar item of a keyed list",
      deploymentOf({ template: { spec: { containers: ["x"] } } }),
      {
        message: `${context}.spec.template.spec.containers: element 0: associative list with keys may not have non-map elements`,
      },
    ],
    [
      "several at once",
      deploymentOf({ replicas: "1", paused: "no" }),
      {
        message: `${context}errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.paused: expected boolean, got &{no}`,
      },
    ],
    [
      "managed fields",
      deploymentOf({}, { managedFields: [] }),
      { code: 400, message: "metadata.managedFields must be nil" },
    ],
    [
      "another kind",
      { ...deploymentOf({}), kind: "StatefulSet" },
      { code: 400, message: "invalid object type: apps/v1, Kind=StatefulSet" },
    ],
    [
      "another version",
      { ...deploymentOf({}), apiVersion: "v1" },
      { code: 400, message: "invalid object type: /v1, Kind=Deployment" },
    ],
  ])("%s", (_, applied, expected) => {
    expect(refusalOf(() => tryApply(undefined, applied, "alice"))).toMatchObject(expected);
  });
});

test("neither the live object nor what is applied is touched or shared", () => {
  const live = apply(undefined, deploymentOf(template({ name: "a", image: "a" })), "alice");
  const applied = deploymentOf(template({ name: "b", image: "b" }));
  const before = structuredClone({ live, applied });
  const object = apply(live, applied, "bob");
  for (const container of containersOf(object))
    (container as Record<string, unknown>)["image"] = "changed";
  expect({ live, applied }).toEqual(before);
});

test("__proto__ is a plain label", () => {
  const labels = JSON.parse('{"__proto__":"x","constructor":"y"}') as JsonObject;
  const object = apply(undefined, deploymentOf({}, { labels }), "alice");
  expect(JSON.stringify((object["metadata"] as JsonObject)["labels"])).toBe(
    '{"__proto__":"x","constructor":"y"}',
  );
  const less = apply(object, deploymentOf({}, { labels: { constructor: "y" } }), "alice");
  expect(JSON.stringify((less["metadata"] as JsonObject)["labels"])).toBe('{"constructor":"y"}');
});
