import type { Container } from "../generated/core-v1.generated.ts";
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from "../quantity.ts";

/** Amounts by the resource's name. */
export type ResourceTotals = ReadonlyMap<string, Quantity>;

type ResourceList = Readonly<Record<string, string>>;

/** What these need of a pod: so that a template, or a pod that is still being made, will do. */
interface PodLike {
  readonly spec: {
    readonly containers: readonly ContainerLike[];
    readonly initContainers?: readonly ContainerLike[];
    readonly overhead?: ResourceList;
    readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList };
  };
}

interface ContainerLike {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList };
}

/** An init container that goes on running beside the others: a sidecar. */
export function isRestartableInitContainer(container: Pick<Container, "restartPolicy">): boolean {
  return container.restartPolicy === "Always";
}

/**
 * What the pod asks for: the larger of all its containers together and the dearest moment of its start,
 * sidecars counted from when they start; what the pod as a whole asks for wins; overhead is added.
 */
export function podRequests(pod: PodLike): ResourceTotals {
  return podTotals(pod, "requests");
}

/** As `podRequests`, of the limits. Overhead is added only to resources that have one. */
export function podLimits(pod: PodLike): ResourceTotals {
  return podTotals(pod, "limits");
}

function podTotals(pod: PodLike, field: "requests" | "limits"): ResourceTotals {
  const totals = containerTotals(pod, field);
  for (const [name, text] of Object.entries(pod.spec.resources?.[field] ?? {})) {
    totals.set(name, parseQuantity(text));
  }
  for (const [name, text] of Object.entries(pod.spec.overhead ?? {})) {
    const total = totals.get(name);
    if (total !== undefined) totals.set(name, addQuantities(total, parseQuantity(text)));
    else if (field === "requests") totals.set(name, parseQuantity(text));
  }
  return totals;
}

/** Totals are asked for before validation, too, which refuses a pod without containers. */
function containersOf({ spec }: PodLike): PodLike["spec"]["containers"] {
  return (spec as Partial<PodLike["spec"]>).containers ?? [];
}

/** The totals of the containers alone. */
export function containerTotals(pod: PodLike, field: "requests" | "limits"): Map<string, Quantity> {
  const totals = new Map<string, Quantity>();
  for (const container of containersOf(pod)) addList(totals, container.resources?.[field]);
  const sidecars = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  for (const container of pod.spec.initContainers ?? []) {
    const list = container.resources?.[field];
    if (isRestartableInitContainer(container)) {
      addList(totals, list);
      addList(sidecars, list);
      raise(peak, sidecars);
    } else {
      const moment = new Map(sidecars);
      addList(moment, list);
      raise(peak, moment);
    }
  }
  raise(totals, peak);
  return totals;
}

function addList(totals: Map<string, Quantity>, list: ResourceList | undefined): void {
  for (const name in list) {
    const amount = parseQuantity(list[name] ?? "0");
    const total = totals.get(name);
    totals.set(name, total === undefined ? amount : addQuantities(total, amount));
  }
}

function raise(totals: Map<string, Quantity>, least: ReadonlyMap<string, Quantity>): void {
  for (const [name, amount] of least) {
    const total = totals.get(name);
    if (total === undefined || compareQuantities(total, amount) < 0) totals.set(name, amount);
  }
}

/** The pod's quality of service: who is killed first when memory runs out. Only CPU and memory count. */
export function qosClassOf(pod: PodLike): "BestEffort" | "Burstable" | "Guaranteed" {
  const { spec } = pod;
  const counted =
    spec.resources === undefined
      ? [...containersOf(pod), ...(spec.initContainers ?? [])]
      : [{ name: "", resources: spec.resources }];
  let asksNothing = true;
  let guaranteed = true;
  for (const { resources } of counted) {
    for (const name of ["cpu", "memory"]) {
      const request = positive(resources?.requests?.[name]);
      const limit = positive(resources?.limits?.[name]);
      if (request !== undefined || limit !== undefined) asksNothing = false;
      const fixed =
        limit !== undefined && (request === undefined || compareQuantities(request, limit) === 0);
      if (!fixed) guaranteed = false;
    }
  }
  if (asksNothing) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

function positive(text: string | undefined): Quantity | undefined {
  if (text === undefined) return undefined;
  const quantity = parseQuantity(text);
  return quantity.nanos > 0n ? quantity : undefined;
}
