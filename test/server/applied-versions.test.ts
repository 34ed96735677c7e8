import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };

function autoscaler(version: string, name: string, spec: object) {
  return {
    apiVersion: `autoscaling/${version}`,
    kind: "HorizontalPodAutoscaler",
    metadata: { name },
    spec,
  };
}

function pathOf(version: string): string {
  return `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
}

function apply(version: string, name: string, manager: string, spec: object, force = false) {
  return world.request(
    "PATCH",
    `${pathOf(version)}/${name}?fieldManager=${manager}&force=${force}`,
    {
      body: autoscaler(version, name, spec),
      headers: { "content-type": "application/apply-patch+yaml" },
    },
  );
}

function managersIn(object: {
  metadata: {
    managedFields: { manager: string; operation: string; apiVersion: string; fieldsV1: object }[];
  };
}): unknown[] {
  return object.metadata.managedFields.map(({ manager, operation, apiVersion, fieldsV1 }) => [
    `${manager} ${operation} ${apiVersion}`,
    fieldsV1,
  ]);
}

test("what was set in one version is in the way of who applies another value in another", async () => {
  await world.request("POST", `${pathOf("v1")}?fieldManager=maker`, {
    body: autoscaler("v1", "contested", { scaleTargetRef, maxReplicas: 3, minReplicas: 2 }),
  });
  const refused = await apply("v2", "contested", "me", { scaleTargetRef, maxReplicas: 5 });
  expect(refused.json).toMatchObject({
    code: 409,
    reason: "Conflict",
    message:
      'Apply failed with 1 conflict: conflict with "maker" using autoscaling/v1: .spec.maxReplicas',
    details: {
      causes: [
        {
          reason: "FieldManagerConflict",
          message: 'conflict with "maker" using autoscaling/v1',
          field: ".spec.maxReplicas",
        },
      ],
    },
  });
  const forced = await apply("v2", "contested", "me", { scaleTargetRef, maxReplicas: 5 }, true);
  // Version 1 has the target as one, version 2 field by field.
  const ownTarget = { "f:apiVersion": {}, "f:kind": {}, "f:name": {} };
  expect(managersIn(forced.json)).toMatchObject([
    [
      "me Apply autoscaling/v2",
      { "f:spec": { "f:maxReplicas": {}, "f:scaleTargetRef": ownTarget } },
    ],
    ["maker Update autoscaling/v1", { "f:spec": { "f:minReplicas": {}, "f:scaleTargetRef": {} } }],
  ]);
});

test("an applier is the same in every version: its entry moves on, and what it leaves out goes", async () => {
  await apply("v1", "moving", "me", { scaleTargetRef, maxReplicas: 3, minReplicas: 2 });
  const moved = await apply("v2", "moving", "me", { scaleTargetRef, maxReplicas: 3 });
  expect(managersIn(moved.json).map((entry) => (entry as string[])[0])).toEqual([
    "me Apply autoscaling/v2",
  ]);
  expect(moved.json.spec.minReplicas).toBe(1);
});

test("an object read in one version shows the entries of all", async () => {
  await apply("v1", "read", "one", { scaleTargetRef, maxReplicas: 3 });
  await apply("v2", "read", "two", { scaleTargetRef, maxReplicas: 3, minReplicas: 2 });
  for (const version of ["v1", "v2"]) {
    const { json } = await world.request("GET", `${pathOf(version)}/read`);
    expect(managersIn(json).map((entry) => (entry as string[])[0])).toEqual([
      "one Apply autoscaling/v1",
      "two Apply autoscaling/v2",
    ]);
  }
});
