import { describe, expect, test } from "vitest";
import type {
  Container,
  Node,
  NodeSpec,
  Pod,
  PodSpec,
} from "../../api/generated/core-v1.generated.ts";
import { podInfoOf } from "./pod-info.ts";
import { defaultProfile } from "./profile.ts";
import { type Decision, schedulePod } from "./schedule-pod.ts";
import { Snapshot } from "./snapshot.ts";

interface NodeSketch {
  readonly labels?: Record<string, string>;
  readonly spec?: NodeSpec;
  readonly allocatable?: Record<string, string>;
}

function node(name: string, sketch: NodeSketch = {}): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: sketch.labels ?? {},
    },
    spec: sketch.spec ?? {},
    status: {
      allocatable: { cpu: "2", memory: "4Gi", pods: "110", ...sketch.allocatable },
    } as unknown as Node["status"],
  };
}

function container(fields: Partial<Container>): Container {
  return { name: "c", resources: {}, ...fields } as Container;
}

function pod(name: string, spec: Partial<PodSpec> = {}, requests?: Record<string, string>): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: {
      containers: [container({ resources: requests === undefined ? {} : { requests } })],
      ...spec,
    },
    status: {},
  };
}

function schedule(nodes: readonly Node[], running: Record<string, Pod[]>, subject: Pod): Decision {
  const snapshot = new Snapshot();
  for (const each of nodes) snapshot.setNode(each);
  for (const [nodeName, pods] of Object.entries(running)) {
    for (const each of pods) snapshot.setPod(podInfoOf(each), nodeName);
  }
  return schedulePod({
    pod: podInfoOf(subject),
    cluster: snapshot,
    profile: defaultProfile,
    startAt: 0,
    random: () => 0.5,
  });
}

const taint = { key: "gpu", value: "yes", effect: "NoSchedule" } as const;
const port = (hostPort: number, hostIP = ""): Partial<PodSpec> => ({
  containers: [container({ ports: [{ containerPort: 80, hostPort, protocol: "TCP", hostIP }] })],
});

const unfit: readonly [string, readonly Node[], Record<string, Pod[]>, Pod, string][] = [
  [
    "too little CPU left",
    [node("a")],
    { a: [pod("x", {}, { cpu: "1500m" })] },
    pod("p", {}, { cpu: "600m" }),
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
  [
    "more than any node has",
    [node("a"), node("b")],
    {},
    pod("p", {}, { cpu: "64", memory: "1Ti" }),
    "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  ],
  [
    "an extended resource that is not there",
    [node("a")],
    {},
    pod("p", {}, { "example.com/gpu": "1" }),
    "0/1 nodes are available: 1 Insufficient example.com/gpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  ],
  [
    "no room for another pod",
    [node("a", { allocatable: { pods: "1" } })],
    { a: [pod("x")] },
    pod("p"),
    "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
  [
    "a taint, and a selector",
    [node("a", { spec: { taints: [taint] } }), node("b")],
    {},
    pod("p", { nodeSelector: { disk: "ssd" } }),
    "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  ],
  [
    "a cordoned node",
    [node("a", { spec: { unschedulable: true } })],
    {},
    pod("p"),
    "0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  ],
  [
    "a host port that is taken",
    [node("a")],
    { a: [pod("x", port(80))] },
    pod("p", port(80, "10.0.0.1")),
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
  ["no node", [], {}, pod("p"), "no nodes available to schedule pods"],
];

test.each(unfit)("a pod stays where it is for: %s", (_, nodes, running, subject, message) => {
  expect(schedule(nodes, running, subject)).toMatchObject({ outcome: "unschedulable", message });
});

describe("a pod is placed", () => {
  const required = (operator: "Gt" | "NotIn" | "Exists", values: string[], key = "zone") =>
    ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
          },
        },
      },
    }) as const;
  const cases: readonly [string, readonly Node[], Record<string, Pod[]>, Pod, string][] = [
    [
      "where most is left",
      [node("a"), node("b")],
      { a: [pod("x", {}, { cpu: "1" })] },
      pod("p"),
      "b",
    ],
    [
      "where pods that ask for nothing are fewer",
      [node("a"), node("b")],
      { a: [pod("x")] },
      pod("p"),
      "b",
    ],
    [
      "where it tolerates the taint",
      [node("a", { spec: { taints: [taint] } })],
      {},
      pod("p", { tolerations: [{ key: "gpu", operator: "Exists" }] }),
      "a",
    ],
    [
      "where the labels are right",
      [node("a"), node("b", { labels: { disk: "ssd" } })],
      {},
      pod("p", { nodeSelector: { disk: "ssd" } }),
      "b",
    ],
    [
      "where a number is large enough",
      [node("a", { labels: { zone: "3" } }), node("b", { labels: { zone: "10" } })],
      {},
      pod("p", required("Gt", ["5"])),
      "b",
    ],
    [
      "where a label is not",
      [node("a", { labels: { zone: "x" } }), node("b")],
      {},
      pod("p", required("NotIn", ["x"])),
      "b",
    ],
    [
      "where no soft taint is",
      [node("a", { spec: { taints: [{ ...taint, effect: "PreferNoSchedule" }] } }), node("b")],
      { b: [pod("x", {}, { cpu: "1" })] },
      pod("p"),
      "b",
    ],
    [
      "by what it prefers",
      [node("a"), node("b", { labels: { disk: "ssd" } })],
      { b: [pod("x", {}, { cpu: "200m" })] },
      pod("p", {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 10,
                preference: {
                  matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }],
                },
              },
            ],
          },
        },
      }),
      "b",
    ],
    [
      "beside a pod with the port on another address",
      [node("a")],
      { a: [pod("x", port(80, "10.0.0.2"))] },
      pod("p", port(80, "10.0.0.1")),
      "a",
    ],
  ];
  test.each(cases)("%s", (_, nodes, running, subject, nodeName) => {
    // Both orders, so that it is not the order which decides.
    expect(schedule(nodes, running, subject)).toEqual({ outcome: "placed", nodeName });
    expect(schedule(nodes.toReversed(), running, subject)).toEqual({ outcome: "placed", nodeName });
  });
});

test("what a pod took is free again when it leaves", () => {
  const snapshot = new Snapshot();
  snapshot.setNode(node("a"));
  const before = structuredClone(snapshot.nodes[0]?.requested);
  const info = podInfoOf(pod("x", port(80), { cpu: "1", "example.com/gpu": "2" }));
  snapshot.setPod(info, "a");
  snapshot.setPod(podInfoOf(pod("x", port(81), { cpu: "2" })), "a");
  expect(snapshot.nodes[0]).toMatchObject({ podCount: 1, hostPorts: [{ port: 81 }] });
  snapshot.removePod("x");
  expect(snapshot.nodes[0]).toMatchObject({
    podCount: 0,
    hostPorts: [],
    assumedUse: { cpuMillis: 0 },
  });
  expect(snapshot.nodes[0]?.requested.cpuMillis).toBe(before?.cpuMillis);
});

test("a large cluster is not searched to its end, and each node has its turn", () => {
  const snapshot = new Snapshot();
  for (let index = 0; index < 300; index++) snapshot.setNode(node(`n${index}`));
  const chosen = new Set<string>();
  for (let startAt = 0; startAt < 300; startAt += 10) {
    const decision = schedulePod({
      pod: podInfoOf(pod("p")),
      cluster: snapshot,
      profile: defaultProfile,
      startAt,
      random: () => 0.99,
    });
    if (decision.outcome === "placed") chosen.add(decision.nodeName);
  }
  expect(chosen.size).toBe(30);
});
