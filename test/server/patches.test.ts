import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const configMaps = "/api/v1/namespaces/default/configmaps";
const body = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...more },
});

const types = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

function patch(name: string, type: keyof typeof types, patched: unknown) {
  const query = type === "apply" ? "?fieldManager=me" : "";
  return world.request("PATCH", `${configMaps}/${name}${query}`, {
    body: patched,
    headers: { "content-type": types[type] },
  });
}

const nameless =
  "the name of the object (who based on URL) was undeterminable: name must be provided";
const otherName = "the name of the object (other) does not match the name on the URL (who)";
const otherNamespace =
  "the namespace of the provided object does not match the namespace sent on the request";

describe("who an object is cannot be changed", () => {
  beforeAll(async () => {
    await world.request("POST", configMaps, { body: body("who") });
  });

  test.each<[string, keyof typeof types, unknown, string]>([
    ["name", "merge", { metadata: { name: "other" } }, otherName],
    ["name", "strategic", { metadata: { name: "other" } }, otherName],
    ["name", "json", [{ op: "replace", path: "/metadata/name", value: "other" }], otherName],
    ["name", "apply", body("other"), otherName],
    ["name", "merge", { metadata: { name: null } }, nameless],
    ["name", "json", [{ op: "remove", path: "/metadata/name" }], nameless],
    ["metadata", "merge", { metadata: null }, nameless],
    ["metadata", "strategic", { metadata: { $patch: "replace" } }, nameless],
    ["metadata", "json", [{ op: "remove", path: "/metadata" }], nameless],
    ["namespace", "merge", { metadata: { namespace: "x" } }, otherNamespace],
    ["namespace", "strategic", { metadata: { name: "z", namespace: "x" } }, otherNamespace],
  ])("its %s, by a %s patch of %j", async (_, type, patched, message) => {
    expect((await patch("who", type, patched)).json).toMatchObject({
      code: 400,
      reason: "BadRequest",
      message,
    });
  });

  test.each<[keyof typeof types, unknown, string]>([
    ["merge", { kind: "Secret" }, "converting (v1.Secret) to (core.ConfigMap): unknown conversion"],
    [
      "json",
      [{ op: "replace", path: "/kind", value: "Secret" }],
      "converting (v1.Secret) to (core.ConfigMap): unknown conversion",
    ],
    ["merge", { apiVersion: "v2" }, 'no kind "ConfigMap" is registered for version "v2"'],
  ])("its kind, by a %s patch of %j", async (type, patched, why) => {
    const { json } = await patch("who", type, patched);
    expect(json).toMatchObject({ code: 422, reason: "Invalid" });
    expect(json.message).toMatch(/^ "" is invalid: patch: Invalid value: "{/);
    expect(json.message.endsWith(`": ${why}`), json.message).toBe(true);
  });

  test.each([{ kind: "Secret" }, { apiVersion: "v2" }, { kind: null, apiVersion: null }])(
    "a strategic merge patch of %j is one of the object that it is sent to",
    async (patched) => {
      const before = await world.request("GET", `${configMaps}/who`);
      const answer = await patch("who", "strategic", patched);
      expect([answer.status, answer.text]).toEqual([200, before.text]);
    },
  );

  test("the uid, which is immutable", async () => {
    expect((await patch("who", "merge", { metadata: { uid: "x" } })).json).toMatchObject({
      code: 422,
      message: 'ConfigMap "who" is invalid: metadata.uid: Invalid value: "x": field is immutable',
    });
  });

  test.each<[string, object, string]>([
    ["without a name", { ...body("who"), metadata: {} }, nameless],
    ["of another name", body("other"), otherName],
    ["of another namespace, whatever its name", body("other", { namespace: "x" }), otherNamespace],
  ])("nor by a replacement %s", async (_, replacement, message) => {
    expect(
      (await world.request("PUT", `${configMaps}/who`, { body: replacement })).json,
    ).toMatchObject({ code: 400, reason: "BadRequest", message });
  });
});

test.each<[unknown, string]>([
  [
    [],
    "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}",
  ],
  [
    "a",
    "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type map[string]interface {}",
  ],
  [{}, "invalid object type: /, Kind="],
])("%j is not applied", async (applied, message) => {
  expect((await patch("applied", "apply", applied)).json).toMatchObject({ code: 400, message });
});

test("an applied configuration names its object", async () => {
  const { metadata: _, ...unnamed } = body("");
  expect((await patch("applied", "apply", unnamed)).json).toMatchObject({
    code: 400,
    message:
      "the name of the object (applied based on URL) was undeterminable: name must be provided",
  });
  expect((await patch("applied", "apply", body("applied"))).status).toBe(201);
  // What is there has a name already.
  expect((await patch("applied", "apply", unnamed)).status).toBe(200);
});

test.each<[string, object, object]>([
  [
    "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
    {
      kind: "FlowSchema",
      spec: { priorityLevelConfiguration: { name: "exempt" } },
    },
    {
      conditions: [
        {
          type: "Dangling",
          status: "False",
          reason: "r",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    },
  ],
  [
    "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
    {
      kind: "PriorityLevelConfiguration",
      spec: { type: "Limited", limited: { limitResponse: { type: "Reject" } } },
    },
    { conditions: [{ type: "Ready", status: "True" }] },
  ],
])("who applies the status in %s owns nothing else of it", async (path, object, status) => {
  const apiVersion = path.split("/").slice(2, 4).join("/");
  const metadata = { name: "mine" };
  const made = await world.request("POST", path, { body: { apiVersion, metadata, ...object } });
  expect(made.status, made.text).toBe(201);
  const applied = await world.request("PATCH", `${path}/mine/status?fieldManager=me`, {
    body: { apiVersion, ...object, metadata: { ...metadata, labels: { a: "b" } }, status },
    headers: { "content-type": types.apply },
  });
  expect(applied.status, applied.text).toBe(200);
  const mine = applied.json.metadata.managedFields.find(
    (entry: { manager: string }) => entry.manager === "me",
  );
  expect(Object.keys(mine.fieldsV1)).toEqual(["f:status"]);
  expect(applied.json.metadata.labels).toBeUndefined();
});
