import { createHash } from "node:crypto";
import type { Container, EphemeralContainer, Pod } from "../../api/generated/core-v1.generated.ts";

/** A container that runs once, before the next begins; one that starts among them and stays; one that is the pod's purpose; one for debugging. */
export type ContainerRole = "init" | "sidecar" | "main" | "ephemeral";

export interface ContainerSpec {
  readonly role: ContainerRole;
  readonly spec: Container | EphemeralContainer;
}

export function initSpecs(pod: Pod): readonly ContainerSpec[] {
  return (pod.spec.initContainers ?? []).map((spec) => ({
    role: spec.restartPolicy === "Always" ? "sidecar" : "init",
    spec,
  }));
}

export function mainSpecs(pod: Pod): readonly ContainerSpec[] {
  return pod.spec.containers.map((spec) => ({ role: "main", spec }));
}

export function ephemeralSpecs(pod: Pod): readonly ContainerSpec[] {
  return (pod.spec.ephemeralContainers ?? []).map((spec) => ({ role: "ephemeral", spec }));
}

/** Init containers first, in their order. */
export function allSpecs(pod: Pod): readonly ContainerSpec[] {
  return [...initSpecs(pod), ...mainSpecs(pod), ...ephemeralSpecs(pod)];
}

export function specNamed(pod: Pod, name: string): ContainerSpec | undefined {
  return allSpecs(pod).find(({ spec }) => spec.name === name);
}

/** Changes when a running container no longer is what the pod asks for; only the image can change in place. */
export function containerHash(spec: Container | EphemeralContainer): string {
  const identity = JSON.stringify({ name: spec.name, image: spec.image ?? "" });
  return createHash("sha256").update(identity).digest("hex").slice(0, 8);
}

/** Whether a container that ended with `exitCode` is to run again. */
export function restartsAfter(pod: Pod, { role, spec }: ContainerSpec, exitCode: number): boolean {
  if (role === "ephemeral") return false;
  if (role === "sidecar") return true;
  for (const rule of spec.restartPolicyRules ?? []) {
    const listed = rule.exitCodes?.values?.includes(exitCode) === true;
    const matches = rule.exitCodes?.operator === "In" ? listed : !listed;
    if (rule.exitCodes !== undefined && matches && rule.action === "Restart") return true;
  }
  const policy = spec.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
  if (policy === "Never") return false;
  // An init container that succeeded has done its work, whatever the policy.
  return exitCode !== 0 || (policy === "Always" && role === "main");
}

/** Where a pod that failed for good stands: an init container may run again under Always and OnFailure. */
export function isTerminalPhase(phase: string | undefined): boolean {
  return phase === "Succeeded" || phase === "Failed";
}
