import { expect, test } from "vitest";
import type { Pod, PodCondition } from "../../api/generated/core-v1.generated.ts";
import { formatTime } from "../../api/time.ts";
import { staleInMs } from "./disruption-target.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");

interface Sketch {
  readonly condition?: Partial<PodCondition>;
  readonly phase?: Pod["status"]["phase"];
  readonly deleting?: boolean;
}

function pod({ condition, phase = "Running", deleting = false }: Sketch): Pod {
  const time = formatTime(nowMs);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "a",
      uid: "a",
      resourceVersion: "1",
      creationTimestamp: time,
      ...(deleting ? { deletionTimestamp: time } : {}),
    },
    spec: { containers: [] },
    status: {
      phase,
      conditions:
        condition === undefined ? [] : [{ type: "DisruptionTarget", status: "True", ...condition }],
    },
  };
}

const since = (seconds: number) => ({ lastTransitionTime: formatTime(nowMs - seconds * 1000) });

test.each<[string, Sketch, number | undefined]>([
  ["is no longer true after two minutes", { condition: since(30) }, 90_000],
  ["is not true after a long time", { condition: since(3000) }, 0],
  ["is no matter where there is none", {}, undefined],
  [
    "is no matter where it is not true",
    { condition: { status: "False", ...since(300) } },
    undefined,
  ],
  ["is no matter once the pod is over", { condition: since(300), phase: "Failed" }, undefined],
  ["is no matter once the pod goes", { condition: since(300), deleting: true }, undefined],
  [
    "is the kubelet's own matter",
    { condition: { reason: "TerminationByKubelet", ...since(300) } },
    undefined,
  ],
])("what a pod says of its disruption %s", (_, sketch, expected) => {
  expect(staleInMs(pod(sketch), nowMs)).toBe(expected);
});
