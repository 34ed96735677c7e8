import { expect, test } from "vitest";
import type { KubernetesObject } from "../../object.ts";
import { listOf } from "./amounts.ts";
import { evaluatorOf } from "./evaluators.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");

function usage(plural: string, object: object, group = ""): object {
  const evaluator = evaluatorOf({ group, plural });
  const meta = { metadata: { name: "x" }, ...object } as unknown as KubernetesObject;
  return listOf(evaluator?.usage(meta, nowMs) ?? new Map());
}

const running = {
  spec: {
    containers: [
      {
        name: "c",
        resources: {
          requests: {
            cpu: "100m",
            memory: "1Gi",
            "ephemeral-storage": "1G",
            "example.com/gpu": "2",
            "hugepages-2Mi": "4Mi",
          },
          limits: { cpu: "1", "example.com/gpu": "2" },
        },
      },
    ],
    initContainers: [{ name: "i", resources: { requests: { cpu: "500m" } } }],
    overhead: { cpu: "50m" },
  },
};

test.each([
  [
    "a pod takes what it asks for, at its dearest",
    "pods",
    running,
    {
      "count/pods": "1",
      pods: "1",
      cpu: "550m",
      "requests.cpu": "550m",
      "limits.cpu": "1050m",
      memory: "1Gi",
      "requests.memory": "1Gi",
      "ephemeral-storage": "1G",
      "requests.ephemeral-storage": "1G",
      "requests.example.com/gpu": "2",
      "hugepages-2Mi": "4Mi",
      "requests.hugepages-2Mi": "4Mi",
    },
  ],
  [
    "a pod that ended is only there",
    "pods",
    { ...running, status: { phase: "Succeeded" } },
    { "count/pods": "1" },
  ],
  [
    "so is one that should be gone",
    "pods",
    {
      ...running,
      metadata: { deletionTimestamp: "2025-12-31T23:59:00Z", deletionGracePeriodSeconds: 30 },
    },
    { "count/pods": "1" },
  ],
  [
    "a Service takes its node ports",
    "services",
    { spec: { type: "NodePort", ports: [{}, {}] } },
    {
      "count/services": "1",
      services: "1",
      "services.loadbalancers": "0",
      "services.nodeports": "2",
    },
  ],
  [
    "a load balancer that gets no node ports takes those it names",
    "services",
    {
      spec: {
        type: "LoadBalancer",
        allocateLoadBalancerNodePorts: false,
        ports: [{ nodePort: 1 }, {}],
      },
    },
    {
      "count/services": "1",
      services: "1",
      "services.loadbalancers": "1",
      "services.nodeports": "1",
    },
  ],
  [
    "a claim takes whole bytes, of its class, too",
    "persistentvolumeclaims",
    { spec: { storageClassName: "gold", resources: { requests: { storage: "1500m" } } } },
    {
      "count/persistentvolumeclaims": "1",
      persistentvolumeclaims: "1",
      "requests.storage": "2",
      "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
      "gold.storageclass.storage.k8s.io/requests.storage": "2",
    },
  ],
  [
    "a claim that was made larger takes what it has been given",
    "persistentvolumeclaims",
    {
      spec: { resources: { requests: { storage: "1Gi" } } },
      status: { allocatedResources: { storage: "5Gi" } },
    },
    { "count/persistentvolumeclaims": "1", persistentvolumeclaims: "1", "requests.storage": "5Gi" },
  ],
  ["some have a plain name, too", "secrets", {}, { "count/secrets": "1", secrets: "1" }],
  ["Events do not count", "events", {}, {}],
])("%s", (_what, plural, object, expected) => {
  expect(usage(plural, object)).toEqual(expected);
});

test("any kind counts by its number", () => {
  expect(usage("widgets", {}, "example.com")).toEqual({ "count/widgets.example.com": "1" });
});

test("where CPU is counted, every container says how much it takes, or the pod does for all", () => {
  const pods = evaluatorOf({ group: "", plural: "pods" });
  const problem = (spec: object) =>
    pods?.problem?.({ spec } as unknown as KubernetesObject, ["pods", "limits.cpu", "cpu"]);
  const silent = { name: "b" };
  const asking = { name: "a", resources: { requests: { cpu: "1" } } };
  expect(problem({ containers: [silent, asking], initContainers: [{ name: "i" }] })).toBe(
    "must specify cpu for: b,i; limits.cpu for: a,b,i",
  );
  expect(problem({ containers: [silent], resources: { limits: { cpu: "1" } } })).toBeUndefined();
});
