import { forbidden, invalid, invalidEach, notSupported, required } from "../field-error.ts";
import type { PodTemplateSpec } from "../generated/core-v1.generated.ts";
import type { LabelSelector } from "../generated/meta-v1.generated.ts";
import {
  formatLabelSelector,
  formatSelector,
  matchesSelector,
  selectorOf,
  validateLabelSelector,
} from "../labels.ts";
import { checkPercent } from "../names.ts";
import type { KubernetesObject } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import type { Column, FieldError, ScaleMapping } from "../resource.ts";
import { validatePodTemplate } from "./validate-pod-spec.ts";

/** What the kinds that keep a number of pods running have in common. */
export interface Workload extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplateSpec;
    readonly minReadySeconds?: number;
  };
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

/** What the kinds' specs have in common; `kind` is how messages call it. */
export function validateWorkload({ spec }: Workload, kind: string, errors: FieldError[]): void {
  validateNonNegative(spec.replicas, "spec.replicas", errors);
  const selector = spec.selector as LabelSelector | undefined;
  if (selector === undefined) errors.push(required("spec.selector"));
  else {
    errors.push(...validateLabelSelector(selector, "spec.selector"));
    if (isEmpty(selector)) {
      errors.push(invalid("spec.selector", selector, `empty selector is invalid for ${kind}`));
    } else if (!matchesSelector(selectorOf(selector), spec.template.metadata.labels)) {
      errors.push(
        invalid(
          "spec.template.metadata.labels",
          spec.template.metadata.labels,
          "`selector` does not match template `labels`",
        ),
      );
    }
  }
  validatePodTemplate(spec.template, "spec.template", errors);
  const podSpec = spec.template.spec;
  if (podSpec.restartPolicy !== "Always") {
    errors.push(
      notSupported("spec.template.spec.restartPolicy", podSpec.restartPolicy ?? "", ["Always"]),
    );
  }
  if (podSpec.activeDeadlineSeconds !== undefined) {
    errors.push(
      forbidden(
        "spec.template.spec.activeDeadlineSeconds",
        "activeDeadlineSeconds in ReplicaSet is not Supported",
      ),
    );
  }
  validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds", errors);
}

function isEmpty(selector: LabelSelector): boolean {
  return (
    Object.keys(selector.matchLabels ?? {}).length === 0 &&
    (selector.matchExpressions ?? []).length === 0
  );
}

export function validateNonNegative(
  value: number | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (value !== undefined && value < 0) {
    errors.push(invalid(path, value, "must be greater than or equal to 0"));
  }
}

/** `3` or `25%` */
export function validateIntOrPercent(
  value: number | string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (typeof value === "number") validateNonNegative(value, path, errors);
  else if (value !== undefined) errors.push(...invalidEach(path, value, checkPercent(value)));
}

/** The pods that a workload counts as its own are chosen once. */
export function validateSelectorUpdate(next: Workload, previous: Workload): readonly FieldError[] {
  return equalJson(next.spec.selector, previous.spec.selector)
    ? []
    : [invalid("spec.selector", next.spec.selector, "field is immutable")];
}

/** Containers, images and selector: what `-o wide` adds. */
export const workloadWideColumns: readonly Column<Workload>[] = [
  {
    name: "Containers",
    type: "string",
    priority: 1,
    description: "The names of the containers in the template.",
    cell: ({ spec }) => spec.template.spec.containers.map(({ name }) => name).join(","),
  },
  {
    name: "Images",
    type: "string",
    priority: 1,
    description: "The images of the containers in the template.",
    cell: ({ spec }) => spec.template.spec.containers.map(({ image }) => image ?? "").join(","),
  },
  {
    name: "Selector",
    type: "string",
    priority: 1,
    description: "Which pods are counted.",
    cell: ({ spec }) => formatLabelSelector(spec.selector),
  },
];
