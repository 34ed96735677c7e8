import { describe, expect, test } from "vitest";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from "../../../api/generated/policy-v1.generated.ts";
import { formatTime } from "../../../api/time.ts";
import { expectedScale, type PodKeeper } from "./expected-scale.ts";
import { dependsOnScale, planBudget, planCounts, planFailed } from "./plan-budget.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const secondsAgo = (seconds: number) => formatTime(nowMs - seconds * 1000);

function budget(status: Partial<PodDisruptionBudgetStatus> = {}): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "web",
      resourceVersion: "1",
      creationTimestamp: secondsAgo(600),
      generation: 4,
    },
    spec: {},
    status: {
      currentHealthy: 0,
      desiredHealthy: 0,
      disruptionsAllowed: 0,
      expectedPods: 0,
      ...status,
    },
  };
}

function pod(
  name: string,
  {
    ready = true,
    deleting = false,
    owner = "",
  }: { ready?: boolean; deleting?: boolean; owner?: string } = {},
): Pod {
  const reference = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: owner,
    uid: owner,
    controller: true,
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: secondsAgo(600),
      ...(deleting ? { deletionTimestamp: secondsAgo(1) } : {}),
      ...(owner === "" ? {} : { ownerReferences: [reference] }),
    },
    spec: { containers: [] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

describe("how many pods must stay", () => {
  type Spec = PodDisruptionBudget["spec"];
  const cases: readonly [
    string,
    { spec: Spec; pods?: number; scale?: number; counts: [expected: number, desired: number] },
  ][] = [
    [
      "a number of them, of those that are there",
      { spec: { minAvailable: 3 }, pods: 5, counts: [5, 3] },
    ],
    [
      "a share of what is asked for, rounded up",
      { spec: { minAvailable: "50%" }, pods: 4, scale: 5, counts: [5, 3] },
    ],
    [
      "all but a number of them",
      { spec: { maxUnavailable: 1 }, pods: 4, scale: 5, counts: [5, 4] },
    ],
    [
      "all but a share, which is rounded up",
      { spec: { maxUnavailable: "30%" }, scale: 7, counts: [7, 4] },
    ],
    [
      "none, where more may go than there should be",
      { spec: { maxUnavailable: 9 }, scale: 5, counts: [5, 0] },
    ],
    ["none, where all may go", { spec: { maxUnavailable: "100%" }, scale: 5, counts: [5, 0] }],
    ["all, where none may go", { spec: { maxUnavailable: 0 }, scale: 5, counts: [5, 5] }],
    ["none, where nothing is said", { spec: {}, pods: 5, scale: 5, counts: [0, 0] }],
  ];
  test.each(cases)("%s", (_, { spec, pods = 0, scale = 0, counts: [expected, desired] }) => {
    expect(planCounts(spec, pods, scale)).toEqual({ expected, desired });
  });

  test("only a plain number to keep does not depend on what is asked for", () => {
    const specs: Spec[] = [{ minAvailable: 1 }, {}, { minAvailable: "1%" }, { maxUnavailable: 1 }];
    expect(specs.map(dependsOnScale)).toEqual([false, false, true, true]);
  });
});

describe("what a budget allows", () => {
  const three = [pod("a"), pod("b"), pod("c")];
  const cases: readonly [
    string,
    {
      pods: readonly Pod[];
      counts: [expected: number, desired: number];
      allowed: number;
      healthy: number;
    },
  ][] = [
    ["the pods above what must stay", { pods: three, counts: [3, 2], allowed: 1, healthy: 3 }],
    [
      "nothing, where just enough are healthy",
      { pods: three, counts: [3, 3], allowed: 0, healthy: 3 },
    ],
    ["nothing, where too few are", { pods: three, counts: [5, 4], allowed: 0, healthy: 3 }],
    [
      "less for a pod that is not ready, and for one that goes",
      {
        pods: [...three, pod("d", { ready: false }), pod("e", { deleting: true })],
        counts: [5, 2],
        allowed: 1,
        healthy: 3,
      },
    ],
    [
      "nothing, where no pods are expected",
      { pods: three, counts: [0, 0], allowed: 0, healthy: 3 },
    ],
  ];
  test.each(cases)("%s", (_, { pods, counts: [expected, desired], allowed, healthy }) => {
    const { status } = planBudget(budget(), pods, { expected, desired }, nowMs);
    expect(status).toEqual({
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
      disruptionsAllowed: allowed,
      observedGeneration: 4,
      conditions: [
        {
          type: "DisruptionAllowed",
          status: allowed > 0 ? "True" : "False",
          reason: allowed > 0 ? "SufficientPods" : "InsufficientPods",
          message: "",
          observedGeneration: 4,
          lastTransitionTime: "2026-03-01T12:00:00Z",
        },
      ],
    });
  });

  test("an evicted pod counts as gone until it is, or for two minutes", () => {
    const disruptedPods = {
      going: secondsAgo(10),
      stayed: secondsAgo(120),
      waiting: secondsAgo(30),
      gone: secondsAgo(10),
    };
    const stayed = pod("stayed");
    const pods = [pod("going", { deleting: true }), stayed, pod("waiting"), pod("other")];
    const counts = { expected: 4, desired: 1 };
    const plan = planBudget(budget({ disruptedPods }), pods, counts, nowMs);
    expect(plan.status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    expect(plan.status.disruptedPods).toEqual({ waiting: secondsAgo(30) });
    expect(plan.notDeleted).toEqual([stayed]);
    expect(plan.lookAgainInMs).toBe(90_000);
  });

  test("a condition keeps its time while its status stays", () => {
    const counts = { expected: 3, desired: 2 };
    const first = planBudget(budget(), three, counts, nowMs - 60_000).status;
    const again = planBudget(budget(first), three, counts, nowMs).status;
    expect(again).toEqual(first);
    const fewer = planBudget(budget(first), three.slice(1), counts, nowMs).status;
    expect(fewer.conditions).toMatchObject([
      { status: "False", reason: "InsufficientPods", lastTransitionTime: "2026-03-01T12:00:00Z" },
    ]);
  });

  test("nothing, where it cannot be counted; the rest stays as it was, of the generation it was of", () => {
    const counted = planBudget(budget(), three, { expected: 3, desired: 2 }, nowMs).status;
    const changed = { ...budget(counted), metadata: { ...budget().metadata, generation: 5 } };
    expect(planFailed(changed, "no such kind", nowMs)).toEqual({
      ...counted,
      disruptionsAllowed: 0,
      conditions: [
        {
          type: "DisruptionAllowed",
          status: "False",
          reason: "SyncFailed",
          message: "no such kind",
          observedGeneration: 4,
          lastTransitionTime: "2026-03-01T12:00:00Z",
        },
      ],
    });
  });
});

describe("how many pods are asked for", () => {
  const keepers: Record<string, PodKeeper | string> = {
    one: { uid: "deployment", replicas: 3 },
    two: { uid: "deployment", replicas: 3 },
    set: { uid: "set", replicas: 5 },
    daemon: "daemonsets.apps does not implement the scale subresource",
  };
  const scaleOf = (...owners: string[]) =>
    expectedScale(
      owners.map((owner, index) => pod(`p${index}`, { owner })),
      async ({ uid }) => keepers[uid],
    );

  test("each controller counts once, also where it stands behind several", async () => {
    expect(await scaleOf("one", "one", "two", "set")).toEqual({
      outcome: "known",
      podCount: 8,
      unmanaged: [],
    });
  });

  test("pods without a controller are told of, and count for nothing", async () => {
    expect(await scaleOf("set", "")).toEqual({ outcome: "known", podCount: 5, unmanaged: ["p1"] });
  });

  test.each([
    ["a controller that is gone", "gone", 'found no controllers for pod "p1"'],
    ["a controller without a scale", "daemon", keepers["daemon"]],
  ])("nobody knows, with %s", async (_, owner, why) => {
    expect(await scaleOf("set", owner)).toEqual({ outcome: "unknown", why });
  });
});
