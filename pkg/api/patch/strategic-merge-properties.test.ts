import fc from "fast-check";
import { expect, test } from "vitest";
import { kubernetesObjectSchema } from "../kubernetes-schema.ts";
import { equalJson, type JsonDraft, type JsonObject } from "./json-value.ts";
import { applyStrategicMergePatch } from "./strategic-merge.ts";

const podSpec = kubernetesObjectSchema("io.k8s.api.core.v1.PodSpec");

const small = fc.constantFrom("1", "2");
const named = fc.tuple(
  fc.constantFrom("a", "b", "c", "d"),
  fc.record({ image: small, args: fc.array(small, { maxLength: 2 }) }, { requiredKeys: [] }),
);
interface Spec extends JsonObject {
  readonly containers: readonly JsonObject[];
  readonly nodeSelector: JsonObject;
}
const spec: fc.Arbitrary<Spec> = fc.record({
  nodeSelector: fc.dictionary(fc.constantFrom("x", "y", "z"), small),
  containers: fc
    .uniqueArray(named, { selector: ([name]) => name })
    .map((list) => list.map(([name, rest]) => ({ name, ...rest }))),
});

/** The patch that kubectl would send: what changed, null for what went, and the order of the list. */
function difference(from: JsonObject, to: JsonObject): JsonDraft {
  const patch: JsonDraft = {};
  for (const key of Object.keys(to)) if (!equalJson(from[key], to[key])) patch[key] = to[key];
  for (const key of Object.keys(from)) if (to[key] === undefined) patch[key] = null;
  return patch;
}

function patchFor(from: Spec, to: Spec): JsonObject {
  const before = new Map(from.containers.map((container) => [container["name"], container]));
  const kept = new Set(to.containers.map((container) => container["name"]));
  const containers = [
    ...to.containers
      .map((container) => {
        const live = before.get(container["name"]);
        return live === undefined
          ? container
          : { ...difference(live, container), name: container["name"] };
      })
      .filter((item) => !before.has(item["name"]) || Object.keys(item).length > 1),
    ...[...before.keys()]
      .filter((name) => !kept.has(name))
      .map((name) => ({ name, $patch: "delete" })),
  ];
  return {
    nodeSelector: difference(from.nodeSelector, to.nodeSelector),
    containers,
    "$setElementOrder/containers": to.containers.map(({ name }) => ({ name })),
  };
}

test("the difference of two objects makes the one out of the other", () => {
  fc.assert(
    fc.property(spec, spec, (from, to) => {
      expect(applyStrategicMergePatch(podSpec, from, patchFor(from, to))).toEqual(to);
    }),
  );
});

test("a patch carried out twice changes nothing the second time", () => {
  fc.assert(
    fc.property(spec, spec, (document, patch) => {
      const once = applyStrategicMergePatch(podSpec, document, patch);
      expect(applyStrategicMergePatch(podSpec, once, patch)).toEqual(once);
    }),
  );
});

test("what stands only on the server stays, in its order", () => {
  fc.assert(
    fc.property(spec, spec, (document, patch) => {
      const merged = applyStrategicMergePatch(podSpec, document, patch) as Spec;
      const patched = new Set(patch.containers.map(({ name }) => name));
      const others = (list: readonly JsonObject[]): readonly JsonObject[] =>
        list.filter(({ name }) => !patched.has(name));
      expect(others(merged.containers)).toEqual(others(document.containers));
      expect(
        merged.containers.filter(({ name }) => patched.has(name)).map(({ name }) => name),
      ).toEqual(patch.containers.map(({ name }) => name));
    }),
  );
});
