import { expect, test } from "vitest";
import type { PodCondition, PodStatus } from "../generated/core-v1.generated.ts";
import { isPodActive, isPodAvailable, isPodReady, isPodTerminal } from "./pod-status.ts";

const since = "2026-01-01T00:00:00Z";
const sinceMs = Date.parse(since);
const ready: PodCondition = { type: "Ready", status: "True", lastTransitionTime: since };
const metadata = { name: "a", uid: "u", resourceVersion: "1", creationTimestamp: since };

test.each<[PodStatus, boolean]>([
  [{ phase: "Running" }, false],
  [{ phase: "Pending" }, false],
  [{ phase: "Succeeded" }, true],
  [{ phase: "Failed" }, true],
])("%j is over: %s", (status, over) => {
  expect(isPodTerminal({ status })).toBe(over);
  expect(isPodActive({ status, metadata })).toBe(!over);
});

test("a pod that is being deleted does not count", () => {
  const deleted = { ...metadata, deletionTimestamp: since };
  expect(isPodActive({ status: { phase: "Running" }, metadata: deleted })).toBe(false);
});

test("a pod is available once it has been ready for long enough", () => {
  const pod = { status: { conditions: [ready] } };
  expect(isPodReady(pod)).toBe(true);
  expect(isPodAvailable(pod, 0, sinceMs)).toBe(true);
  expect(isPodAvailable(pod, 10, sinceMs + 9_999)).toBe(false);
  expect(isPodAvailable(pod, 10, sinceMs + 10_000)).toBe(true);
  const not = { status: { conditions: [{ ...ready, status: "False" }] } };
  expect(isPodAvailable(not, 0, sinceMs)).toBe(false);
});
