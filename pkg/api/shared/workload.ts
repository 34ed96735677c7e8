import { addAll } from "../../base/add-all.ts";
import { forbidden, immutableDetail, invalid, notSupported, required } from "../field-error.ts";
import type { PodTemplateSpec } from "../generated/core-v1.generated.ts";
import type { LabelSelector } from "../generated/meta-v1.generated.ts";
import {
  formatLabelSelector,
  formatSelector,
  matchesSelector,
  selectorOf,
  validateLabelSelector,
} from "../labels.ts";
import { checkDnsLabel } from "../names.ts";
import type { KubernetesObject } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import type { Column, FieldError, ScaleMapping } from "../resource.ts";
import { podWarnings } from "./pod-warnings.ts";
import { validatePodTemplate } from "./validate-pod-spec.ts";

/** What the kinds that make pods of a template, and choose them by a selector, have in common. */
export interface Workload extends KubernetesObject {
  readonly spec: { readonly selector?: LabelSelector; readonly template: PodTemplateSpec };
}

/** How `scale` reads and writes a kind that has `spec.replicas`, `spec.selector` and `status.replicas`. */
export const workloadScale: ScaleMapping = {
  specReplicas: "spec.replicas",
  statusReplicas: "status.replicas",
  labelSelector: (object) => formatSelector(selectorOf(selectorIn(object))),
};

function selectorIn(object: KubernetesObject): LabelSelector | undefined {
  return (object as KubernetesObject & { readonly spec?: { readonly selector?: LabelSelector } })
    .spec?.selector;
}

// ---- the spec ---------------------------------------------------------------

interface SelectorWording {
  /** How the message calls what an empty selector is refused for. */
  readonly emptyFor: string;
  readonly unusable: string;
}

/** The selector of a workload has to be there, to be one, and to select something. False where it is none. */
export function validateWorkloadSelector(
  selector: LabelSelector | undefined,
  { emptyFor, unusable }: SelectorWording,
  errors: FieldError[],
): boolean {
  if (selector === undefined) {
    errors.push(required("spec.selector"));
    return true;
  }
  const problems = validateLabelSelector(selector, "spec.selector");
  addAll(errors, problems);
  validateNotEmpty(selector, emptyFor, errors);
  if (problems.length > 0) errors.push(invalid("spec.selector", selector, unusable));
  return problems.length === 0;
}

/** The selector and the template of a workload whose pods belong to ReplicaSets, or to it as one. */
export function validateReplicaSelection(spec: Workload["spec"], errors: FieldError[]): void {
  // Upstream speaks of Deployments and ReplicaSets in the words of either.
  const wording = { emptyFor: "deployment", unusable: "invalid label selector" };
  if (!validateWorkloadSelector(spec.selector, wording, errors)) return;
  validateTemplateLabels(spec, errors);
  validateEndlessTemplate(spec.template, "ReplicaSet", errors);
}

export function validateNotEmpty(
  selector: LabelSelector,
  kind: string,
  errors: FieldError[],
): void {
  const matches =
    Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
  if (matches === 0) {
    errors.push(invalid("spec.selector", selector, `empty selector is invalid for ${kind}`));
  }
}

/** A workload counts the pods that it makes. */
export function validateTemplateLabels(
  { selector, template }: Workload["spec"],
  errors: FieldError[],
): void {
  const { labels } = template.metadata;
  if (matchesSelector(selectorOf(selector), labels)) return;
  errors.push(templateLabelsMismatch(labels));
}

export function templateLabelsMismatch(
  labels: Readonly<Record<string, string>> | undefined,
): FieldError {
  return invalid(
    "spec.template.metadata.labels",
    labels,
    "`selector` does not match template `labels`",
  );
}

/** A template of pods that never end by themselves; `kind` is how the message calls what makes them. */
export function validateEndlessTemplate(
  template: PodTemplateSpec,
  kind: string,
  errors: FieldError[],
): void {
  validatePodTemplate(template, "spec.template", errors);
  validateEndless(template, kind, errors);
}

/** That the pods of a template neither end by themselves nor are ended after a time. */
export function validateEndless(
  { spec }: PodTemplateSpec,
  kind: string,
  errors: FieldError[],
): void {
  const { restartPolicy = "", activeDeadlineSeconds } = spec;
  if (restartPolicy !== "Always") {
    errors.push(notSupported("spec.template.spec.restartPolicy", restartPolicy, ["Always"]));
  }
  if (activeDeadlineSeconds !== undefined) {
    errors.push(
      forbidden(
        "spec.template.spec.activeDeadlineSeconds",
        `activeDeadlineSeconds in ${kind} is not Supported`,
      ),
    );
  }
}

/** How pods are replaced, as upstream prints it in a message, which prints a value of its own type. */
export function goStrategy({
  type,
  rollingUpdate,
}: {
  readonly type?: string;
  readonly rollingUpdate?: {
    readonly maxSurge?: number | string;
    readonly maxUnavailable?: number | string;
  };
}): unknown {
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  return {
    Type: type ?? "",
    RollingUpdate:
      rollingUpdate === undefined ? null : { MaxUnavailable: maxUnavailable, MaxSurge: maxSurge },
  };
}

/** The pods that a workload counts as its own are chosen once. */
export function validateSelectorUpdate(next: Workload, previous: Workload): readonly FieldError[] {
  return immutable("spec.selector", next.spec.selector, previous.spec.selector);
}

/** An error where a field that may not change has changed. */
export function immutable(path: string, next: unknown, previous: unknown): readonly FieldError[] {
  return equalJson(next, previous) ? [] : [invalid(path, next, immutableDetail)];
}

// ---- warnings ---------------------------------------------------------------

/** Pods and their hostnames are called after what makes them. */
export function workloadNameWarnings(name: string): readonly string[] {
  const problems = checkDnsLabel(name);
  if (problems.length === 0) return [];
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(" ")}]`,
  ];
}

/** What is accepted in `spec.template`, and will not do what was meant; of an update only where the spec changed. */
export function templateWarnings(
  { metadata, spec }: Workload,
  previous: Workload | undefined,
): readonly string[] {
  if (previous !== undefined && previous.metadata.generation === metadata.generation) return [];
  return podWarnings(spec.template, "spec.template");
}

/** The name's and the template's warnings. */
export function namedTemplateWarnings(
  next: Workload,
  previous: Workload | undefined,
): readonly string[] {
  const named = previous === undefined ? workloadNameWarnings(next.metadata.name) : [];
  return [...named, ...templateWarnings(next, previous)];
}

// ---- columns ----------------------------------------------------------------

/** The names and the images of the containers in a template: what `-o wide` adds. */
export function containerColumns<T>(
  templateOf: { of(object: T): PodTemplateSpec | undefined }["of"],
  priority = 1,
): readonly Column<T>[] {
  const containers = (object: T) => templateOf(object)?.spec.containers ?? [];
  return [
    {
      name: "Containers",
      type: "string",
      priority,
      description: "The names of the containers in the template.",
      cell: (object) =>
        containers(object)
          .map(({ name }) => name)
          .join(","),
    },
    {
      name: "Images",
      type: "string",
      priority,
      description: "The images of the containers in the template.",
      cell: (object) =>
        containers(object)
          .map(({ image }) => image ?? "")
          .join(","),
    },
  ];
}

/** Containers, images and selector: what `-o wide` adds. */
export const workloadWideColumns: readonly Column<Workload>[] = [
  ...containerColumns(({ spec }: Workload) => spec.template),
  {
    name: "Selector",
    type: "string",
    priority: 1,
    description: "Which pods are counted.",
    cell: ({ spec }) => formatLabelSelector(spec.selector),
  },
];
