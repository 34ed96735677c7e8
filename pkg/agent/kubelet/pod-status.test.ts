import { describe, expect, test } from "vitest";
import { aContainer, aPod, ended, observedPod, seen } from "../../../test/support/pods.ts";
import type { Pod } from "../../api/generated/core-v1.generated.ts";
import type { ObservedPod } from "./observed-pod.ts";
import { podStatus, type StatusInput } from "./pod-status.ts";

function status(pod: Pod, observed: ObservedPod, rest: Partial<StatusInput> = {}) {
  return podStatus({
    pod,
    observed,
    verdicts: new Map(),
    waiting: new Map(),
    deadlineExceeded: false,
    hostIps: ["192.0.2.1"],
    nowMs: Date.parse("2026-01-01T01:00:00Z"),
    ...rest,
  });
}

function conditions(pod: Pod, observed: ObservedPod, rest: Partial<StatusInput> = {}) {
  return Object.fromEntries(
    (status(pod, observed, rest).conditions ?? []).map(({ type, status: value, reason }) => [
      type,
      reason === undefined ? value : `${value} ${reason}`,
    ]),
  );
}

describe("the phase", () => {
  const never = aPod({ restartPolicy: "Never" });
  const inits = aPod({ initContainers: [aContainer("one")] });
  const cases: readonly (readonly [string, Pod, ObservedPod])[] = [
    ["Pending", aPod(), observedPod([], [])],
    ["Pending", inits, observedPod([seen("one")])],
    ["Running", aPod(), observedPod([seen("app")])],
    ["Running", aPod(), observedPod([ended("app", 1)])],
    ["Succeeded", never, observedPod([ended("app", 0)])],
    ["Failed", never, observedPod([ended("app", 3)])],
    [
      "Failed",
      aPod({ ...never.spec, initContainers: [aContainer("one")] }),
      observedPod([ended("one", 1)]),
    ],
  ];
  test.each(cases)("%s", (phase, pod, observed) => {
    expect(status(pod, observed).phase).toBe(phase);
  });

  test("stays where it ended, whatever the runtime shows later", () => {
    const pod = aPod({ restartPolicy: "Never" }, { status: { phase: "Succeeded" } });
    expect(status(pod, observedPod([], [])).phase).toBe("Succeeded");
  });
});

test("a running pod is ready, has its address, and knows its node's", () => {
  const pod = aPod();
  const observed = observedPod([seen("app")]);
  expect(conditions(pod, observed)).toEqual({
    PodReadyToStartContainers: "True",
    Initialized: "True",
    Ready: "True",
    ContainersReady: "True",
    PodScheduled: "True",
  });
  expect(status(pod, observed)).toMatchObject({
    podIP: "10.42.0.2",
    podIPs: [{ ip: "10.42.0.2" }],
    hostIP: "192.0.2.1",
    startTime: "2026-01-01T01:00:00Z",
    containerStatuses: [{ ready: true, started: true, containerID: "containerd://app-1" }],
  });
});

test("a container that waits to be restarted shows why, and its end as the last state", () => {
  const why = { reason: "CrashLoopBackOff", message: "back-off 10s" };
  const observed = observedPod([ended("app", 3, { restartCount: 2, message: "bye" })]);
  const [app] =
    status(aPod(), observed, { waiting: new Map([["app", why]]) }).containerStatuses ?? [];
  expect(app).toMatchObject({
    state: { waiting: why },
    lastState: { terminated: { exitCode: 3, reason: "Error", message: "bye" } },
    restartCount: 2,
    ready: false,
  });
});

test("a pod whose readiness probe has not succeeded is not ready, and says which container is not", () => {
  const pod = aPod({ containers: [aContainer("app", { readinessProbe: {} })] });
  const { conditions: list } = status(pod, observedPod([seen("app")]));
  expect(list?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    reason: "ContainersNotReady",
    message: "containers with unready status: [app]",
  });
});

test("an adopted container is as ready as it was, until its first probe", () => {
  const spec = { containers: [aContainer("app", { readinessProbe: {} })] };
  const first = status(aPod(spec), observedPod([seen("app")]), {
    verdicts: new Map([["app-1", { started: true, ready: true, failed: undefined }]]),
  });
  const again = status(aPod(spec, { status: first }), observedPod([seen("app")]));
  expect(again).toEqual(first);
});

test("after a reboot that left the runtime empty, the restart is counted and the old run shown as lost", () => {
  const before = status(aPod(), observedPod([seen("app", { restartCount: 1 })]));
  const [app] = status(aPod({}, { status: before }), observedPod([], [])).containerStatuses ?? [];
  expect(app).toMatchObject({
    restartCount: 2,
    state: { waiting: { reason: "ContainerCreating" } },
    lastState: { terminated: { reason: "ContainerStatusUnknown", exitCode: 137 } },
  });
});

test("the same sight gives the same status: nothing is written twice", () => {
  const observed = observedPod([seen("app")]);
  const first = status(aPod(), observed);
  expect(status(aPod({}, { status: first }), observed, { nowMs: Date.now() })).toEqual(first);
});

test("the conditions of others are kept", () => {
  const foreign = { type: "example.com/ok", status: "True" };
  const pod = aPod(
    { readinessGates: [{ conditionType: "example.com/ok" }, { conditionType: "example.com/no" }] },
    { status: { conditions: [foreign] } },
  );
  const { conditions: list } = status(pod, observedPod([seen("app")]));
  expect(list).toContainEqual(foreign);
  expect(list?.find(({ type }) => type === "Ready")).toMatchObject({
    reason: "ReadinessGatesNotReady",
    message: 'corresponding condition of pod readiness gate "example.com/no" does not exist.',
  });
});

test("a pod past its deadline has failed for that reason, once nothing of it runs", () => {
  const pod = aPod({}, { status: { phase: "Running" } });
  const late = { deadlineExceeded: true };
  const during = status(pod, observedPod([seen("app")]), late);
  expect(during.phase).toBe("Running");
  expect(during.reason).toBeUndefined();
  expect(status(pod, observedPod([ended("app", 137)]), late)).toMatchObject({
    phase: "Failed",
    reason: "DeadlineExceeded",
  });
});

test("a pod has not succeeded while its sidecar runs", () => {
  const pod = aPod(
    { restartPolicy: "Never", initContainers: [aContainer("side", { restartPolicy: "Always" })] },
    { status: { phase: "Running" } },
  );
  expect(status(pod, observedPod([ended("app", 0), seen("side")])).phase).toBe("Running");
  expect(status(pod, observedPod([ended("app", 0), ended("side", 0)])).phase).toBe("Succeeded");
});
