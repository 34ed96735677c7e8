import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { surface } from "./api-surface.fixture.ts";
import { createOpenApi, type OpenApi } from "./openapi.ts";

const gitVersion = "v1.36.4+mini8s1";
const openapi = createOpenApi({ surface: () => surface, gitVersion });

async function read(path: string, from: OpenApi = openapi) {
  const answer = await from.answer(path, null);
  if (answer?.type !== "document") throw new Error(`there is no document at ${path}`);
  return JSON.parse(Buffer.from(answer.body).toString());
}

test("the index names each group and version, with the hash of its document", async () => {
  const { paths } = await read("/openapi/v3");
  expect(Object.keys(paths)).toEqual([
    "api/v1",
    "apis/apps/v1",
    "apis/authentication.k8s.io/v1",
    "apis/example.com/v1beta1",
  ]);
  const url = new URL(paths["apis/apps/v1"].serverRelativeURL, "https://x");
  const hash = url.searchParams.get("hash");
  const answer = await openapi.answer(url.pathname, hash);
  expect(answer).toMatchObject({ type: "document", immutable: true });
});

test("a wrong hash leads to the right one", async () => {
  expect(await openapi.answer("/openapi/v3/apis/apps/v1", "0123")).toMatchObject({
    type: "moved",
    location: expect.stringMatching(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/),
  });
});

test.each([
  "/openapi/v3/apis/apps/v1",
  "/openapi/v3/api/v1",
  "/openapi/v3/apis/example.com/v1beta1",
  "/openapi/v2",
])("%s refers to nothing that it does not define", async (path) => {
  const document = await read(path);
  const definitions = document.components?.schemas ?? document.definitions;
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"#\/(?:components\/schemas|definitions)\/([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(10);
  const missing = references
    .map((match) => match[1] ?? "")
    .filter((name) => !(name in definitions));
  expect(missing).toEqual([]);
});

test("a kind says its group, version and kind, and how its lists are merged", async () => {
  const { components } = await read("/openapi/v3/apis/apps/v1");
  expect(
    components.schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"],
  ).toEqual([{ group: "apps", version: "v1", kind: "Deployment" }]);
  const containers = components.schemas["io.k8s.api.core.v1.PodSpec"].properties.containers;
  expect(containers).toMatchObject({
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-list-type": "map",
    "x-kubernetes-patch-merge-key": "name",
    "x-kubernetes-patch-strategy": "merge",
  });
});

test("operations say what kubectl looks for", async () => {
  const { paths } = await read("/openapi/v3/apis/apps/v1");
  const item = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
  expect(item.patch["x-kubernetes-group-version-kind"]).toEqual({
    group: "apps",
    version: "v1",
    kind: "Deployment",
  });
  const names = item.patch.parameters.map((parameter: { name: string }) => parameter.name);
  expect(names).toEqual(
    expect.arrayContaining(["dryRun", "fieldManager", "fieldValidation", "force"]),
  );
  expect(item.get["x-kubernetes-action"]).toBe("get");
  expect(paths["/apis/apps/v1/deployments"].get["x-kubernetes-action"]).toBe("list");
  const scale = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"];
  expect(scale.put["x-kubernetes-group-version-kind"]).toMatchObject({ kind: "Scale" });
});

test("operation ids are those that generated clients are named by, each once", async () => {
  const { paths } = await read("/openapi/v2");
  const ids = Object.values<Record<string, { operationId?: string }>>(paths).flatMap((path) =>
    Object.values(path).flatMap(({ operationId }) => operationId ?? []),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(
    expect.arrayContaining([
      "listCoreV1NamespacedPod",
      "listCoreV1PodForAllNamespaces",
      "readCoreV1NamespacedPodLog",
      "replaceAppsV1NamespacedDeploymentStatus",
      "createCoreV1NamespacedServiceAccountToken",
      "createAuthenticationV1TokenReview",
      "deleteAppsV1CollectionNamespacedDeployment",
    ]),
  );
});

test("a custom resource is described as the rest, with what stands in it", async () => {
  const { components } = await read("/openapi/v3/apis/example.com/v1beta1");
  expect(components.schemas["com.example.v1beta1.Thing"]).toMatchObject({
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
    "x-kubernetes-group-version-kind": [
      { group: "example.com", version: "v1beta1", kind: "Thing" },
    ],
  });
  expect(components.schemas["com.example.v1beta1.ThingList"].properties.items).toMatchObject({
    type: "array",
  });
});

test("numbers and strings are said in the words of each version", async () => {
  const name = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
  const { components } = await read("/openapi/v3/api/v1");
  const { definitions } = await read("/openapi/v2");
  expect(components.schemas[name]).toEqual({
    format: "int-or-string",
    oneOf: [{ type: "integer" }, { type: "string" }],
  });
  expect(definitions[name]).toEqual({ type: "string", format: "int-or-string" });
});

test("prose is asked for once, when the first document is made", async () => {
  let asked = 0;
  const described = createOpenApi({
    surface: () => surface,
    gitVersion,
    describe() {
      asked += 1;
      return Promise.resolve((definition, field) =>
        definition === "io.k8s.api.core.v1.Pod" ? `about ${field ?? "pods"}` : undefined,
      );
    },
  });
  await read("/openapi/v3", described);
  expect(asked).toBe(0);
  const { components } = await read("/openapi/v3/api/v1", described);
  await read("/openapi/v2", described);
  expect(asked).toBe(1);
  expect(components.schemas["io.k8s.api.core.v1.Pod"]).toMatchObject({
    description: "about pods",
    properties: { spec: { description: "about spec", default: {} } },
  });
});

test("documents are made once, until another surface is served", async () => {
  let current = surface;
  const changing = createOpenApi({ surface: () => current, gitVersion });
  const first = await changing.answer("/openapi/v2", null);
  expect(await changing.answer("/openapi/v2", null)).toBe(first);
  current = { resources: [], subresources: [] };
  expect(await changing.answer("/openapi/v3/apis/apps/v1", null)).toBeUndefined();
});

test("v2 comes as protobuf to those who ask for it, and as nothing else but JSON", async () => {
  const form = async (accept: string) => {
    const answer = await openapi.answer("/openapi/v2", null, accept);
    return answer?.type === "document" ? answer.contentType : undefined;
  };
  const protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  expect(await form(protobuf)).toBe(protobuf.replace("@", "."));
  expect(await form(`${protobuf};q=0.5,application/json`)).toBe("application/json");
  expect(await form("*/*")).toBe("application/json");
  await expect(form("text/html")).rejects.toMatchObject({ code: 406 });
});

test("the protobuf form holds the same paths and definitions", async () => {
  const json = await read("/openapi/v2");
  const answer = await openapi.answer(
    "/openapi/v2",
    null,
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
  );
  if (answer?.type !== "document") throw new Error("there is no document");
  const document = new Map<number, Uint8Array>();
  for (const [number, bytes] of lengthDelimited(answer.body)) document.set(number, bytes);
  const names = (bytes: Uint8Array | undefined) =>
    lengthDelimited(bytes ?? new Uint8Array()).map(([, pair]) => {
      const [, name] = lengthDelimited(pair)[0] ?? [];
      return Buffer.from(name ?? []).toString();
    });
  expect(names(document.get(8)).sort()).toEqual(Object.keys(json.paths).sort());
  expect(names(document.get(9)).sort()).toEqual(Object.keys(json.definitions).sort());
});

test("v3 comes as protobuf to those who ask for it, and as nothing else but JSON", async () => {
  const form = async (accept: string) => {
    const answer = await openapi.answer("/openapi/v3/apis/apps/v1", null, accept);
    return answer?.type === "document" ? answer.contentType : undefined;
  };
  const protobuf = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
  expect(await form(protobuf)).toBe(protobuf.replace("@", "."));
  expect(await form(protobuf.replace("@", "."))).toBe(protobuf.replace("@", "."));
  expect(await form(`${protobuf};q=0.5,application/json`)).toBe("application/json");
  expect(await form("*/*")).toBe("application/json");
  await expect(form("text/html")).rejects.toMatchObject({ code: 406 });
});

/** The fields of a message of which all hold bytes. */
function lengthDelimited(bytes: Uint8Array): readonly (readonly [number, Uint8Array])[] {
  const reader = new BinaryReader(bytes);
  const fields: [number, Uint8Array][] = [];
  while (reader.pos < reader.len) fields.push([reader.tag()[0], reader.bytes()]);
  return fields;
}
