import type { Pod, Toleration } from "../../../api/generated/core-v1.generated.ts";
import type { RuntimeClass } from "../../../api/generated/node-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import { runtimeClassResource } from "../../../api/resources/runtimeclass.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

/** Gives a pod the overhead of its runtime, and places it where the runtime is. */
export function createRuntimeClassAdmission(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    admit(request) {
      if (!isNewPod(request)) return;
      const runtimeClass = runtimeClassOf(reader, request);
      if (runtimeClass === undefined) return;
      const { spec } = request.object as Draft<Pod>;
      if (spec === undefined) return;
      setOverhead(request, spec, runtimeClass);
      setScheduling(request, spec, runtimeClass);
    },
    validate(request) {
      if (!isNewPod(request)) return;
      const given = runtimeClassOf(reader, request)?.overhead?.podFixed;
      const has = (request.object as Pod).spec?.overhead;
      if (equalJson(has, given)) return;
      throw admissionForbidden(request, given === undefined ? unfounded : mismatch);
    },
  };
}

const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const unfounded =
  "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

type Spec = Draft<NonNullable<Pod["spec"]>>;

function isNewPod(request: AdmissionRequest): boolean {
  return request.operation === "CREATE" && isAbout(request, "pods");
}

function runtimeClassOf(reader: ObjectReader, request: AdmissionRequest): RuntimeClass | undefined {
  const name = (request.object as Pod).spec?.runtimeClassName;
  if (name === undefined) return undefined;
  const found = reader.get(runtimeClassResource, undefined, name);
  if (found !== undefined) return found;
  throw admissionForbidden(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
}

function setOverhead(request: AdmissionRequest, spec: Spec, { overhead }: RuntimeClass): void {
  if (overhead === undefined) return;
  if (spec.overhead !== undefined && !equalJson(spec.overhead, overhead.podFixed)) {
    throw admissionForbidden(request, mismatch);
  }
  if (overhead.podFixed !== undefined) spec.overhead = { ...overhead.podFixed };
}

function setScheduling(request: AdmissionRequest, spec: Spec, { scheduling }: RuntimeClass): void {
  if (scheduling === undefined) return;
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const asked = spec.nodeSelector?.[key];
    if (asked !== undefined && asked !== value) {
      throw admissionForbidden(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${asked}`,
      );
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  const tolerations = merged([...(spec.tolerations ?? []), ...(scheduling.tolerations ?? [])]);
  if (tolerations.length > 0) spec.tolerations = tolerations.map((each) => ({ ...each }));
}

/** Without those that another says already; of two alike, the first stays. */
function merged(all: readonly Toleration[]): readonly Toleration[] {
  const kept: Toleration[] = [];
  all.forEach((toleration, index) => {
    const isSaid =
      kept.some((other) => covers(other, toleration)) ||
      all
        .slice(index + 1)
        .some((later) => !equalJson(later, toleration) && covers(later, toleration));
    if (!isSaid) kept.push(toleration);
  });
  return kept;
}

/** Whether `wide` tolerates all that `narrow` does, and for as long. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (equalJson(wide, narrow)) return true;
  const isAnyKey = !wide.key && wide.operator === "Exists";
  if (wide.key !== narrow.key && !isAnyKey) return false;
  if (wide.effect !== narrow.effect && wide.effect) return false;
  if (wide.effect === "NoExecute" && wide.tolerationSeconds !== undefined) {
    const isLonger =
      (narrow.tolerationSeconds ?? Number.POSITIVE_INFINITY) > wide.tolerationSeconds;
    if (isLonger) return false;
  }
  if (wide.operator === "Exists") return true;
  return (narrow.operator ?? "Equal") === "Equal" && (wide.value ?? "") === (narrow.value ?? "");
}
