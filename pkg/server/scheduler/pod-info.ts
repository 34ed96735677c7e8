import type { ContainerPort, Pod } from "../../api/generated/core-v1.generated.ts";
import { keyOf, type ObjectKey } from "../../api/object.ts";
import { milliUnits, wholeUnits } from "../../api/quantity.ts";
import { containerTotals, podRequests } from "../../api/shared/pod-resources.ts";
import { type PodAffinities, podAffinitiesOf } from "./pod-affinity.ts";

/** Amounts as plain numbers: they are added and compared for each pod and node. */
export interface Amounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  /** Everything else, like `example.com/gpu` or `hugepages-2Mi`, in whole units. */
  readonly others: ReadonlyMap<string, number>;
}

export interface HostPort {
  /** "0.0.0.0" is every address of the node. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A pod with what scheduling asks of it again and again, worked out once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly key: ObjectKey;
  readonly uid: string;
  readonly priority: number;
  readonly requests: Amounts;
  /** What scores count: a container that asks for nothing still uses something. */
  readonly assumedUse: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly hostPorts: readonly HostPort[];
  /** What it asks of the pods around it; undefined for nothing. */
  readonly affinities: PodAffinities | undefined;
  /** The same for all pods of the same namespace and labels. */
  readonly likeness: string;
}

/** Upstream's guess for containers that do not say. */
const assumedRequests = { cpu: "100m", memory: "200Mi" };

export function podInfoOf(pod: Pod): PodInfo {
  return {
    pod,
    key: keyOf(pod),
    uid: pod.metadata.uid,
    priority: pod.spec.priority ?? 0,
    requests: amountsOf(podRequests(pod)),
    assumedUse: assumedUseOf(pod),
    hostPorts: hostPortsOf(pod),
    affinities: podAffinitiesOf(pod),
    likeness: JSON.stringify([pod.metadata.namespace, pod.metadata.labels]),
  };
}

/** Reads a list of quantities, of a pod's requests or of what a node has. */
export function amountsOf(
  totals: Iterable<readonly [string, Parameters<typeof wholeUnits>[0]]>,
): Amounts {
  let cpuMillis = 0;
  let memoryBytes = 0;
  let ephemeralStorageBytes = 0;
  const others = new Map<string, number>();
  for (const [name, quantity] of totals) {
    if (name === "cpu") cpuMillis = milliUnits(quantity);
    else if (name === "memory") memoryBytes = wholeUnits(quantity);
    else if (name === "ephemeral-storage") ephemeralStorageBytes = wholeUnits(quantity);
    else others.set(name, wholeUnits(quantity));
  }
  return { cpuMillis, memoryBytes, ephemeralStorageBytes, others };
}

function assumedUseOf(pod: Pod): PodInfo["assumedUse"] {
  const assume = <T extends { readonly resources?: { readonly requests?: object } }>(each: T) => ({
    ...each,
    resources: { requests: { ...assumedRequests, ...each.resources?.requests } },
  });
  const { containers, initContainers = [] } = pod.spec;
  const totals = containerTotals(
    { spec: { containers: containers.map(assume), initContainers: initContainers.map(assume) } },
    "requests",
  );
  const { cpuMillis, memoryBytes } = amountsOf(totals);
  return { cpuMillis, memoryBytes };
}

function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === "Always",
  );
  return [...spec.containers, ...sidecars].flatMap(({ ports = [] }) =>
    ports.filter(hasHostPort).map(({ hostIP, protocol, hostPort }) => ({
      ip: hostIP === undefined || hostIP === "" ? "0.0.0.0" : hostIP,
      protocol,
      port: hostPort,
    })),
  );
}

function hasHostPort(port: ContainerPort): port is ContainerPort & { readonly hostPort: number } {
  return port.hostPort !== undefined && port.hostPort > 0;
}
