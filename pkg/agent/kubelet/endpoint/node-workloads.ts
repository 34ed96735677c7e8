import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { Kubelet } from "../../agent.ts";
import type { AttachStreamRequest, ExecStreamRequest } from "../../cri/runtime.ts";

/** A container of a pod as the runtime knows it. */
export interface RunningContainer {
  readonly id: string;
  readonly running: boolean;
  /** The file that holds what it wrote. */
  readonly logPath: string;
}

/** What the node's endpoint needs of the pods that run here. */
export interface NodeWorkloads {
  pods(): readonly Pod[];
  pod(namespace: string, name: string): Pod | undefined;
  /** The container's newest attempt, or the one before it. */
  container(pod: Pod, name: string, attempt: "current" | "previous"): RunningContainer | undefined;
  /** Where the runtime wants a session opened. */
  exec(request: ExecStreamRequest, signal: AbortSignal): Promise<string>;
  attach(request: AttachStreamRequest, signal: AbortSignal): Promise<string>;
  /** Undefined where the pod has no sandbox that is ready. */
  portForward(pod: Pod, ports: readonly number[], signal: AbortSignal): Promise<string | undefined>;
}

/** What the kubelet knows, in the endpoint's terms. */
export function workloadsOf(kubelet: Kubelet): NodeWorkloads {
  const { runtime } = kubelet;
  return {
    pods: () => kubelet.pods().map(({ pod }) => pod),
    pod: (namespace, name) => kubelet.pod(namespace, name)?.pod,
    container: ({ metadata }, name, attempt) =>
      kubelet.container(metadata.namespace ?? "", metadata.name, name, attempt === "previous"),
    exec: (request, signal) => runtime.exec(request, { signal }),
    attach: (request, signal) => runtime.attach(request, { signal }),
    async portForward({ metadata }, ports, signal) {
      const sandbox = kubelet.sandboxId(metadata.namespace ?? "", metadata.name);
      return sandbox === undefined
        ? undefined
        : await runtime.portForward(sandbox, ports, { signal });
    },
  };
}
