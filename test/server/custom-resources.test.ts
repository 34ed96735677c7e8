import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isConditionTrue } from "../../pkg/api/conditions.ts";
import { customResourceDefinitionResource } from "../../pkg/api/resources/customresourcedefinition.ts";
import type { Answer } from "./api-world.ts";
import { type LoopsWorld, startLoopsWorld } from "./loops-world.ts";

let world: LoopsWorld;

beforeAll(async () => {
  world = await startLoopsWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

type Json = Readonly<Record<string, unknown>>;

const cronTabSchema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["cronSpec"],
      properties: {
        cronSpec: { type: "string", pattern: "^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$" },
        image: { type: "string" },
        replicas: { type: "integer", minimum: 1, maximum: 10, default: 1 },
        color: { type: "string", enum: ["red", "green"] },
        port: { "x-kubernetes-int-or-string": true },
        note: { type: "string", nullable: true },
        rules: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, weight: { type: "integer", default: 5 } },
          },
        },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        template: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          "x-kubernetes-preserve-unknown-fields": true,
        },
        anything: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      },
    },
    status: {
      type: "object",
      properties: {
        replicas: { type: "integer" },
        selector: { type: "string" },
        phase: { type: "string" },
      },
    },
  },
};

function definition(
  plural: string,
  kind: string,
  version: Json = {},
  spec: Json = {},
  group = "stable.example.com",
): Json {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind, shortNames: [plural.slice(0, 2)], categories: ["all"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: cronTabSchema },
          ...version,
        },
      ],
      ...spec,
    },
  };
}

async function ask(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  return await world.api.request(method, path, { body, headers });
}

async function establish(crd: Json): Promise<void> {
  const name = (crd["metadata"] as { name: string }).name;
  const created = await ask("POST", crds, crd);
  expect(created.json).toMatchObject({ kind: "CustomResourceDefinition" });
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.find(
      (each) =>
        each.metadata.name === name && isConditionTrue(each.status?.conditions, "Established"),
    ),
  );
}

function objectsOf(plural: string, version = "v1"): string {
  return `/apis/stable.example.com/${version}/namespaces/default/${plural}`;
}

function cronTab(kind: string, name: string, spec: Json = {}): Json {
  return {
    apiVersion: "stable.example.com/v1",
    kind,
    metadata: { name },
    spec: { cronSpec: "* * * * */5", ...spec },
  };
}

test("a kind comes with its definition and goes with it", async () => {
  expect((await ask("GET", objectsOf("crontabs"))).status).toBe(404);
  await establish(definition("crontabs", "CronTab"));

  const stored = await ask("GET", `${crds}/crontabs.stable.example.com`);
  expect(stored.json.status).toMatchObject({
    acceptedNames: {
      plural: "crontabs",
      singular: "crontab",
      kind: "CronTab",
      listKind: "CronTabList",
    },
    storedVersions: ["v1"],
    conditions: [
      {
        type: "NamesAccepted",
        status: "True",
        reason: "NoConflicts",
        message: "no conflicts found",
      },
      {
        type: "Established",
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      },
    ],
  });
  const found = await ask("GET", "/apis/stable.example.com/v1");
  expect(found.json.resources).toMatchObject([
    {
      name: "crontabs",
      singularName: "crontab",
      kind: "CronTab",
      shortNames: ["cr"],
      categories: ["all"],
    },
  ]);

  const created = await ask("POST", objectsOf("crontabs"), cronTab("CronTab", "one", { extra: 1 }));
  expect(created.status).toBe(201);
  expect(created.json).toMatchObject({
    metadata: { generation: 1 },
    spec: { cronSpec: "* * * * */5", replicas: 1 },
  });
  expect(created.json.spec).not.toHaveProperty("extra");
  expect(created.headers["warning"]).toContain('unknown field \\"spec.extra\\"');
  const list = await ask("GET", objectsOf("crontabs"));
  expect(list.json).toMatchObject({ kind: "CronTabList", items: [{ metadata: { name: "one" } }] });

  expect((await ask("DELETE", `${crds}/crontabs.stable.example.com`)).status).toBe(200);
  await world.until(customResourceDefinitionResource, (definitions) =>
    definitions.some(({ metadata }) => metadata.name === "crontabs.stable.example.com")
      ? undefined
      : true,
  );
  expect((await ask("GET", objectsOf("crontabs"))).status).toBe(404);
  expect((await ask("GET", "/apis/stable.example.com/v1")).status).toBe(404);
  expect(world.errors).toEqual([]);
});
