import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { PersistentVolumeClaim } from "../../../api/generated/core-v1.generated.ts";
import type { IngressClass } from "../../../api/generated/networking-v1.generated.ts";
import type { StorageClass } from "../../../api/generated/storage-v1.generated.ts";
import { ingressResource } from "../../../api/resources/ingress.ts";
import { ingressClassResource } from "../../../api/resources/ingressclass.ts";
import { persistentVolumeResource } from "../../../api/resources/persistentvolume.ts";
import { persistentVolumeClaimResource } from "../../../api/resources/persistentvolumeclaim.ts";
import { storageClassResource } from "../../../api/resources/storageclass.ts";
import { volumeAttributesClassResource } from "../../../api/resources/volumeattributesclass.ts";
import { passThrough } from "./admission-request.fixture.ts";
import { createDefaultIngressClass } from "./default-ingress-class.ts";
import { createDefaultStorageClass } from "./default-storage-class.ts";
import { createPersistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.ts";

/** A class made in this second; a default one by this annotation. */
const named = (name: string, second = 0, annotation?: string) => ({
  metadata: {
    name,
    uid: name,
    resourceVersion: "1",
    creationTimestamp: `2026-01-01T00:00:0${second}Z`,
    ...(annotation === undefined ? {} : { annotations: { [annotation]: "true" } }),
  },
});
const storageDefault = "storageclass.kubernetes.io/is-default-class";
const ingressDefault = "ingressclass.kubernetes.io/is-default-class";

test.each([
  [{ spec: {} }, "newest"],
  [{ spec: { storageClassName: "" } }, ""],
  [{ spec: { storageClassName: "slow" } }, "slow"],
  [
    { metadata: { annotations: { "volume.beta.kubernetes.io/storage-class": "slow" } }, spec: {} },
    undefined,
  ],
])("a claim %j is of class %s", async (claim, expected) => {
  const world = new ObjectWorld();
  const put = (fields: object) => world.put(storageClassResource, fields as StorageClass);
  put(named("old", 1, storageDefault));
  put(named("newest-2", 2, "storageclass.beta.kubernetes.io/is-default-class"));
  put(named("newest", 2, storageDefault));
  put(named("slow", 5));
  const object = { metadata: { name: "data" }, ...claim };
  await passThrough(createDefaultStorageClass(world), {
    resource: persistentVolumeClaimResource,
    object,
  });
  expect((object as PersistentVolumeClaim).spec?.storageClassName).toBe(expected);
});

test("without a default class, nothing is chosen", async () => {
  const world = new ObjectWorld();
  const claim = { metadata: {}, spec: {} };
  await passThrough(createDefaultStorageClass(world), {
    resource: persistentVolumeClaimResource,
    object: claim,
  });
  const ingress = { metadata: {}, spec: {} };
  await passThrough(createDefaultIngressClass(world), {
    resource: ingressResource,
    object: ingress,
  });
  expect([claim.spec, ingress.spec]).toEqual([{}, {}]);
});

test.each([
  [{ metadata: {}, spec: {} }, { ingressClassName: "web" }],
  [{ metadata: {}, spec: { ingressClassName: "own" } }, { ingressClassName: "own" }],
  [{ metadata: { annotations: { "kubernetes.io/ingress.class": "own" } }, spec: {} }, {}],
])("an Ingress %j gets %j", async (object, spec) => {
  const world = new ObjectWorld();
  world.put(ingressClassResource, named("web", 1, ingressDefault) as IngressClass);
  await passThrough(createDefaultIngressClass(world), { resource: ingressResource, object });
  expect(object.spec).toEqual(spec);
});

test.each([
  ["Bound", "growing", "1Gi", undefined],
  [
    "Bound",
    "fixed",
    "1Gi",
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
  ],
  [
    "Bound",
    "",
    "1Gi",
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
  ],
  ["Pending", "growing", "1Gi", "Only bound persistent volume claims can be expanded"],
  ["Pending", "fixed", "500Mi", undefined],
])("a %s claim of class %s may ask for %s: %s", async (phase, storageClassName, storage, why) => {
  const world = new ObjectWorld();
  world.put(storageClassResource, {
    ...named("growing"),
    allowVolumeExpansion: true,
  } as StorageClass);
  world.put(storageClassResource, named("fixed") as StorageClass);
  const claim = (size: string) => ({
    metadata: { name: "data" },
    spec: { storageClassName, resources: { requests: { storage: size } } },
    status: { phase },
  });
  const written = passThrough(createPersistentVolumeClaimResize(world), {
    operation: "UPDATE",
    resource: persistentVolumeClaimResource,
    name: "data",
    object: claim(storage),
    previous: claim("500Mi") as unknown as PersistentVolumeClaim,
  });
  if (why === undefined) await written;
  else await expect(written).rejects.toThrow(`persistentvolumeclaims "data" is forbidden: ${why}`);
});

test.each([
  [persistentVolumeClaimResource, ["own", "kubernetes.io/pvc-protection"]],
  [persistentVolumeResource, ["own", "kubernetes.io/pv-protection"]],
  [volumeAttributesClassResource, ["own", "kubernetes.io/vac-protection"]],
  [storageClassResource, ["own"]],
])("storage that is made is kept while it is used: %#", async (resource, finalizers) => {
  const object = { metadata: { finalizers: ["own"] } };
  await passThrough(storageObjectInUseProtection, { resource, object });
  await passThrough(storageObjectInUseProtection, { resource, object });
  expect(object.metadata.finalizers).toEqual(finalizers);
});
