import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

/** The classes that every cluster has. */
const systemClasses: ReadonlyMap<string, number> = new Map([
  ["system-cluster-critical", 2_000_000_000],
  ["system-node-critical", 2_000_001_000],
]);
const defaultPriority = 0;
const preemptionPolicy = "PreemptLowerPriority";

/** Turns a pod's priority class into the number that the scheduler compares. */
export const priority: AdmissionPlugin = {
  name: "Priority",
  admit(request) {
    if (!isAbout(request, "pods")) return;
    if (request.operation === "CREATE") setPriority(request);
    else if (request.operation === "UPDATE") keepPriority(request);
  },
};

function setPriority(request: AdmissionRequest): void {
  const { spec } = request.object as Draft<Pod>;
  if (spec === undefined) return;
  const name = spec.priorityClassName ?? "";
  const computed = name === "" ? defaultPriority : systemClasses.get(name);
  if (computed === undefined) {
    throw admissionForbidden(request, `no PriorityClass with name ${name} was found`);
  }
  if (spec.priority !== undefined && spec.priority !== computed) {
    throw admissionForbidden(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`,
    );
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw admissionForbidden(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  }
  spec.priority = computed;
  spec.preemptionPolicy = preemptionPolicy;
}

/** An update that leaves the numbers out keeps those that are there. */
function keepPriority(request: AdmissionRequest): void {
  const { spec } = request.object as Draft<Pod>;
  const before = (request.previous as Pod | undefined)?.spec;
  if (spec === undefined || before === undefined) return;
  if (spec.priority === undefined && before.priority !== undefined) spec.priority = before.priority;
  if (spec.preemptionPolicy === undefined && before.preemptionPolicy !== undefined) {
    spec.preemptionPolicy = before.preemptionPolicy;
  }
}
