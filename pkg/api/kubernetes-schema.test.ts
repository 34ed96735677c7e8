import { expect, test } from "vitest";
import {
  kubernetesDefinitionOf,
  kubernetesDefinitions,
  kubernetesObjectSchema,
  kubernetesSchema,
} from "./kubernetes-schema.ts";
import type { FieldType, ObjectSchema } from "./schema.ts";

const core = "io.k8s.api.core.v1";

function fieldOf(schema: ObjectSchema, name: string) {
  const field = schema.fields.get(name);
  if (field === undefined) throw new Error(`${schema.name} has no ${name}`);
  return field;
}

test("every definition can be read, and every definition that it refers to is there", () => {
  const follow = (type: FieldType): void => {
    if (type.kind === "list") follow(type.item);
    else if (type.kind === "map") follow(type.value);
    else if (type.kind === "object") expect(type.schema().fields).toBeDefined();
  };
  const names = kubernetesDefinitions();
  expect(names.length).toBeGreaterThan(600);
  for (const name of names) {
    for (const field of kubernetesObjectSchema(name).fields.values()) follow(field.type);
  }
});

test("a schema is one value, however often it is asked for", () => {
  const pod = kubernetesSchema(`${core}.Pod`);
  expect(pod.object).toBe(kubernetesSchema(`${core}.Pod`).object);
});

test("a list knows how it is merged and applied", () => {
  const container = kubernetesObjectSchema(`${core}.Container`);
  const ports = fieldOf(container, "ports");
  expect(ports).toMatchObject({ patchMergeKey: "containerPort", patchStrategy: ["merge"] });
  expect(ports.type).toMatchObject({ listType: "map", mapKeys: ["containerPort", "protocol"] });
  expect(fieldOf(container, "args").type).toMatchObject({ listType: "atomic" });
});

test("a list that only strategic merge patch says something about is keyed by its merge key", () => {
  const podStatus = kubernetesObjectSchema(`${core}.PodStatus`);
  expect(fieldOf(podStatus, "conditions").type).toMatchObject({ mapKeys: ["type"] });
});

test("a field can be applied granularly though its type is atomic", () => {
  const reference = kubernetesObjectSchema(`${core}.ObjectReference`);
  const claimRef = fieldOf(kubernetesObjectSchema(`${core}.PersistentVolumeSpec`), "claimRef");
  expect(reference.atomic).toBe(true);
  expect(claimRef.type.kind === "object" && claimRef.type.schema().atomic).toBe(false);
});

test("what Go always writes has a zero, what it holds by pointer has none", () => {
  const pod = kubernetesObjectSchema(`${core}.Pod`);
  expect(fieldOf(pod, "spec").zeroValue).toEqual({});
  expect(fieldOf(kubernetesObjectSchema(`${core}.Container`), "name").zeroValue).toBe("");
  expect(fieldOf(kubernetesObjectSchema(`${core}.ContainerPort`), "protocol").zeroValue).toBe(
    "TCP",
  );
  const deployment = kubernetesObjectSchema("io.k8s.api.apps.v1.DeploymentSpec");
  expect(fieldOf(deployment, "replicas")).toMatchObject({ zeroValue: undefined, keepsEmpty: true });
  expect(fieldOf(deployment, "minReadySeconds").keepsEmpty).toBe(false);
});

test("what JSON inlines has its place within another message", () => {
  const volume = kubernetesObjectSchema(`${core}.Volume`);
  expect(fieldOf(volume, "name").protobuf).toMatchObject({ number: 1, within: [] });
  expect(fieldOf(volume, "emptyDir").protobuf).toMatchObject({ number: 2, within: [2] });
});

test("a kind is found by its group, version and name", () => {
  const find = (apiVersion: string, kind: string) => kubernetesDefinitionOf(apiVersion, kind);
  expect(find("v1", "Pod")).toBe(`${core}.Pod`);
  expect(find("rbac.authorization.k8s.io/v1", "RoleList")).toBe("io.k8s.api.rbac.v1.RoleList");
  expect(find("v1", "Status")).toBe("io.k8s.apimachinery.pkg.apis.meta.v1.Status");
  expect(find("meta.k8s.io/v1", "PartialObjectMetadata")).toBe(
    "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata",
  );
  expect(find("v1", "constructor")).toBeUndefined();
});

test("an unknown definition is refused by name", () => {
  expect(() => kubernetesSchema("constructor").object).toThrow(/constructor is no type/);
});
