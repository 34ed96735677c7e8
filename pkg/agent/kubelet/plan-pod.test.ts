import { describe, expect, test } from "vitest";
import { aContainer, aPod, ended, observedPod, sandbox, seen } from "../../../test/support/pods.ts";
import type { Pod } from "../../api/generated/core-v1.generated.ts";
import type { ObservedPod } from "./observed-pod.ts";
import { type PodSituation, planPod } from "./plan-pod.ts";

function plan(pod: Pod, observed: ObservedPod, rest: Partial<PodSituation> = {}) {
  return planPod({
    pod,
    observed,
    verdicts: new Map(),
    notBefore: new Map(),
    deadlineExceeded: false,
    nowMs: 100_000,
    ...rest,
  });
}

const start = (name: string, restartCount?: number) => ({
  do: "start-container",
  name,
  sandboxId: "s",
  restartCount,
});
const deletion = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 };

describe("what is done next", () => {
  const withInit = aPod({ initContainers: [aContainer("one"), aContainer("two")] });
  const withSidecar = aPod({
    initContainers: [aContainer("side", { restartPolicy: "Always" }), aContainer("one")],
  });
  const once = aPod({ restartPolicy: "Never" });
  const onFailure = aPod({ restartPolicy: "OnFailure" });

  const cases: readonly (readonly [string, Pod, ObservedPod, readonly unknown[]])[] = [
    [
      "a new pod gets a sandbox",
      aPod(),
      observedPod([], []),
      [{ do: "create-sandbox", attempt: 0, replaces: [] }],
    ],
    ["then its container", aPod(), observedPod(), [start("app")]],
    ["then nothing", aPod(), observedPod([seen("app")]), []],
    [
      "a container that ended runs again, counted",
      aPod(),
      observedPod([ended("app", 1, { restartCount: 4 })]),
      [start("app", 5)],
    ],
    [
      "with OnFailure after a failure",
      onFailure,
      observedPod([ended("app", 1)]),
      [start("app", 1)],
    ],
    [
      "a dead sandbox is replaced",
      aPod(),
      observedPod([ended("app", 255)], [sandbox({ state: "not-ready" })]),
      [{ do: "create-sandbox", attempt: 1, replaces: ["s"] }],
    ],
    [
      "containers that outlived their sandbox are stopped first",
      aPod(),
      observedPod([seen("app")], [sandbox({ state: "not-ready" })]),
      [
        {
          do: "stop-pod",
          together: [{ id: "app-1", name: "app" }],
          afterwards: [],
          sandboxIds: ["s"],
        },
      ],
    ],
    ["the first init container goes first", withInit, observedPod(), [start("one")]],
    ["and is waited for", withInit, observedPod([seen("one")]), []],
    ["then the second", withInit, observedPod([ended("one", 0)]), [start("two")]],
    [
      "then the main ones",
      withInit,
      observedPod([ended("two", 0), ended("one", 0)]),
      [start("app")],
    ],
    [
      "a failed init container runs again",
      withInit,
      observedPod([ended("one", 2)]),
      [start("one", 1)],
    ],
    ["a sidecar starts in its turn", withSidecar, observedPod(), [start("side")]],
    [
      "and the next does not wait for its end",
      withSidecar,
      observedPod([seen("side")]),
      [start("one")],
    ],
    [
      "a sidecar that ended runs again beside the main ones",
      withSidecar,
      observedPod([seen("app"), ended("one", 0), ended("side", 0)]),
      [start("side", 1)],
    ],
    [
      "when all is done, the sidecars are stopped",
      { ...withSidecar, spec: { ...withSidecar.spec, restartPolicy: "Never" } },
      observedPod([ended("app", 0), ended("one", 0), seen("side")]),
      [
        {
          do: "stop-pod",
          together: [],
          afterwards: [{ id: "side-1", name: "side" }],
          sandboxIds: ["s"],
        },
      ],
    ],
    [
      "a pod that is done gives back what it held, and its containers stay for their logs",
      once,
      observedPod([ended("app", 0)], [sandbox({ state: "not-ready" })]),
      [{ do: "release" }],
    ],
    [
      "a deleted pod is stopped",
      aPod({}, { metadata: deletion }),
      observedPod([seen("app")]),
      [
        {
          do: "stop-pod",
          together: [{ id: "app-1", name: "app" }],
          afterwards: [],
          sandboxIds: ["s"],
        },
      ],
    ],
    [
      "then removed, released, and forgotten, in this order",
      aPod({}, { metadata: deletion }),
      observedPod([ended("app", 137)], [sandbox({ state: "not-ready" })]),
      [
        { do: "remove-container", id: "app-1" },
        { do: "remove-sandbox", id: "s" },
        { do: "release" },
        { do: "delete-from-api" },
      ],
    ],
    [
      "an image that changed needs a new container",
      aPod({ containers: [aContainer("app", { image: "busybox:2" })] }),
      observedPod([seen("app")]),
      [
        {
          do: "stop-container",
          container: { id: "app-1", name: "app" },
          reason: "Changed",
          message: "Container app definition changed, will be restarted",
        },
      ],
    ],
    [
      "of the instances that ended, the last is kept for `logs --previous`",
      aPod(),
      observedPod([
        seen("app", { id: "c" }),
        ended("app", 1, { id: "b" }),
        ended("app", 1, { id: "a" }),
      ]),
      [{ do: "remove-container", id: "a" }],
    ],
  ];

  test.each(cases)("%s", (_, pod, observed, actions) => {
    expect(plan(pod, observed).actions).toEqual(actions);
  });
});

test("sidecars stop after the main containers, the last started first", () => {
  const pod = aPod(
    {
      initContainers: [
        aContainer("first", { restartPolicy: "Always" }),
        aContainer("second", { restartPolicy: "Always" }),
      ],
    },
    { metadata: deletion },
  );
  const { actions } = plan(pod, observedPod([seen("app"), seen("second"), seen("first")]));
  expect(actions).toMatchObject([
    {
      do: "stop-pod",
      together: [{ name: "app" }],
      afterwards: [{ name: "second" }, { name: "first" }],
    },
  ]);
});

test("a container is not started before its back-off is over, and the plan says when that is", () => {
  const observed = observedPod([ended("app", 1)]);
  const notBefore = new Map([["app", 110_000]]);
  expect(plan(aPod(), observed, { notBefore })).toEqual({ actions: [], wakeAtMs: 110_000 });
  expect(plan(aPod(), observed, { notBefore, nowMs: 110_000 }).actions).toEqual([start("app", 1)]);
});

test("a container whose liveness probe failed is stopped, to be started again", () => {
  const failed = { probe: "liveness" as const, message: "no answer" };
  const verdicts = new Map([["app-1", { started: true, ready: true, failed }]]);
  expect(plan(aPod(), observedPod([seen("app")]), { verdicts }).actions).toMatchObject([
    {
      do: "stop-container",
      reason: "Unhealthy",
      message: "Container app failed liveness probe, will be restarted",
    },
  ]);
});

test("what follows a sidecar waits for its startup probe", () => {
  const side = aContainer("side", { restartPolicy: "Always", startupProbe: {} });
  const pod = aPod({ initContainers: [side] });
  const observed = observedPod([seen("side")]);
  const verdict = { ready: false, failed: undefined };
  const waiting = new Map([["side-1", { ...verdict, started: false }]]);
  const passed = new Map([["side-1", { ...verdict, started: true }]]);
  expect(plan(pod, observed, { verdicts: waiting }).actions).toEqual([]);
  expect(plan(pod, observed, { verdicts: passed }).actions).toEqual([start("app")]);
});

test("a pod that was active for longer than it may is stopped", () => {
  const { actions } = plan(aPod(), observedPod([seen("app")]), { deadlineExceeded: true });
  expect(actions).toMatchObject([{ do: "stop-pod" }]);
});
