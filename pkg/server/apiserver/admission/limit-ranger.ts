import type {
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import {
  compareQuantities,
  formatQuantity,
  milliUnits,
  parseQuantity,
  type Quantity,
} from "../../../api/quantity.ts";
import { limitRangeResource } from "../../../api/resources/limitrange.ts";
import { containerTotals, type ResourceTotals } from "../../../api/shared/pod-resources.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

const annotation = "kubernetes.io/limit-ranger";

/** Gives containers the resources that their namespace's LimitRanges say, and holds pods and claims to the bounds. */
export function createLimitRanger(reader: ObjectReader): AdmissionPlugin {
  const limitsFor = (request: AdmissionRequest): readonly LimitRange[] =>
    isHeld(request) ? reader.list(limitRangeResource, request.namespace) : [];
  return {
    name: "LimitRanger",
    admit(request) {
      if (request.resource.plural !== "pods") return;
      for (const limitRange of limitsFor(request)) {
        setDefaults(limitRange, request.object as Draft<Pod>);
      }
    },
    validate(request) {
      for (const limitRange of limitsFor(request)) {
        const items = itemsOf(limitRange);
        const problems =
          request.resource.plural === "pods"
            ? podProblems(items, request.object as Pod)
            : claimProblems(items, request.object as PersistentVolumeClaim);
        if (problems.length > 0) throw admissionForbidden(request, printAll(problems));
      }
    },
  };
}

/** What is being deleted may finish as it is. The containers of a pod change only through `resize`. */
function isHeld(request: AdmissionRequest): boolean {
  if (request.previous?.metadata.deletionTimestamp !== undefined) return false;
  if (request.operation === "UPDATE") {
    return isAbout(request, "pods/resize") || isAbout(request, "persistentvolumeclaims");
  }
  if (request.operation !== "CREATE") return false;
  return isAbout(request, "pods") || isAbout(request, "persistentvolumeclaims");
}

/** A LimitRange may be stored without any limit. */
function itemsOf({ spec }: LimitRange): readonly LimitRangeItem[] {
  return (spec as Partial<LimitRange["spec"]> | undefined)?.limits ?? [];
}

/** Several are told in brackets, each once. */
function printAll(problems: readonly string[]): string {
  const lines = [...new Set(problems)];
  return lines.length === 1 ? String(lines[0]) : `[${lines.join(", ")}]`;
}

// ---- defaults ----------------------------------------------------------------

type DraftContainer = Draft<NonNullable<Pod["spec"]>["containers"][number]>;

function setDefaults(limitRange: LimitRange, pod: Draft<Pod>): void {
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  for (const item of itemsOf(limitRange)) {
    if (item.type !== "Container") continue;
    Object.assign(requests, item.defaultRequest);
    Object.assign(limits, item.default);
  }
  const told: string[] = [];
  const merge = (container: DraftContainer, what: string): void => {
    for (const [field, defaults] of [
      ["requests", requests],
      ["limits", limits],
    ] as const) {
      const set = Object.keys(defaults).filter(
        (name) => container.resources?.[field]?.[name] === undefined,
      );
      if (set.length === 0) continue;
      container.resources ??= {};
      container.resources[field] = { ...defaults, ...container.resources[field] };
      const noun = field === "requests" ? "request" : "limit";
      told.push(`${set.sort().join(", ")} ${noun} for ${what} ${container.name}`);
    }
  };
  // A pod without containers is refused later, in the words of its validation.
  const { containers = [], initContainers = [] } = (pod.spec ?? {}) as Partial<
    Draft<NonNullable<Pod["spec"]>>
  >;
  for (const container of containers) merge(container, "container");
  for (const container of initContainers) merge(container, "init container");
  if (told.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${told.join("; ")}`,
  };
}

// ---- bounds ------------------------------------------------------------------

type Amounts = Readonly<Record<string, string>> | ResourceTotals | undefined;

/** What is asked for, as a LimitRange looks at it. */
interface Asked {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

function podProblems(items: readonly LimitRangeItem[], pod: Pod): readonly string[] {
  const { spec } = pod;
  if (spec === undefined) return [];
  const containers = [
    ...((spec as Partial<typeof spec>).containers ?? []),
    ...(spec.initContainers ?? []),
  ];
  return items.flatMap((item) => {
    switch (item.type) {
      case "Container":
        return containers.flatMap(({ resources }) =>
          boundProblems(item, { requests: resources?.requests, limits: resources?.limits }),
        );
      case "Pod":
        return boundProblems(item, {
          requests: podTotals(pod, "requests"),
          limits: podTotals(pod, "limits"),
        });
      default:
        return [];
    }
  });
}

/** Overhead is not the author's, and is not held against the pod. */
function podTotals(pod: Pod, field: "requests" | "limits"): ResourceTotals {
  const spec = pod.spec ?? { containers: [] };
  const totals = containerTotals({ spec }, field);
  for (const name of ["cpu", "memory"]) {
    const ofPod = spec.resources?.[field]?.[name];
    if (ofPod !== undefined) totals.set(name, parseQuantity(ofPod));
  }
  return totals;
}

function claimProblems(
  items: readonly LimitRangeItem[],
  claim: PersistentVolumeClaim,
): readonly string[] {
  const asked: Asked = { requests: claim.spec?.resources?.requests, limits: undefined };
  return items
    .filter((item) => item.type === "PersistentVolumeClaim")
    .flatMap((item) => [
      ...each(item.min, (name, least) => minProblem(item, name, least, asked)),
      ...each(item.max, (name, most) => maxRequestProblem(item, name, most, asked)),
    ]);
}

function boundProblems(item: LimitRangeItem, asked: Asked): readonly string[] {
  return [
    ...each(item.min, (name, least) => minProblem(item, name, least, asked)),
    ...each(item.max, (name, most) => maxProblem(item, name, most, asked)),
    ...each(item.maxLimitRequestRatio, (name, most) => ratioProblem(item, name, most, asked)),
  ];
}

function each(
  bounds: LimitRangeItem["min"],
  problemOf: (name: string, bound: Quantity) => string | undefined,
): readonly string[] {
  return Object.entries(bounds ?? {}).flatMap(
    ([name, text]) => problemOf(name, parseQuantity(text)) ?? [],
  );
}

function amountIn(amounts: Amounts, name: string): Quantity | undefined {
  if (amounts instanceof Map) return amounts.get(name);
  const text = (amounts as Readonly<Record<string, string>> | undefined)?.[name];
  return text === undefined ? undefined : parseQuantity(text);
}

function minProblem(
  { type }: LimitRangeItem,
  name: string,
  least: Quantity,
  asked: Asked,
): string | undefined {
  const request = amountIn(asked.requests, name);
  const limit = amountIn(asked.limits, name);
  const rule = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, least) < 0) {
    return `${rule}, but request is ${formatQuantity(request)}`;
  }
  if (limit !== undefined && compareQuantities(limit, least) < 0) {
    return `${rule}, but limit is ${formatQuantity(limit)}`;
  }
  return undefined;
}

function maxProblem(
  item: LimitRangeItem,
  name: string,
  most: Quantity,
  asked: Asked,
): string | undefined {
  const limit = amountIn(asked.limits, name);
  const rule = `maximum ${name} usage per ${item.type} is ${formatQuantity(most)}`;
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (compareQuantities(limit, most) > 0) return `${rule}, but limit is ${formatQuantity(limit)}`;
  if (amountIn(asked.requests, name) === undefined) return undefined;
  return maxRequestProblem(item, name, most, asked);
}

function maxRequestProblem(
  { type }: LimitRangeItem,
  name: string,
  most: Quantity,
  asked: Asked,
): string | undefined {
  const request = amountIn(asked.requests, name);
  const rule = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, most) <= 0) return undefined;
  return `${rule}, but request is ${formatQuantity(request)}`;
}

function ratioProblem(
  { type }: LimitRangeItem,
  name: string,
  most: Quantity,
  asked: Asked,
): string | undefined {
  const request = amountIn(asked.requests, name);
  const limit = amountIn(asked.limits, name);
  const rule = `${name} max limit to request ratio per ${type} is ${formatQuantity(most)}`;
  if (request === undefined || request.nanos === 0n) {
    return `${rule}, but no request is specified or request is 0`;
  }
  if (limit === undefined || limit.nanos === 0n) {
    return `${rule}, but no limit is specified or limit is 0`;
  }
  const ratio = milliUnits(limit) / milliUnits(request);
  if (ratio * 1000 <= milliUnits(most)) return undefined;
  return `${rule}, but provided ratio is ${ratio.toFixed(6)}`;
}
