import type {
  Container,
  ContainerStatus,
  EphemeralContainer,
  Pod,
} from "../../../api/generated/core-v1.generated.ts";
import type { CommandStreams } from "./command-session.ts";
import type { LogOptions } from "./container-log.ts";
import { EndpointError } from "./endpoint-error.ts";
import type { NodeWorkloads, RunningContainer } from "./node-workloads.ts";

/** kubelet's query parameters of /containerLogs. */
export function readLogOptions(
  query: URLSearchParams,
  nowMs: number,
): LogOptions & { readonly previous: boolean } {
  const sinceSeconds = count(query, "sinceSeconds");
  const sinceTime = query.get("sinceTime");
  const stream = query.get("stream") ?? "All";
  if (stream !== "All" && stream !== "Stdout" && stream !== "Stderr") {
    throw new EndpointError(400, `invalid stream "${stream}": use All, Stdout or Stderr`);
  }
  return {
    follow: isSet(query, "follow"),
    previous: isSet(query, "previous"),
    timestamps: isSet(query, "timestamps"),
    tailLines: count(query, "tailLines"),
    limitBytes: count(query, "limitBytes"),
    sinceMs: sinceSeconds === undefined ? timeMs(sinceTime) : nowMs - sinceSeconds * 1_000,
    stream,
  };
}

function timeMs(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const value = Date.parse(text);
  if (Number.isNaN(value))
    throw new EndpointError(400, `invalid sinceTime "${text}": use RFC 3339`);
  return value;
}

function count(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^\d+$/.test(text))
    throw new EndpointError(400, `invalid ${name} "${text}": use a whole number`);
  return Number(text);
}

function isSet(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text === "true" || text === "1";
}

/** The API server writes `output=1` where a client writes `stdout=true`; both are read. */
export function readCommandStreams(query: URLSearchParams): CommandStreams {
  const streams = {
    stdin: isSet(query, "input") || isSet(query, "stdin"),
    stdout: isSet(query, "output") || isSet(query, "stdout"),
    stderr: isSet(query, "error") || isSet(query, "stderr"),
    tty: isSet(query, "tty"),
  };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new EndpointError(400, "you must specify at least 1 of stdin, stdout, stderr");
  }
  return streams;
}

export function findPod(workloads: NodeWorkloads, namespace: string, name: string): Pod {
  const pod = workloads.pod(namespace, name);
  if (pod === undefined) throw new EndpointError(404, `pod "${name}" does not exist`);
  return pod;
}

/** The container of that name as the pod declares it. */
export function findContainer(pod: Pod, name: string): Container | EphemeralContainer {
  const { spec, metadata } = pod;
  const declared = [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ].find((container) => container.name === name);
  if (declared !== undefined) return declared;
  throw new EndpointError(404, `container "${name}" not found in pod "${metadata.name}"`);
}

/** The container whose log is asked for, or the refusal that kubelet gives in its state. */
export function findLoggedContainer(
  workloads: NodeWorkloads,
  pod: Pod,
  name: string,
  attempt: "current" | "previous",
): RunningContainer {
  findContainer(pod, name);
  const current = workloads.container(pod, name, "current");
  const podName = pod.metadata.name;
  const { state, lastState } = findStatus(pod, name) ?? {};
  if (attempt === "previous") {
    // One that waits to be restarted has no newer attempt: the newest is then the previous one.
    const lastId = lastState?.terminated?.containerID?.split("://")[1];
    const isLast = state?.waiting !== undefined && lastId === current?.id;
    const previous = isLast ? current : workloads.container(pod, name, "previous");
    if (previous !== undefined) return previous;
    throw new EndpointError(
      400,
      `previous terminated container "${name}" in pod "${podName}" not found`,
    );
  }
  if (current !== undefined) return current;
  const subject = `container "${name}" in pod "${podName}"`;
  if (state?.terminated !== undefined) throw new EndpointError(400, `${subject} is terminated`);
  throw new EndpointError(
    400,
    `${subject} is waiting to start: ${waitingReason(state?.waiting?.reason ?? "ContainerCreating")}`,
  );
}

function waitingReason(reason: string): string {
  switch (reason) {
    case "ErrImagePull":
      return "image can't be pulled";
    case "ImagePullBackOff":
      return "trying and failing to pull image";
    default:
      return reason;
  }
}

function findStatus({ status }: Pod, name: string): ContainerStatus | undefined {
  return [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].find((candidate) => candidate.name === name);
}
