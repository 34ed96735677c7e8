import { describe, expect, test } from "vitest";
import type {
  Deployment,
  DeploymentStatus,
  ReplicaSet,
} from "../../../api/generated/apps-v1.generated.ts";
import type { PodTemplateSpec } from "../../../api/generated/core-v1.generated.ts";
import { formatTime } from "../../../api/time.ts";
import { planRollout, type RolloutPlan } from "./plan-rollout.ts";
import { planStatus } from "./plan-status.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");

function template(image: string): PodTemplateSpec {
  return {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image }] },
  } as unknown as PodTemplateSpec;
}

function deployment(
  spec: Partial<Deployment["spec"]> = {},
  status: Partial<DeploymentStatus> = {},
): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "deployment",
      resourceVersion: "1",
      generation: 2,
      creationTimestamp: formatTime(nowMs - 100_000),
      annotations: { note: "hello", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
    },
    spec: {
      replicas: 10,
      selector: { matchLabels: { app: "web" } },
      template: template("new"),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      ...spec,
    },
    status: { observedGeneration: 2, ...status },
  };
}

interface SetSketch {
  readonly replicas: number;
  readonly available?: number;
  readonly revision?: number;
  readonly ageSeconds?: number;
  /** The Deployment's size and maximum when this set was last scaled. */
  readonly scaledFor?: readonly [number, number];
}

function replicaSet(name: string, image: string, sketch: SetSketch): ReplicaSet {
  const [desired, max] = sketch.scaledFor ?? [10, 13];
  const { metadata, spec } = template(image);
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: formatTime(nowMs - (sketch.ageSeconds ?? 10) * 1000),
      annotations: {
        "deployment.kubernetes.io/revision": String(sketch.revision ?? 1),
        "deployment.kubernetes.io/desired-replicas": String(desired),
        "deployment.kubernetes.io/max-replicas": String(max),
      },
    },
    spec: {
      replicas: sketch.replicas,
      selector: {},
      template: { spec, metadata: { labels: { ...metadata.labels, "pod-template-hash": name } } },
    },
    status: {
      replicas: sketch.replicas,
      availableReplicas: sketch.available ?? sketch.replicas,
      readyReplicas: sketch.available ?? sketch.replicas,
      observedGeneration: 1,
    },
  };
}

function plan(
  subject: Deployment,
  sets: readonly ReplicaSet[],
  running: (set: ReplicaSet) => boolean = () => false,
): RolloutPlan {
  return planRollout({ deployment: subject, replicaSets: sets, hasRunningPods: running });
}

function sizes(planned: RolloutPlan): Record<string, number> {
  return Object.fromEntries(
    planned.sets.map(({ current, replicas }) => [current.metadata.name, replicas]),
  );
}

describe("a rolling update of 10, surge 3, unavailable 2", () => {
  test("makes a new ReplicaSet as large as the surge allows", () => {
    const { create } = plan(deployment(), [replicaSet("old", "old", { replicas: 10 })]);
    const hash = create?.metadata.labels?.["pod-template-hash"] ?? "";
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]+$/);
    expect(create).toMatchObject({
      metadata: {
        name: `web-${hash}`,
        annotations: {
          note: "hello",
          "deployment.kubernetes.io/revision": "2",
          "deployment.kubernetes.io/desired-replicas": "10",
          "deployment.kubernetes.io/max-replicas": "13",
        },
        ownerReferences: [{ uid: "deployment", controller: true, blockOwnerDeletion: true }],
      },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web", "pod-template-hash": hash } },
        template: { metadata: { labels: { app: "web", "pod-template-hash": hash } } },
      },
    });
    expect(create?.metadata.annotations).not.toHaveProperty(
      "kubectl.kubernetes.io/last-applied-configuration",
    );
  });

  const steps: readonly [string, Record<string, SetSketch>, Record<string, number>][] = [
    [
      "takes no more old pods than may be unavailable while the new ones start",
      { old: { replicas: 10 }, new: { replicas: 3, available: 0, revision: 2 } },
      { old: 8, new: 3 },
    ],
    [
      "grows the new one before it shrinks the old",
      { old: { replicas: 8 }, new: { replicas: 3, available: 0, revision: 2 } },
      { old: 8, new: 5 },
    ],
    [
      "waits when nothing may move",
      { old: { replicas: 8 }, new: { replicas: 5, available: 0, revision: 2 } },
      { old: 8, new: 5 },
    ],
    [
      "takes an old pod for each new one that became available",
      { old: { replicas: 8 }, new: { replicas: 5, available: 4, revision: 2 } },
      { old: 4, new: 5 },
    ],
    [
      "takes old pods that do not serve first, whatever the age of their ReplicaSet",
      {
        old: { replicas: 6, available: 6 },
        broken: { replicas: 4, available: 0 },
        new: { replicas: 3, available: 0, revision: 3 },
      },
      { old: 6, broken: 2, new: 3 },
    ],
    [
      "shrinks the new one where it is larger than asked for",
      { new: { replicas: 12, revision: 2 } },
      { new: 10 },
    ],
  ];
  test.each(steps)("%s", (_, before, after) => {
    const sets = Object.entries(before).map(([name, sketch], index) =>
      replicaSet(name, name === "new" ? "new" : name, { ageSeconds: 100 - index, ...sketch }),
    );
    expect(sizes(plan(deployment(), sets))).toEqual(after);
  });

  test("ends, whatever the bounds, with all pods new and never breaks a bound", () => {
    for (const [desired, maxSurge, maxUnavailable] of [
      [10, 3, 2],
      [1, 0, 0],
      [1, "25%", "25%"],
      [7, "100%", 0],
      [4, 0, "50%"],
    ] as const) {
      const subject = deployment({
        replicas: desired,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
      });
      const surge =
        typeof maxSurge === "number"
          ? maxSurge
          : Math.ceil((Number.parseInt(maxSurge, 10) * desired) / 100);
      const lost =
        typeof maxUnavailable === "number"
          ? maxUnavailable
          : Math.floor((Number.parseInt(maxUnavailable, 10) * desired) / 100);
      const floor = desired - (surge === 0 && lost === 0 ? 1 : lost);
      let state: Record<string, number> = { old: desired, new: 0 };
      for (let step = 0; step < 100 && (state["old"] !== 0 || state["new"] !== desired); step++) {
        const scaledFor = [desired, desired + surge] as const;
        const planned = plan(subject, [
          replicaSet("old", "old", { replicas: state["old"] ?? 0, scaledFor }),
          replicaSet("new", "new", { replicas: state["new"] ?? 0, scaledFor, revision: 2 }),
        ]);
        state = sizes(planned);
        expect((state["old"] ?? 0) + (state["new"] ?? 0)).toBeLessThanOrEqual(desired + surge);
        expect((state["old"] ?? 0) + (state["new"] ?? 0)).toBeGreaterThanOrEqual(floor);
      }
      expect(state).toEqual({ old: 0, new: desired });
    }
  });
});

describe("scaling in the middle of a rollout", () => {
  test("gives each ReplicaSet its share", () => {
    const sets = [
      replicaSet("old", "old", { replicas: 8, ageSeconds: 100 }),
      replicaSet("new", "new", { replicas: 5, revision: 2 }),
    ];
    const planned = plan(deployment({ replicas: 20 }), sets);
    // 23 of at most 13 before: 8 → 14, 5 → 9.
    expect(sizes(planned)).toEqual({ old: 14, new: 9 });
    expect(planned.newSet?.annotations).toMatchObject({
      "deployment.kubernetes.io/desired-replicas": "20",
      "deployment.kubernetes.io/max-replicas": "23",
    });
  });

  test("to nothing takes everything away", () => {
    const sets = [
      replicaSet("old", "old", { replicas: 8, ageSeconds: 100 }),
      replicaSet("new", "new", { replicas: 5, revision: 2 }),
    ];
    expect(sizes(plan(deployment({ replicas: 0 }), sets))).toEqual({ old: 0, new: 0 });
  });

  test("happens while paused, and no new ReplicaSet is made", () => {
    const planned = plan(deployment({ paused: true, replicas: 4 }), [
      replicaSet("old", "old", { replicas: 10 }),
    ]);
    expect(planned.create).toBeUndefined();
    expect(sizes(planned)).toEqual({ old: 4 });
  });
});

describe("Recreate", () => {
  const subject = deployment({ strategy: { type: "Recreate" }, replicas: 3 });
  const scaledFor = [3, 3] as const;

  test("takes all old pods away first", () => {
    const planned = plan(subject, [replicaSet("old", "old", { replicas: 3, scaledFor })]);
    expect([sizes(planned), planned.create]).toEqual([{ old: 0 }, undefined]);
  });

  test("waits for the last of them to end", () => {
    const old = replicaSet("old", "old", { replicas: 0, scaledFor });
    expect(plan(subject, [old], () => true).create).toBeUndefined();
    expect(plan(subject, [old], () => false).create?.spec.replicas).toBe(3);
  });
});

test("going back to an old template gives it the next revision, and remembers which it had", () => {
  const sets = [
    replicaSet("first", "new", { replicas: 0, revision: 1, ageSeconds: 100 }),
    replicaSet("second", "old", { replicas: 10, revision: 2 }),
  ];
  const planned = plan(deployment(), sets);
  expect(planned.revision).toBe("3");
  expect(planned.newSet?.annotations).toMatchObject({
    "deployment.kubernetes.io/revision": "3",
    "deployment.kubernetes.io/revision-history": "1",
  });
});

test("a rollout that is complete keeps as many old ReplicaSets as the history has room for", () => {
  const subject = deployment(
    { revisionHistoryLimit: 1 },
    { replicas: 10, updatedReplicas: 10, availableReplicas: 10 },
  );
  const sets = [
    replicaSet("a", "a", { replicas: 0, revision: 2, ageSeconds: 100 }),
    replicaSet("b", "b", { replicas: 0, revision: 1, ageSeconds: 90 }),
    replicaSet("new", "new", { replicas: 10, revision: 3 }),
  ];
  expect(plan(subject, sets).deletions.map(({ metadata }) => metadata.name)).toEqual(["b"]);
  const rolling = deployment({ revisionHistoryLimit: 1 }, { replicas: 9 });
  expect(plan(rolling, sets).deletions).toEqual([]);
});

describe("status", () => {
  const condition = (status: DeploymentStatus, type: string) =>
    status.conditions?.find((each) => each.type === type);

  test("tells of a rollout that is complete", () => {
    const subject = deployment();
    const sets = [replicaSet("web-x", "new", { replicas: 10, revision: 1 })];
    const before = planStatus(subject, plan(subject, sets), nowMs);
    const status = planStatus({ ...subject, status: before }, plan(subject, sets), nowMs);
    expect(status).toMatchObject({
      replicas: 10,
      updatedReplicas: 10,
      readyReplicas: 10,
      availableReplicas: 10,
      observedGeneration: 2,
    });
    expect(status).not.toHaveProperty("unavailableReplicas");
    expect(condition(status, "Available")).toMatchObject({
      status: "True",
      reason: "MinimumReplicasAvailable",
      message: "Deployment has minimum availability.",
    });
    expect(condition(status, "Progressing")).toMatchObject({
      status: "True",
      reason: "NewReplicaSetAvailable",
      message: 'ReplicaSet "web-x" has successfully progressed.',
    });
  });

  test("tells of one that is stuck, after its deadline and not before", () => {
    const updated = (secondsAgo: number): Partial<DeploymentStatus> => ({
      replicas: 10,
      updatedReplicas: 10,
      conditions: [
        {
          type: "Progressing",
          status: "True",
          reason: "ReplicaSetUpdated",
          lastUpdateTime: formatTime(nowMs - secondsAgo * 1000),
        },
      ],
    });
    const sets = [replicaSet("web-x", "new", { replicas: 10, available: 0, revision: 1 })];
    const reasonAfter = (secondsAgo: number) => {
      const subject = deployment({}, updated(secondsAgo));
      return condition(planStatus(subject, plan(subject, sets), nowMs), "Progressing");
    };
    expect(reasonAfter(600)?.reason).toBe("ReplicaSetUpdated");
    expect(reasonAfter(601)).toMatchObject({
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: 'ReplicaSet "web-x" has timed out progressing.',
    });
  });

  test("tells that it is paused, and that it goes on", () => {
    const paused = deployment({ paused: true });
    const status = planStatus(paused, plan(paused, []), nowMs);
    expect(condition(status, "Progressing")).toMatchObject({
      status: "Unknown",
      reason: "DeploymentPaused",
    });
  });
});
