import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { duplicate, immutableDetail, invalid, invalidEach, required } from "../field-error.ts";
import type { Toleration } from "../generated/core-v1.generated.ts";
import { type RuntimeClass, runtimeClassSchema } from "../generated/node-v1.generated.ts";
import { validateLabels } from "../labels.ts";
import { checkDnsLabel } from "../names.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { deprecatedNodeLabel } from "../shared/deprecated-node-labels.ts";
import { defaultResourceList } from "../shared/pod-spec-defaults.ts";
import { validateResourceRequirements } from "../shared/validate-resources.ts";
import { validateTolerations } from "../shared/validate-scheduling.ts";

export const runtimeClassResource = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  scope: "cluster",
  schema: runtimeClassSchema,
  defaults: ({ overhead }) => defaultResourceList(overhead?.podFixed),
  validate,
  validateUpdate: (next, previous) =>
    next.handler === previous.handler ? [] : [invalid("handler", next.handler, immutableDetail)],
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
      const reason = deprecatedNodeLabel(label);
      return reason === undefined ? [] : [`scheduling.nodeSelector: ${reason}`];
    }),
  columns: [
    nameColumn,
    {
      name: "Handler",
      type: "string",
      description: "What the container runtime calls the way in which it runs such pods.",
      cell: ({ handler }) => handler,
    },
    ageColumn,
  ],
});

function validate({ handler, overhead, scheduling }: RuntimeClass): readonly FieldError[] {
  const errors: FieldError[] =
    handler === ""
      ? [required("handler")]
      : [...invalidEach("handler", handler, checkDnsLabel(handler))];
  if (overhead !== undefined) {
    const { podFixed } = overhead;
    validateResourceRequirements(
      podFixed === undefined ? {} : { limits: podFixed },
      "overhead",
      errors,
    );
  }
  if (scheduling === undefined) return errors;
  addAll(errors, validateLabels(scheduling.nodeSelector, "scheduling.nodeSelector"));
  const tolerations = scheduling.tolerations ?? [];
  validateTolerations(tolerations, "scheduling.tolerations", errors);
  const seen = new Set<string>();
  tolerations.forEach((toleration, index) => {
    const { key = "", operator = "", value = "", effect = "" } = toleration;
    const identity = JSON.stringify([key, operator, value, effect]);
    if (seen.has(identity)) {
      errors.push(duplicate(`scheduling.tolerations[${index}]`, asGoToleration(toleration)));
    }
    seen.add(identity);
  });
  return errors;
}

/** Upstream prints this value of its own type, whose fields have no JSON names. */
function asGoToleration({ key, operator, value, effect, tolerationSeconds }: Toleration) {
  return {
    Key: key ?? "",
    Operator: operator ?? "",
    Value: value ?? "",
    Effect: effect ?? "",
    TolerationSeconds: tolerationSeconds ?? null,
  };
}
