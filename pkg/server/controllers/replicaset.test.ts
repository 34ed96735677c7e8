import { describe, expect, test } from "vitest";
import type { ReplicaSet } from "../../api/generated/apps-v1.generated.ts";
import type { Pod, PodStatus } from "../../api/generated/core-v1.generated.ts";
import { formatTime } from "../../api/time.ts";
import { planReplicas, planStatus } from "./replicaset.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");

function replicaSet(spec: Partial<ReplicaSet["spec"]>): ReplicaSet {
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "rs",
      resourceVersion: "1",
      creationTimestamp: formatTime(nowMs),
      generation: 3,
    },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web", tier: "front" } }, spec: { containers: [] } },
      ...spec,
    },
    status: { replicas: 0 },
  };
}

interface PodSketch {
  readonly node?: string;
  readonly phase?: PodStatus["phase"];
  readonly readyForSeconds?: number;
  readonly ageSeconds?: number;
  readonly restarts?: number;
  readonly cost?: string;
  readonly labels?: Record<string, string>;
  readonly deleting?: boolean;
}

function pod(name: string, sketch: PodSketch = {}): Pod {
  const ready = sketch.readyForSeconds;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: formatTime(nowMs - (sketch.ageSeconds ?? 100) * 1000),
      labels: sketch.labels ?? { app: "web" },
      annotations:
        sketch.cost === undefined
          ? {}
          : { "controller.kubernetes.io/pod-deletion-cost": sketch.cost },
      ...(sketch.deleting === true ? { deletionTimestamp: formatTime(nowMs) } : {}),
    },
    spec: { containers: [], ...(sketch.node === undefined ? {} : { nodeName: sketch.node }) },
    status: {
      phase: sketch.phase ?? "Running",
      conditions: [
        {
          type: "Ready",
          status: ready === undefined ? "False" : "True",
          lastTransitionTime: formatTime(nowMs - (ready ?? 0) * 1000),
        },
      ],
      containerStatuses: [
        {
          name: "c",
          image: "",
          imageID: "",
          ready: true,
          state: {},
          lastState: {},
          restartCount: sketch.restarts ?? 0,
        },
      ],
    },
  };
}

const serving: PodSketch = { node: "a", readyForSeconds: 50 };

describe("which pod goes first", () => {
  const cases: readonly [string, { goes: PodSketch; stays: PodSketch }][] = [
    ["one without a node", { goes: {}, stays: { node: "a" } }],
    ["a pending one", { goes: { ...serving, phase: "Pending" }, stays: serving }],
    ["one that is not ready", { goes: { node: "a" }, stays: serving }],
    ["one that is marked as cheap", { goes: { ...serving, cost: "-5" }, stays: serving }],
    [
      "one that became ready lately",
      { goes: serving, stays: { ...serving, readyForSeconds: 5000 } },
    ],
    ["one that restarts", { goes: { ...serving, restarts: 3 }, stays: serving }],
    [
      "a young one",
      { goes: { ...serving, ageSeconds: 60 }, stays: { ...serving, ageSeconds: 6000 } },
    ],
  ];
  test.each(cases)("%s", (_, { goes, stays }) => {
    // Names that would decide the other way round, so that only the rule can explain the answer.
    const victim = pod("z", goes);
    const survivor = pod("a", stays);
    const pods = [survivor, victim];
    const plan = planReplicas(replicaSet({ replicas: 1 }), pods, pods, nowMs);
    expect(plan).toEqual({ createCount: 0, deletions: [victim] });
  });

  test("one that shares its node with the pods of a sibling", () => {
    const crowded = pod("z", { node: "a", readyForSeconds: 50 });
    const alone = pod("b", { node: "b", readyForSeconds: 50 });
    const related = [crowded, alone, pod("other", { node: "a" })];
    const plan = planReplicas(replicaSet({ replicas: 1 }), [alone, crowded], related, nowMs);
    expect(plan.deletions).toEqual([crowded]);
  });
});

test("what is missing is created, at most 500 at once", () => {
  const asked = replicaSet({ replicas: 3 });
  expect(planReplicas(asked, [pod("a")], [], nowMs)).toEqual({ createCount: 2, deletions: [] });
  expect(planReplicas(replicaSet({ replicas: 600 }), [], [], nowMs).createCount).toBe(500);
});

test("replicas that are not given count as one", () => {
  expect(planReplicas(replicaSet({}), [], [], nowMs).createCount).toBe(1);
});

test("the status counts active, labeled, ready, available and terminating pods apart", () => {
  const pods = [
    pod("long-ready", { readyForSeconds: 60, labels: { app: "web", tier: "front" } }),
    pod("just-ready", { readyForSeconds: 5 }),
    pod("starting", { phase: "Pending" }),
    pod("ended", { phase: "Failed" }),
    pod("leaving", { readyForSeconds: 60, deleting: true }),
  ];
  expect(planStatus(replicaSet({ minReadySeconds: 10 }), pods, undefined, nowMs)).toEqual({
    replicas: 3,
    fullyLabeledReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 1,
    observedGeneration: 3,
  });
});

test("a failure is told once, with the time it began, and is gone when it is over", () => {
  const failure = { reason: "FailedCreate", message: "quota" };
  const first = planStatus(replicaSet({}), [], failure, nowMs);
  expect(first.conditions).toEqual([
    {
      type: "ReplicaFailure",
      status: "True",
      lastTransitionTime: "2026-03-01T12:00:00Z",
      ...failure,
    },
  ]);
  const failing = { ...replicaSet({}), status: first };
  expect(planStatus(failing, [], { ...failure, message: "else" }, nowMs + 1000)).toEqual(first);
  expect(planStatus(failing, [], undefined, nowMs + 1000).conditions).toBeUndefined();
});
