/** A pod as the runtime has it; lists are newest first. */
export interface ObservedPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly ObservedContainer[];
}

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly state: "ready" | "not-ready";
  readonly createdAtMs: number;
  /** Empty where the pod is in the host's network. */
  readonly ips: readonly string[];
}

export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  /** How often a container of this name was started in this pod before. */
  readonly restartCount: number;
  /** Of the part of its spec that needs a new container when it changes. */
  readonly hash: string;
  readonly state: "created" | "running" | "exited" | "unknown";
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** As the pod names it. */
  readonly image: string;
  readonly imageId: string;
}

/** What is not there. */
export function nothingObserved(pod: {
  readonly metadata: { readonly uid: string; readonly namespace?: string; readonly name: string };
}): ObservedPod {
  const { uid, namespace = "", name } = pod.metadata;
  return { uid, namespace, name, sandboxes: [], containers: [] };
}

/** The newest container of that name; with `sandboxId`, of that sandbox. */
export function newestContainer(
  observed: ObservedPod,
  name: string,
  sandboxId?: string,
): ObservedContainer | undefined {
  return observed.containers.find(
    (container) =>
      container.name === name && (sandboxId === undefined || container.sandboxId === sandboxId),
  );
}
