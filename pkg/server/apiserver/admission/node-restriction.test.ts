import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../../../api/generated/core-v1.generated.ts";
import type { CSIDriver } from "../../../api/generated/storage-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { csiDriverResource } from "../../../api/resources/csidriver.ts";
import { csiNodeResource } from "../../../api/resources/csinode.ts";
import { leaseResource } from "../../../api/resources/lease.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import { persistentVolumeResource } from "../../../api/resources/persistentvolume.ts";
import { persistentVolumeClaimResource } from "../../../api/resources/persistentvolumeclaim.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import { type AskedWrite, passThrough } from "./admission-request.fixture.ts";
import { createNodeRestriction } from "./node-restriction.ts";

const mirror = { "kubernetes.io/config.mirror": "x" };
const owner = { apiVersion: "v1", kind: "Node", name: "n1", uid: "uid-n1", controller: true };

const mirrorPod = (spec: object = {}, metadata: object = {}) => ({
  metadata: { name: "web", annotations: mirror, ownerReferences: [owner], ...metadata },
  spec: { nodeName: "n1", containers: [], ...spec },
});

const node = (fields: object = {}, metadata: object = {}) =>
  ({ metadata: { name: "n1", uid: "uid-n1", ...metadata }, ...fields }) as unknown as Node;

function write(asked: AskedWrite, allowed: readonly string[] = []) {
  const world = new ObjectWorld();
  world.put(nodeResource, node());
  const put = (name: string, spec: object) =>
    world.put(podResource, {
      metadata: { name, namespace: "shop", uid: name },
      spec,
    } as unknown as Pod);
  put("web", {
    nodeName: "n1",
    volumes: [
      {
        name: "t",
        projected: { sources: [{ serviceAccountToken: { path: "t", audience: "vault" } }] },
      },
      { name: "c", persistentVolumeClaim: { claimName: "data" } },
    ],
  });
  put("elsewhere", { nodeName: "n2" });
  const metadata = (name: string) => ({ metadata: { name, namespace: "shop" } });
  world.put(persistentVolumeClaimResource, {
    ...metadata("data"),
    spec: { volumeName: "pv" },
  } as PersistentVolumeClaim);
  world.put(persistentVolumeResource, {
    metadata: { name: "pv" },
    spec: { csi: { driver: "disks", volumeHandle: "1" } },
  } as unknown as PersistentVolume);
  world.put(csiDriverResource, {
    metadata: { name: "disks" },
    spec: { tokenRequests: [{ audience: "storage" }] },
  } as unknown as CSIDriver);
  const plugin = createNodeRestriction(world, {
    authorize: (question) => ({
      allowed: question.type === "resource" && allowed.includes(question.resource),
      reason: "",
    }),
  });
  return passThrough(plugin, {
    user: { username: "system:node:n1", groups: ["system:nodes"] },
    ...asked,
  });
}

const token = (spec: object) => ({
  resource: serviceAccountResource,
  subresource: "token",
  name: "default",
  object: {
    spec: { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web", uid: "web" }, ...spec },
  },
});
const previousOf = (object: object) => object as unknown as KubernetesObject;
const claim = (status: object, labels: object = {}) => ({
  metadata: { name: "data", labels },
  spec: {},
  status,
});
const claimStatus = (next: object) => ({
  operation: "UPDATE" as const,
  resource: persistentVolumeClaimResource,
  subresource: "status",
  name: "data",
  object: next,
  previous: previousOf(claim({ phase: "Bound", capacity: { storage: "1Gi" } })),
});
const nodeUpdate = (next: Node, previous: Node = node()) => ({
  operation: "UPDATE" as const,
  resource: nodeResource,
  namespace: undefined,
  name: "n1",
  object: next,
  previous,
});
const restricted = { "node-restriction.kubernetes.io/x": "y" };

test.each<readonly [string, AskedWrite]>([
  ["its mirror pods", { resource: podResource, object: mirrorPod() }],
  [
    "its pods, to delete them",
    { operation: "DELETE", resource: podResource, previous: previousOf(mirrorPod()) },
  ],
  ["its Node", nodeUpdate(node({}, { labels: { "kubernetes.io/arch": "amd64", own: "x" } }))],
  [
    "the size of a volume",
    claimStatus(claim({ phase: "Bound", capacity: { storage: "2Gi" }, conditions: [] })),
  ],
  [
    "its lease",
    { resource: leaseResource, namespace: "kube-node-lease", object: { metadata: { name: "n1" } } },
  ],
  [
    "its CSINode",
    { resource: csiNodeResource, namespace: undefined, object: { metadata: { name: "n1" } } },
  ],
  ["tokens that a pod projects", token({ audiences: ["vault"] })],
  ["tokens that a pod's volumes need", token({ audiences: ["storage"] })],
])("a node writes %s", async (_what, asked) => {
  await write(asked);
});

test.each<readonly [AskedWrite, string]>([
  [
    { resource: podResource, object: mirrorPod({}, { annotations: {} }) },
    'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  ],
  [
    { resource: podResource, object: mirrorPod({ nodeName: "n2" }) },
    'node "n1" can only create pods with spec.nodeName set to itself',
  ],
  [
    { resource: podResource, object: mirrorPod({}, { ownerReferences: [] }) },
    'node "n1" can only create pods with an owner reference set to itself',
  ],
  [
    { resource: podResource, object: mirrorPod({}, { ownerReferences: [owner, owner] }) },
    "with a single owner reference set to itself",
  ],
  [
    {
      resource: podResource,
      object: mirrorPod({}, { ownerReferences: [{ ...owner, controller: false }] }),
    },
    "with a controller owner reference set to itself",
  ],
  [
    {
      resource: podResource,
      object: mirrorPod({}, { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }),
    },
    "must not set blockOwnerDeletion on an owner reference",
  ],
  [
    {
      resource: podResource,
      object: mirrorPod({}, { ownerReferences: [{ ...owner, uid: "old" }] }),
    },
    "node n1 UID mismatch: expected old got uid-n1",
  ],
  [
    { resource: podResource, object: mirrorPod({ serviceAccountName: "a" }) },
    "can not create pods that reference a service account",
  ],
  [
    { resource: podResource, object: mirrorPod({ imagePullSecrets: [{ name: "s" }] }) },
    "can not create pods that reference secrets",
  ],
  [
    {
      resource: podResource,
      object: mirrorPod({ volumes: [{ name: "v", configMap: { name: "c" } }] }),
    },
    "can not create pods that reference configmaps",
  ],
  [
    {
      resource: podResource,
      object: mirrorPod({ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] }),
    },
    "can not create pods that reference persistentvolumeclaims",
  ],
  [
    {
      resource: podResource,
      subresource: "ephemeralcontainers",
      operation: "UPDATE",
      object: mirrorPod(),
    },
    "unexpected pod subresource \"ephemeralcontainers\", only 'status' and 'eviction' are allowed",
  ],
  [
    { resource: podResource, operation: "UPDATE", object: mirrorPod() },
    'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
  ],
  [
    {
      resource: podResource,
      operation: "DELETE",
      previous: previousOf(mirrorPod({ nodeName: "n2" })),
    },
    'node "n1" can only delete pods with spec.nodeName set to itself',
  ],
  [
    { resource: podResource, subresource: "eviction", name: "elsewhere", object: {} },
    "node n1 can only evict pods with spec.nodeName set to itself",
  ],
  [
    {
      resource: podResource,
      operation: "UPDATE",
      subresource: "status",
      object: mirrorPod({}, { labels: { a: "b" } }),
      previous: previousOf(mirrorPod()),
    },
    'node "n1" cannot update labels through pod status',
  ],
  [
    { resource: nodeResource, namespace: undefined, object: node({}, { name: "n2" }) },
    'node "n1" is not allowed to modify node "n2"',
  ],
  [
    { resource: nodeResource, namespace: undefined, object: node({}, { labels: restricted }) },
    'node "n1" is not allowed to set the following labels: node-restriction.kubernetes.io/x',
  ],
  [
    nodeUpdate(node({}, { labels: restricted })),
    "is not allowed to modify labels: node-restriction.kubernetes.io/x",
  ],
  [
    nodeUpdate(node(), node({ spec: { taints: [{ key: "a", effect: "NoSchedule" }] } })),
    'node "n1" is not allowed to modify taints',
  ],
  [{ ...claimStatus({}), subresource: "" }, "may only update PVC status"],
  [
    claimStatus(claim({ phase: "Lost" }, { a: "b" })),
    "is not allowed to update fields other than status.capacity and status.conditions: metadata, status",
  ],
  [
    { resource: leaseResource, object: { metadata: { name: "n1" } } },
    'can only access leases in the "kube-node-lease" system namespace',
  ],
  [
    {
      resource: leaseResource,
      namespace: "kube-node-lease",
      operation: "UPDATE",
      name: "n2",
      object: {},
    },
    "can only access node lease with the same name as the requesting node",
  ],
  [
    { resource: csiNodeResource, namespace: undefined, object: { metadata: { name: "n2" } } },
    "can only access CSINode with the same name as the requesting node",
  ],
  [token({ boundObjectRef: undefined }), "node requested token not bound to a pod"],
  [
    token({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web" } }),
    "node requested token with a pod binding without a uid",
  ],
  [
    token({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web", uid: "old" } }),
    "the UID in the bound object reference (old) does not match the UID in record",
  ],
  [
    token({
      boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "elsewhere", uid: "elsewhere" },
    }),
    "node requested token bound to a pod scheduled on a different node",
  ],
  [token({ audiences: ["a", "b"] }), "node may only request 0 or 1 audiences"],
  [
    token({ audiences: ["other"] }),
    'audience "other" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
  ],
  [
    {
      resource: nodeResource,
      namespace: undefined,
      object: node(),
      user: { username: "system:node:", groups: ["system:nodes"] },
    },
    'could not determine node from user "system:node:"',
  ],
])("a node keeps to itself: %#", async (asked, why) => {
  await expect(write(asked)).rejects.toThrow(why);
});

test("whom a node may make tokens for can be granted", async () => {
  await write(token({ audiences: ["other"] }), ["other"]);
});
