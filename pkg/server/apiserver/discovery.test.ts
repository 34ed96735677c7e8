import { expect, test } from "vitest";
import { surface } from "./api-surface.fixture.ts";
import { createDiscovery, versionsOf } from "./discovery.ts";

const discovery = createDiscovery({ surface: () => surface, serverAddress: "10.0.0.1:6443" });

function read(path: string, accept = "application/json") {
  const answer = discovery.answer(path, accept);
  return answer === undefined ? undefined : JSON.parse(Buffer.from(answer.body).toString());
}

const kubectl =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

test("/api says the core versions and where the server is", () => {
  expect(read("/api")).toEqual({
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "10.0.0.1:6443" }],
  });
});

test("/apis lists the groups in the order in which short names are tried", () => {
  const { groups } = read("/apis");
  expect(groups.map((group: { name: string }) => group.name)).toEqual([
    "apps",
    "authentication.k8s.io",
    "example.com",
  ]);
  expect(groups[0].preferredVersion).toEqual({ groupVersion: "apps/v1", version: "v1" });
  expect(read("/apis/apps")).toMatchObject({ kind: "APIGroup", name: "apps" });
});

test("a group and version lists its resources, each with its subresources", () => {
  const list = read("/apis/apps/v1");
  expect(list).toMatchObject({
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: "apps/v1",
  });
  expect(list.resources.map((resource: { name: string }) => resource.name)).toEqual([
    "deployments",
    "deployments/scale",
    "deployments/status",
  ]);
  expect(list.resources[0]).toMatchObject({
    singularName: "deployment",
    namespaced: true,
    kind: "Deployment",
    shortNames: ["deploy"],
    categories: ["all"],
    verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
  });
  expect(list.resources[1]).toMatchObject({ group: "autoscaling", version: "v1", kind: "Scale" });
  expect(list.resources[2]).not.toHaveProperty("group");
});

test("the core group has its own place, and subresources that no kind declares", () => {
  const list = read("/api/v1");
  expect(list).not.toHaveProperty("apiVersion");
  const token = list.resources.find(
    (resource: { name: string }) => resource.name === "serviceaccounts/token",
  );
  expect(token).toEqual({
    name: "serviceaccounts/token",
    singularName: "",
    namespaced: true,
    group: "authentication.k8s.io",
    version: "v1",
    kind: "TokenRequest",
    verbs: ["create"],
  });
});

test("who asks for the aggregated form gets all at once, with a tag that tells whether it is the same", () => {
  const answer = discovery.answer("/apis", kubectl);
  expect(answer?.contentType).toBe(
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  );
  expect(answer?.etag).toMatch(/^"[0-9A-F]{128}"$/);
  const list = read("/apis", kubectl);
  expect(list).toMatchObject({
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
  });
  const [apps] = list.items;
  expect(apps.metadata).toEqual({ name: "apps" });
  expect(apps.versions[0]).toMatchObject({ version: "v1", freshness: "Current" });
  expect(apps.versions[0].resources[0]).toMatchObject({
    resource: "deployments",
    responseKind: { group: "apps", version: "v1", kind: "Deployment" },
    scope: "Namespaced",
    singularResource: "deployment",
    subresources: [
      { subresource: "scale", responseKind: { group: "autoscaling", kind: "Scale" } },
      { subresource: "status" },
    ],
  });
  expect(read("/api", kubectl).items[0].versions[0].resources[0].resource).toBe("pods");
});

test("the aggregated form is to be had of the roots alone", () => {
  expect(read("/apis/apps/v1", kubectl).kind).toBe("APIResourceList");
  expect(read("/apis", "application/json").kind).toBe("APIGroupList");
  expect(read("/apis", kubectl.replace("v=v2;", "v=v3;"))).toMatchObject({
    apiVersion: "apidiscovery.k8s.io/v2beta1",
  });
});

test.each([
  "/api/v2",
  "/apis/none",
  "/apis/apps/v2",
  "/apis/apps/v1/x",
  "/apis/constructor",
  "/apis/__proto__/v1",
])("nothing is at %s", (path) => {
  expect(discovery.answer(path, "application/json")).toBeUndefined();
});

test("a new surface is told of at once", () => {
  let current = surface;
  const changing = createDiscovery({ surface: () => current, serverAddress: "" });
  expect(changing.answer("/apis/apps", "")).toBeDefined();
  current = { resources: [], subresources: [] };
  expect(changing.answer("/apis/apps", "")).toBeUndefined();
});

test("the best version comes first", () => {
  const [thing] = surface.resources;
  if (thing === undefined) throw new Error("the surface is empty");
  const versions = ["v1alpha1", "v1", "v2beta2", "v2", "v1beta1", "other"];
  const resources = versions.map((version) => ({ ...thing, version }));
  expect(versionsOf({ resources, subresources: [] }, thing.group)).toEqual([
    "v2",
    "v1",
    "v2beta2",
    "v1beta1",
    "v1alpha1",
    "other",
  ]);
});
