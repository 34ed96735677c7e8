import { ageColumn, nameColumn } from "../columns.ts";
import { isConditionTrue } from "../conditions.ts";
import { forbidden, invalid } from "../field-error.ts";
import { type Pod, podSchema } from "../generated/core-v1.generated.ts";
import { checkDnsLabel } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { type Column, defineResource, type FieldError } from "../resource.ts";
import { validateAnnotationsUpdate, validatePodAnnotations } from "../shared/pod-annotations.ts";
import { validateEphemeralContainersUpdate } from "../shared/pod-ephemeral-containers.ts";
import { applyLabelKeys } from "../shared/pod-label-keys.ts";
import { keepAllBut, resetAllBut } from "../shared/pod-parts.ts";
import { applyAppArmorAnnotations, validateProfilesMatch } from "../shared/pod-profiles.ts";
import { prepareResize, validateResize } from "../shared/pod-resize.ts";
import { qosClassOf } from "../shared/pod-resources.ts";
import { defaultPodOnly, defaultPodSpec } from "../shared/pod-spec-defaults.ts";
import { isPodTerminal } from "../shared/pod-status.ts";
import { type PodSummary, printRestarts, summarizePod } from "../shared/pod-summary.ts";
import { podWarnings } from "../shared/pod-warnings.ts";
import { validatePodSpec } from "../shared/validate-pod-spec.ts";
import { validatePodStatus } from "../shared/validate-pod-status.ts";
import { validatePodSpecUpdate } from "../shared/validate-pod-update.ts";

export const podResource = defineResource<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  scope: "namespace",
  schema: podSchema,
  subresources: {
    status: true,
    parts: {
      ephemeralcontainers: {
        prepareUpdate: (pod, previous) => keepAllBut(pod, previous, ["ephemeralContainers"]),
        validateUpdate: (next, previous) => [
          ...validate(next),
          ...validateAnnotationsUpdate(next, previous),
          ...validateEphemeralContainersUpdate(next, previous),
        ],
      },
      resize: {
        prepareUpdate: prepareResize,
        validateUpdate: (next, previous) => [...validate(next), ...validateResize(next, previous)],
      },
    },
  },
  resetFields: {
    "": [["status"]],
    status: [["spec"], ["metadata", "deletionTimestamp"], ["metadata", "ownerReferences"]],
    ephemeralcontainers: resetAllBut(["ephemeralContainers"]),
    resize: resetAllBut(["containers", "initContainers", "resources"]),
  },
  defaults(pod) {
    defaultPodSpec(pod.spec);
    defaultPodOnly(pod);
  },
  prepareCreate,
  prepareUpdate(pod, previous) {
    keepGraceAtLeastOne(pod, previous);
  },
  prepareStatusUpdate,
  validate,
  validateCreate,
  validateUpdate: (next, previous) => [
    ...validateAnnotationsUpdate(next, previous),
    ...validatePodSpecUpdate(next.spec, previous.spec),
  ],
  validateStatusUpdate: (next, previous) => [
    ...validateAnnotationsUpdate(next, previous),
    ...validatePodStatus(next, previous),
  ],
  warnings,
  generationChanged,
  deletionGraceSeconds,
  selectableFields: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.restartPolicy": ({ spec }) => spec.restartPolicy ?? "",
    "spec.schedulerName": ({ spec }) => spec.schedulerName ?? "",
    "spec.serviceAccountName": ({ spec }) => spec.serviceAccountName ?? "",
    "spec.hostNetwork": ({ spec }) => String(spec.hostNetwork ?? false),
    "status.phase": ({ status }) => status.phase ?? "",
    "status.podIP": ({ status }) => status.podIP ?? "",
    "status.nominatedNodeName": ({ status }) => status.nominatedNodeName ?? "",
  },
  columns: columns(),
});

function prepareCreate(pod: Draft<Pod>): void {
  keepGraceAtLeastOne(pod, undefined);
  applyLabelKeys(pod);
  applyAppArmorAnnotations(pod);
  pod.status = { phase: "Pending", qosClass: qosClassOf(pod) };
  if ((pod.spec.schedulingGates ?? []).length > 0) {
    pod.status.conditions = [
      {
        type: "PodScheduled",
        status: "False",
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      },
    ];
  }
}

/** A negative grace period means "as soon as possible", and is stored as what it does. */
function keepGraceAtLeastOne(pod: Draft<Pod>, previous: Pod | undefined): void {
  const grace = pod.spec.terminationGracePeriodSeconds;
  if (grace === undefined || grace >= 0) return;
  if (previous?.spec.terminationGracePeriodSeconds !== grace) {
    pod.spec.terminationGracePeriodSeconds = 1;
  }
}

/** What a client of an older version does not know of stays as it is. */
function prepareStatusUpdate({ status }: Draft<Pod>, { status: previous }: Pod): void {
  if (previous.qosClass !== undefined) status.qosClass ??= previous.qosClass;
  if (previous.observedGeneration !== undefined) {
    status.observedGeneration ||= previous.observedGeneration;
  }
  // A type may be there more than once.
  const before = [...(previous.conditions ?? [])];
  for (const condition of status.conditions ?? []) {
    const index = before.findIndex(({ type }) => type === condition.type);
    const [old] = index === -1 ? [] : before.splice(index, 1);
    if (old?.observedGeneration !== undefined) {
      condition.observedGeneration ||= old.observedGeneration;
    }
  }
}

function warnings(pod: Pod, previous: Pod | undefined): readonly string[] {
  // People write pods once; what writes them often reads no warnings.
  if (previous !== undefined) return [];
  const problems = checkDnsLabel(pod.metadata.name);
  return [
    ...(problems.length === 0
      ? []
      : [
          `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(" ")}]`,
        ]),
    ...podWarnings(pod, ""),
  ];
}

function validate(pod: Pod): readonly FieldError[] {
  const errors: FieldError[] = [];
  validatePodAnnotations(pod, "metadata.annotations", errors);
  validatePodSpec(pod.spec, "spec", errors);
  if ((pod.spec.serviceAccountName ?? "") === "") forbidTokens(pod, errors);
  for (const list of ["containers", "initContainers"] as const) {
    (pod.spec[list] ?? []).forEach(({ image = "" }, index) => {
      if (image !== image.trim()) {
        errors.push(
          invalid(
            `spec.${list}[${index}].image`,
            image,
            "must not have leading or trailing whitespace",
          ),
        );
      }
    });
  }
  return errors;
}

/** A token speaks for an account. */
function forbidTokens({ spec }: Pod, errors: FieldError[]): void {
  (spec.volumes ?? []).forEach(({ projected }, index) => {
    (projected?.sources ?? []).forEach(({ serviceAccountToken }, sourceIndex) => {
      if (serviceAccountToken === undefined) return;
      errors.push(
        forbidden(
          `spec.volumes[${index}].projected.sources[${sourceIndex}].serviceAccountToken`,
          "must not be specified when serviceAccountName is not set",
        ),
      );
    });
  });
}

function validateCreate(pod: Pod): readonly FieldError[] {
  const { spec } = pod;
  const errors: FieldError[] = [];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden("spec.ephemeralContainers", "cannot be set on create"));
  }
  if ((spec.schedulingGates ?? []).length > 0 && (spec.nodeName ?? "") !== "") {
    errors.push(
      forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"),
    );
  }
  validateProfilesMatch(pod, "spec", errors);
  return errors;
}

/** Being placed on a node is no change of what the pod should be. */
function generationChanged({ spec: next }: Pod, { spec: previous }: Pod): boolean {
  return !equalJson({ ...next, nodeName: "" }, { ...previous, nodeName: "" });
}

/** A pod that no node runs, or that is over, needs no time to end. */
function deletionGraceSeconds(pod: Pod, requestedSeconds: number | undefined): number {
  if ((pod.spec.nodeName ?? "") === "" || isPodTerminal(pod)) return 0;
  const seconds = requestedSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

function columns(): readonly Column<Pod>[] {
  // The cells of a row are asked for one after the other.
  let last: { readonly pod: Pod; readonly summary: PodSummary } | undefined;
  const summaryOf = (pod: Pod): PodSummary => {
    if (last?.pod !== pod) last = { pod, summary: summarizePod(pod) };
    return last.summary;
  };
  return [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      description: "How many of the containers are ready to serve.",
      cell(pod) {
        const { readyContainers, totalContainers } = summaryOf(pod);
        return `${readyContainers}/${totalContainers}`;
      },
    },
    {
      name: "Status",
      type: "string",
      description: "The state of the pod, gathered from its containers.",
      cell: (pod) => summaryOf(pod).status,
    },
    {
      name: "Restarts",
      type: "string",
      description: "How often containers were restarted, and when last.",
      cell: (pod, nowMs) => printRestarts(summaryOf(pod), nowMs),
    },
    ageColumn,
    {
      name: "IP",
      type: "string",
      priority: 1,
      description: "The address of the pod.",
      cell: ({ status }) => orNone(status.podIPs?.[0]?.ip ?? status.podIP),
    },
    {
      name: "Node",
      type: "string",
      priority: 1,
      description: "The node that runs the pod.",
      cell: ({ spec }) => orNone(spec.nodeName),
    },
    {
      name: "Nominated Node",
      type: "string",
      priority: 1,
      description: "The node on which room is being made for the pod.",
      cell: ({ status }) => orNone(status.nominatedNodeName),
    },
    {
      name: "Readiness Gates",
      type: "string",
      priority: 1,
      description: "How many of the readiness gates are open.",
      cell: ({ spec, status }) => {
        const gates = spec.readinessGates ?? [];
        if (gates.length === 0) return "<none>";
        const open = gates.filter((gate) => isConditionTrue(status.conditions, gate.conditionType));
        return `${open.length}/${gates.length}`;
      },
    },
  ];
}

function orNone(text: string | undefined): string {
  return text === undefined || text === "" ? "<none>" : text;
}
