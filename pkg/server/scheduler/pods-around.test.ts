import { expect, test } from "vitest";
import type {
  Affinity,
  Node,
  Pod,
  PodAffinityTerm,
  TopologySpreadConstraint,
} from "../../api/generated/core-v1.generated.ts";
import { podInfoOf } from "./pod-info.ts";
import { defaultProfile } from "./profile.ts";
import { schedulePod } from "./schedule-pod.ts";
import { Snapshot } from "./snapshot.ts";

const metadata = (name: string, labels: Record<string, string> = {}) => ({
  name,
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  labels,
});

/** `a1` and `a2` are in zone a, `b1` is in zone b, `bare` has no label. */
function node(name: string, more: { readonly tainted?: boolean } = {}): Node {
  const zone = name === "bare" ? {} : { zone: name.slice(0, 1), host: name };
  const taints = [{ key: "busy", effect: "NoSchedule" as const }];
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: metadata(name, zone),
    spec: more.tainted === true ? { taints } : {},
    status: { allocatable: { cpu: "8", memory: "8Gi", pods: "110" } } as unknown as Node["status"],
  };
}

interface PodSketch {
  readonly app?: string;
  readonly namespace?: string;
  readonly leaving?: boolean;
  readonly priority?: number;
  readonly spec?: Partial<Pod["spec"]>;
}

function pod(name: string, sketch: PodSketch = {}): Pod {
  const { app = "web", namespace = "default", leaving = false, priority, spec } = sketch;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata(name, { app }),
      namespace,
      ...(leaving ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      containers: [{ name: "c", resources: {} }] as unknown as Pod["spec"]["containers"],
      ...(priority === undefined ? {} : { priority }),
      ...spec,
    },
    status: {},
  };
}

const near = (app: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: "zone",
  labelSelector: { matchLabels: { app } },
  ...more,
});
const withAffinity = (term: PodAffinityTerm): Affinity => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
});
const withAnti = (term: PodAffinityTerm): Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
});
const spread = (more: Partial<TopologySpreadConstraint> = {}): Partial<Pod["spec"]> => ({
  topologySpreadConstraints: [
    {
      topologyKey: "zone",
      maxSkew: 1,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "web" } },
      ...more,
    },
  ],
});

const namespaces: Record<string, Record<string, string>> = { other: { team: "red" }, default: {} };

/** Every node on which the pod could be: those that the others leave open. */
function possible(nodes: readonly Node[], running: Record<string, Pod[]>, subject: Pod) {
  return nodes
    .map(({ metadata: { name } }) => name)
    .filter((name) => decide(nodes, running, subject, name).outcome === "placed");
}

function decide(nodes: readonly Node[], running: Record<string, Pod[]>, subject: Pod, on?: string) {
  const snapshot = new Snapshot((name) => namespaces[name]);
  for (const each of nodes) snapshot.setNode(each);
  for (const [nodeName, pods] of Object.entries(running)) {
    for (const each of pods) snapshot.setPod(podInfoOf(each), nodeName);
  }
  const asked =
    on === undefined ? subject : { ...subject, spec: { ...subject.spec, nodeName: on } };
  return schedulePod({
    pod: podInfoOf(asked),
    cluster: snapshot,
    profile: defaultProfile,
    startAt: 0,
    random: () => 0.5,
  });
}

const three = [node("a1"), node("a2"), node("b1")];
const hard: readonly [string, readonly Node[], Record<string, Pod[]>, Pod, readonly string[]][] = [
  [
    "with the pods it must be with, anywhere in their zone",
    three,
    { a1: [pod("db", { app: "db" })] },
    pod("p", { spec: { affinity: withAffinity(near("db")) } }),
    ["a1", "a2"],
  ],
  [
    "nowhere, if there are none and it is not one of them",
    three,
    {},
    pod("p", { spec: { affinity: withAffinity(near("db")) } }),
    [],
  ],
  [
    "anywhere with the label, as the first of pods that want to be together",
    [...three, node("bare")],
    {},
    pod("p", { spec: { affinity: withAffinity(near("web")) } }),
    ["a1", "a2", "b1"],
  ],
  [
    "not where those of another namespace are, unless it says so",
    three,
    { a1: [pod("db", { app: "db", namespace: "other" })] },
    pod("p", { spec: { affinity: withAffinity(near("db")) } }),
    [],
  ],
  [
    "with pods of a namespace that is named",
    three,
    { a1: [pod("db", { app: "db", namespace: "other" })] },
    pod("p", { spec: { affinity: withAffinity(near("db", { namespaces: ["other"] })) } }),
    ["a1", "a2"],
  ],
  [
    "with pods of a namespace that is told by its labels",
    three,
    { b1: [pod("db", { app: "db", namespace: "other" })] },
    pod("p", {
      spec: {
        affinity: withAffinity(near("db", { namespaceSelector: { matchLabels: { team: "red" } } })),
      },
    }),
    ["b1"],
  ],
  [
    "away from the pods it must not be with",
    three,
    { a1: [pod("w")] },
    pod("p", { spec: { affinity: withAnti(near("web")) } }),
    ["b1"],
  ],
  [
    "on a host of its own",
    three,
    { a1: [pod("w")] },
    pod("p", { spec: { affinity: withAnti(near("web", { topologyKey: "host" })) } }),
    ["a2", "b1"],
  ],
  [
    "away from pods that must not be with it, though it asks for nothing",
    three,
    { b1: [pod("shy", { app: "shy", spec: { affinity: withAnti(near("web")) } })] },
    pod("p"),
    ["a1", "a2"],
  ],
  [
    "where pods of an older template only are, if it says so by a label",
    three,
    { a1: [pod("w", { app: "old" })] },
    pod("p", {
      spec: {
        affinity: withAnti(near("", { labelSelector: {}, matchLabelKeys: ["app"] })),
      },
    }),
    ["a1", "a2", "b1"],
  ],
  [
    "where its zone does not get ahead",
    three,
    { a1: [pod("w")] },
    pod("p", { spec: spread() }),
    ["b1"],
  ],
  [
    "anywhere, where the skew allows it",
    three,
    { a1: [pod("w")] },
    pod("p", { spec: spread({ maxSkew: 2 }) }),
    ["a1", "a2", "b1"],
  ],
  [
    "anywhere, where who is ahead is leaving",
    three,
    { a1: [pod("w", { leaving: true })] },
    pod("p", { spec: spread() }),
    ["a1", "a2", "b1"],
  ],
  [
    "only on nodes that have the label",
    [...three, node("bare")],
    {},
    pod("p", { spec: spread() }),
    ["a1", "a2", "b1"],
  ],
  [
    "no more than the skew, where there are too few zones",
    three,
    { a1: [pod("v")], b1: [pod("w")] },
    pod("p", { spec: spread({ minDomains: 3 }) }),
    [],
  ],
  [
    "where a zone that it may not enter does not count",
    [node("a1"), node("b1", { tainted: true })],
    { a1: [pod("w")] },
    pod("p", { spec: spread({ nodeTaintsPolicy: "Honor" }) }),
    ["a1"],
  ],
  [
    "nowhere, where a zone that it may not enter does count",
    [node("a1"), node("b1", { tainted: true })],
    { a1: [pod("w")] },
    pod("p", { spec: spread() }),
    [],
  ],
];

test.each(hard)("a pod may run %s", (_, nodes, running, subject, where) => {
  expect(possible(nodes, running, subject)).toEqual(where);
});

const head = "0/1 nodes are available: 1 ";
const tail = (why: string) =>
  `. no new claims to deallocate, preemption: 0/1 nodes are available: 1 ${why}.`;
const helpless = tail("Preemption is not helpful for scheduling");
const victimless = tail("No preemption victims found for incoming pod");
const words: readonly [string, readonly Node[], Record<string, Pod[]>, Pod, string][] = [
  [
    "affinity",
    [node("a1")],
    {},
    pod("p", { spec: { affinity: withAffinity(near("db")) } }),
    `${head}node(s) didn't match pod affinity rules${helpless}`,
  ],
  [
    "anti-affinity",
    [node("a1")],
    { a1: [pod("w")] },
    pod("p", { spec: { affinity: withAnti(near("web")) } }),
    `${head}node(s) didn't match pod anti-affinity rules${victimless}`,
  ],
  [
    "anti-affinity of others",
    [node("a1")],
    { a1: [pod("w", { spec: { affinity: withAnti(near("web")) } })] },
    pod("p"),
    `${head}node(s) didn't satisfy existing pods anti-affinity rules${victimless}`,
  ],
  [
    "spreading",
    [node("a1")],
    { a1: [pod("w")] },
    pod("p", { spec: spread({ minDomains: 2 }) }),
    `${head}node(s) didn't match pod topology spread constraints${victimless}`,
  ],
  [
    "spreading over labels that are not there",
    [node("bare")],
    {},
    pod("p", { spec: spread() }),
    `${head}node(s) didn't match pod topology spread constraints (missing required label)${helpless}`,
  ],
  [
    "pods that are less important, which are not moved",
    [node("a1")],
    { a1: [pod("w")] },
    pod("p", { priority: 10, spec: { affinity: withAnti(near("web")) } }),
    `${head}node(s) didn't match pod anti-affinity rules${tail(
      "node(s) have pods of lower priority, which mini8s does not preempt: delete or move some of them",
    )}`,
  ],
  [
    "a pod that does not want others to be moved",
    [node("a1")],
    { a1: [pod("w")] },
    pod("p", {
      priority: 10,
      spec: { affinity: withAnti(near("web")), preemptionPolicy: "Never" },
    }),
    `${head}node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never..`,
  ],
];

test.each(words)("what is said of %s", (_, nodes, running, subject, message) => {
  expect(decide(nodes, running, subject)).toMatchObject({ outcome: "unschedulable", message });
});

const prefer = (anti: boolean): Affinity => {
  const preferred = {
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: near("web") }],
  };
  return anti ? { podAntiAffinity: preferred } : { podAffinity: preferred };
};
const soft: readonly [string, readonly Node[], Record<string, Pod[]>, Pod, string][] = [
  [
    "with pods it would like to be with",
    [node("a1"), node("b1")],
    { b1: [pod("w")] },
    pod("p", { spec: { affinity: prefer(false) } }),
    "b1",
  ],
  [
    "away from pods it would rather not be with",
    [node("a1"), node("a2"), node("b1")],
    { a1: [pod("w")], b1: [pod("x", { app: "x" }), pod("y", { app: "y" })] },
    pod("p", { spec: { affinity: prefer(true) } }),
    "b1",
  ],
  [
    "with a pod that would like to have it around",
    [node("a1"), node("b1")],
    { b1: [pod("w", { app: "x", spec: { affinity: prefer(false) } })] },
    pod("p"),
    "b1",
  ],
  [
    "in the zone that has fewer like it",
    [node("a1"), node("a2"), node("b1")],
    { a1: [pod("v"), pod("w")], b1: [pod("x", { app: "x" }), pod("y")] },
    pod("p", { spec: spread({ whenUnsatisfiable: "ScheduleAnyway" }) }),
    "b1",
  ],
];

test.each(soft)("a pod is placed %s", (_, nodes, running, subject, nodeName) => {
  expect(decide(nodes, running, subject)).toEqual({ outcome: "placed", nodeName });
  expect(decide(nodes.toReversed(), running, subject)).toEqual({ outcome: "placed", nodeName });
});

test("what pods that left had asked of others is forgotten", () => {
  const snapshot = new Snapshot();
  snapshot.setNode(node("a1"));
  snapshot.setPod(podInfoOf(pod("w", { spec: { affinity: withAnti(near("web")) } })), "a1");
  expect([...snapshot.podsWithAffinities()]).toHaveLength(1);
  snapshot.removePod("w");
  expect([...snapshot.podsWithAffinities()]).toHaveLength(0);
});
