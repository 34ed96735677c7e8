import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { PriorityClass } from "../../../api/generated/scheduling-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import { priorityClassResource } from "../../../api/resources/priorityclass.ts";
import { systemPriorityClasses } from "../../../api/shared/system-priority-classes.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

/** What a pod's class says of it; without any class, only the numbers that stand for that. */
interface Priority {
  readonly name: string;
  readonly value: number;
  readonly preemptionPolicy: NonNullable<PriorityClass["preemptionPolicy"]>;
}

const unclassed: Priority = { name: "", value: 0, preemptionPolicy: "PreemptLowerPriority" };

/** Turns a pod's priority class into the number that the scheduler compares; only one class is everybody's. */
export function createPriority(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "Priority",
    admit(request) {
      if (!isAbout(request, "pods")) return;
      if (request.operation === "CREATE") setPriority(reader, request);
      else if (request.operation === "UPDATE") keepPriority(request);
    },
    validate(request) {
      if (!isAbout(request, "priorityclasses.scheduling.k8s.io")) return;
      if (request.operation !== "CREATE" && request.operation !== "UPDATE") return;
      const { globalDefault, metadata } = request.object as PriorityClass;
      const present = globalDefault === true ? globalDefaultOf(reader) : undefined;
      if (present === undefined) return;
      if (request.operation === "UPDATE" && present.metadata.name === metadata.name) return;
      throw admissionForbidden(
        request,
        `PriorityClass ${present.metadata.name} is already marked as default. Only one default can exist`,
      );
    },
  };
}

/** Where two were made at once, the lower one is less of a surprise. */
function globalDefaultOf(reader: ObjectReader): PriorityClass | undefined {
  return reader
    .list(priorityClassResource)
    .filter(({ globalDefault }) => globalDefault === true)
    .sort((a, b) => a.value - b.value)[0];
}

function priorityOf(reader: ObjectReader, name: string): Priority | undefined {
  const priorityClass =
    name === ""
      ? globalDefaultOf(reader)
      : (reader.get(priorityClassResource, undefined, name) ??
        systemPriorityClasses.find(({ metadata }) => metadata.name === name));
  if (priorityClass === undefined) return name === "" ? unclassed : undefined;
  return {
    name: priorityClass.metadata.name ?? "",
    value: priorityClass.value,
    preemptionPolicy: priorityClass.preemptionPolicy ?? unclassed.preemptionPolicy,
  };
}

function setPriority(reader: ObjectReader, request: AdmissionRequest): void {
  const { spec } = request.object as Draft<Pod>;
  if (spec === undefined) return;
  const asked = spec.priorityClassName ?? "";
  const priority = priorityOf(reader, asked);
  if (priority === undefined) {
    throw admissionForbidden(request, `no PriorityClass with name ${asked} was found`);
  }
  const { name, value, preemptionPolicy } = priority;
  if (spec.priority !== undefined && spec.priority !== value) {
    throw admissionForbidden(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw admissionForbidden(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  }
  if (name !== "") spec.priorityClassName = name;
  spec.priority = value;
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
