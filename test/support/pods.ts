import { containerHash } from "../../pkg/agent/kubelet/container-specs.ts";
import type {
  ObservedContainer,
  ObservedPod,
  ObservedSandbox,
} from "../../pkg/agent/kubelet/observed-pod.ts";
import type {
  Container,
  Pod,
  PodSpec,
  PodStatus,
} from "../../pkg/api/generated/core-v1.generated.ts";
import type { ObjectMeta } from "../../pkg/api/object.ts";

/** A pod `default/p` with one container `app`, except for what is given. */
export function aPod(
  spec: Partial<PodSpec> = {},
  rest: { readonly metadata?: Partial<ObjectMeta>; readonly status?: PodStatus } = {},
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      namespace: "default",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...rest.metadata,
    },
    spec: { nodeName: "n", restartPolicy: "Always", containers: [aContainer("app")], ...spec },
    status: rest.status ?? {},
  };
}

export function aContainer(name: string, rest: Partial<Container> = {}): Container {
  return { name, image: "busybox:1", resources: {}, ...rest };
}

/** The runtime's view of a container that runs in sandbox `s`, except for what is given. */
export function seen(name: string, rest: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `${name}-1`,
    name,
    sandboxId: "s",
    restartCount: 0,
    hash: containerHash(aContainer(name)),
    state: "running",
    createdAtMs: 1_000,
    startedAtMs: 1_000,
    finishedAtMs: 0,
    exitCode: 0,
    reason: "",
    message: "",
    image: "busybox:1",
    imageId: "sha256:1",
    ...rest,
  };
}

/** A container that ended with `exitCode`. */
export function ended(
  name: string,
  exitCode: number,
  rest: Partial<ObservedContainer> = {},
): ObservedContainer {
  return seen(name, { state: "exited", exitCode, finishedAtMs: 2_000, ...rest });
}

export function sandbox(rest: Partial<ObservedSandbox> = {}): ObservedSandbox {
  return { id: "s", attempt: 0, state: "ready", createdAtMs: 500, ips: ["10.42.0.2"], ...rest };
}

export function observedPod(
  containers: readonly ObservedContainer[] = [],
  sandboxes: readonly ObservedSandbox[] = [sandbox()],
): ObservedPod {
  return { uid: "u", namespace: "default", name: "p", sandboxes, containers };
}
