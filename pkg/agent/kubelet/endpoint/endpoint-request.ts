import type { Pod } from "../../../api/generated/core-v1.generated.ts";
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
  if (pod === undefined) throw new EndpointError(404, `pod "${name}" not found`);
  return pod;
}

/** The container that is asked for, or the refusal that kubelet gives in its state. */
export function findContainer(
  workloads: NodeWorkloads,
  pod: Pod,
  name: string,
  attempt: "current" | "previous",
): RunningContainer {
  const { spec, status, metadata } = pod;
  const declared = [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  if (!declared.some((container) => container.name === name)) {
    throw new EndpointError(400, `container "${name}" not found in pod "${metadata.name}"`);
  }
  const container = workloads.container(pod, name, attempt);
  if (container !== undefined) return container;
  if (attempt === "previous") {
    throw new EndpointError(
      400,
      `previous terminated container "${name}" in pod "${metadata.name}" not found`,
    );
  }
  const statuses = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const waiting = statuses.find((candidate) => candidate.name === name)?.state?.waiting;
  const reason = waiting?.reason ?? "ContainerCreating";
  const why = ["ErrImagePull", "ImagePullBackOff"].includes(reason)
    ? "trying and failing to pull image"
    : reason;
  throw new EndpointError(
    400,
    `container "${name}" in pod "${metadata.name}" is waiting to start: ${why}`,
  );
}
