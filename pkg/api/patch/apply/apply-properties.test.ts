import fc from "fast-check";
import { expect, test } from "vitest";
import type { ManagedFieldsEntry } from "../../generated/meta-v1.generated.ts";
import { kubernetesObjectSchema } from "../../kubernetes-schema.ts";
import { copyJsonObject, type JsonObject } from "../json-value.ts";
import { type Applied, applyPatch } from "./apply-patch.ts";
import { compareTyped } from "./compare.ts";
import { difference, intersection, union } from "./field-set.ts";
import { decodeFieldsV1 } from "./fields-v1.ts";
import { mergeTyped } from "./merge-typed.ts";
import { toFieldSet } from "./to-field-set.ts";
import { trackUpdate } from "./track-update.ts";
import { rootType } from "./typed.ts";

const schema = kubernetesObjectSchema("io.k8s.api.core.v1.Pod");
const type = rootType(schema);
const endpoint = {
  schema,
  apiVersion: "v1",
  kind: "Pod",
  subresource: "",
  resetFields: [["status"]],
};
const nowRfc3339 = "2026-11-21T01:00:00Z";

const small = fc.constantFrom("1", "2");
const optional = <T extends object>(
  shape: { [Key in keyof T]: fc.Arbitrary<T[Key]> },
): fc.Arbitrary<Partial<T>> =>
  fc.record(shape, { requiredKeys: [] }) as unknown as fc.Arbitrary<Partial<T>>;
const port = fc
  .tuple(fc.constantFrom(80, 443), fc.constantFrom("TCP", "UDP"), optional({ name: small }))
  .map(([containerPort, protocol, rest]) => ({ containerPort, protocol, ...rest }));
const container = fc
  .tuple(
    fc.constantFrom("a", "b", "c"),
    optional({
      image: small,
      args: fc.array(small, { minLength: 1, maxLength: 2 }),
      ports: fc.uniqueArray(port, {
        minLength: 1,
        maxLength: 2,
        selector: (each) => `${each.containerPort}${each.protocol}`,
      }),
    }),
  )
  .map(([name, rest]) => ({ name, ...rest }));
const metadata = optional({
  labels: fc.dictionary(fc.constantFrom("a", "b", "__proto__"), small, { minKeys: 1 }),
  finalizers: fc.uniqueArray(fc.constantFrom("x/a", "x/b", "x/c"), { minLength: 1 }),
});
const spec = optional({
  nodeName: small,
  nodeSelector: fc.dictionary(fc.constantFrom("a", "b"), small, { minKeys: 1 }),
  containers: fc.uniqueArray(container, {
    minLength: 1,
    maxLength: 3,
    selector: (each) => each.name,
  }),
});
const pod: fc.Arbitrary<JsonObject> = fc.tuple(metadata, spec).map(([meta, content]) =>
  copyJsonObject({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "x", ...meta },
    spec: { nodeName: "n", ...content },
  }),
);
const managerName = fc.constantFrom("alice", "bob", "carol");

function apply(
  live: JsonObject | undefined,
  applied: JsonObject,
  manager: string,
  force = true,
): Applied {
  return applyPatch({ ...endpoint, live, applied, manager, force, nowRfc3339 });
}

function forced(live: JsonObject | undefined, applied: JsonObject, manager: string): JsonObject {
  const result = apply(live, applied, manager);
  if (result.outcome === "conflicts") throw new Error("forced, and yet it conflicts");
  const { object } = result;
  return { ...object, metadata: { ...(object["metadata"] as object), uid: "u" } };
}

function entriesOf(object: JsonObject): readonly ManagedFieldsEntry[] {
  return (object["metadata"] as { managedFields?: ManagedFieldsEntry[] }).managedFields ?? [];
}

/** Applies and updates by several managers, one after the other. */
const history = fc.array(fc.tuple(managerName, pod, fc.boolean()), { minLength: 1, maxLength: 5 });

function replay(steps: readonly (readonly [string, JsonObject, boolean])[]): JsonObject {
  let live: JsonObject | undefined;
  for (const [manager, object, isUpdate] of steps) {
    if (isUpdate && live !== undefined) {
      const next = { ...object, metadata: { ...(object["metadata"] as object), uid: "u" } };
      const managedFields = trackUpdate({ ...endpoint, previous: live, next, manager, nowRfc3339 });
      live = { ...next, metadata: { ...next.metadata, managedFields } };
    } else {
      live = forced(live, object, manager);
    }
  }
  return live ?? {};
}

test("applying the same twice changes nothing the second time", () => {
  fc.assert(
    fc.property(history, managerName, pod, (steps, manager, applied) => {
      const once = forced(replay(steps), applied, manager);
      expect(apply(once, applied, manager, false)).toEqual({ outcome: "applied", object: once });
    }),
  );
});

test("what is applied is there afterwards, and the applier owns it", () => {
  fc.assert(
    fc.property(history, managerName, pod, (steps, manager, applied) => {
      const object = forced(replay(steps), applied, manager);
      expect(mergeTyped(type, object, applied)).toEqual(object);
      const own = entriesOf(object).find(
        (entry) => entry.manager === manager && entry.operation === "Apply",
      );
      const unowned = decodeFieldsV1({
        "f:apiVersion": {},
        "f:kind": {},
        "f:metadata": { ".": {}, "f:name": {} },
      });
      const missing = difference(
        toFieldSet(type, applied),
        union(decodeFieldsV1(own?.fieldsV1), unowned),
      );
      expect(missing.size).toBe(0);
    }),
  );
});

test("appliers that share a field agree on its value: an unforced apply of other values conflicts", () => {
  fc.assert(
    fc.property(history, pod, (steps, applied) => {
      const live = replay(steps);
      const result = apply(live, applied, "dora", false);
      const { modified, added } = compareTyped(type, live, mergeTyped(type, live, applied));
      const changed = union(modified, added);
      const contested = entriesOf(live).some(
        (entry) => intersection(decodeFieldsV1(entry.fieldsV1), changed).size > 0,
      );
      expect(result.outcome).toBe(contested ? "conflicts" : "applied");
    }),
  );
});

test("nobody owns what is not there after an update", () => {
  fc.assert(
    fc.property(history, pod, (steps, next) => {
      const live = replay([...steps, ["carol", next, true]]);
      const there = union(
        toFieldSet(type, live),
        compareTyped(type, { apiVersion: "v1", kind: "Pod" }, live).added,
      );
      for (const entry of entriesOf(live)) {
        expect(difference(decodeFieldsV1(entry.fieldsV1), there).size).toBe(0);
      }
    }),
  );
});

test("a comparison is empty exactly when the objects are equal, and its sets do not overlap", () => {
  fc.assert(
    fc.property(pod, pod, (previous, next) => {
      const { removed, modified, added } = compareTyped(type, previous, next);
      expect(compareTyped(type, previous, copyJsonObject(previous))).toMatchObject({
        removed: new Map(),
        modified: new Map(),
        added: new Map(),
      });
      expect(
        intersection(removed, added).size +
          intersection(removed, modified).size +
          intersection(modified, added).size,
      ).toBe(0);
      const back = compareTyped(type, next, previous);
      expect(back.removed).toEqual(added);
      expect(back.modified).toEqual(modified);
    }),
  );
});
