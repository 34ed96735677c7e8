import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, immutableDetail, invalid, notSupported, required } from "../field-error.ts";
import { type PriorityClass, priorityClassSchema } from "../generated/scheduling-v1.generated.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  checkSystemPriorityClass,
  systemPriorityPrefix,
} from "../shared/system-priority-classes.ts";

export const priorityClassResource = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  scope: "cluster",
  schema: priorityClassSchema,
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
  },
  // It starts with one, and what can change is not counted.
  generationChanged: () => false,
  validate,
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (next.value !== previous.value) {
      errors.push(forbidden("value", "may not be changed in an update."));
    }
    if (next.preemptionPolicy !== previous.preemptionPolicy) {
      errors.push(invalid("preemptionPolicy", next.preemptionPolicy, immutableDetail));
    }
    return errors;
  },
  columns: [
    nameColumn,
    {
      name: "Value",
      type: "integer",
      description: "The priority of pods of this class.",
      cell: ({ value }) => value,
    },
    {
      name: "Global-Default",
      type: "boolean",
      description: "Whether pods that name no class are of this one.",
      cell: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn,
    {
      name: "PreemptionPolicy",
      type: "string",
      description: "Whether pods of this class may take the place of others.",
      cell: ({ preemptionPolicy }) => preemptionPolicy ?? "",
    },
  ],
});

const userPriorityMax = 1_000_000_000;
const preemptionPolicies = ["PreemptLowerPriority", "Never"];

function validate(priorityClass: PriorityClass): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, value, preemptionPolicy } = priorityClass;
  if (metadata.name.startsWith(systemPriorityPrefix)) {
    const problem = checkSystemPriorityClass(priorityClass);
    if (problem !== undefined) {
      errors.push(
        forbidden(
          "metadata.name",
          `priority class names with '${systemPriorityPrefix}' prefix are reserved for system use only. error: ${problem}`,
        ),
      );
    }
  } else if (value > userPriorityMax) {
    errors.push(
      forbidden("value", `maximum allowed value of a user defined priority is ${userPriorityMax}`),
    );
  }
  if ((preemptionPolicy as string | undefined) === "") {
    errors.push(required("preemptionPolicy"));
  } else if (preemptionPolicy !== undefined && !preemptionPolicies.includes(preemptionPolicy)) {
    errors.push(notSupported("preemptionPolicy", preemptionPolicy, preemptionPolicies));
  }
  return errors;
}
