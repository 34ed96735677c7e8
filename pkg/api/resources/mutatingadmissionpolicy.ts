import { ageColumn, nameColumn } from "../columns.ts";
import { invalid, notSupported, required } from "../field-error.ts";
import {
  type MutatingAdmissionPolicy,
  type MutatingAdmissionPolicySpec,
  type Mutation,
  mutatingAdmissionPolicySchema,
} from "../generated/admissionregistration-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  paramKindColumn,
  validateMutatingOperations,
  validatePolicy,
} from "../shared/admission-policies.ts";
import {
  admissionRegistrationGroup,
  defaultMatchResources,
  extensionCategories,
  reinvocationPolicies,
  validateChoice,
} from "../shared/admission-rules.ts";

export const mutatingAdmissionPolicyResource = defineResource<MutatingAdmissionPolicy>({
  group: admissionRegistrationGroup,
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  categories: extensionCategories,
  unconditionalUpdate: false,
  scope: "cluster",
  schema: mutatingAdmissionPolicySchema,
  defaults({ spec }) {
    spec.failurePolicy ??= "Fail";
    defaultMatchResources(spec.matchConstraints);
  },
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  validate: ({ spec }) =>
    validatePolicy(spec, {
      matching: validateMutatingOperations(spec.matchConstraints, "spec.matchConstraints"),
      rest: validateMutations(spec),
    }),
  columns: [
    nameColumn,
    {
      name: "Mutations",
      type: "integer",
      description: "How many changes the policy makes.",
      cell: ({ spec }) => (spec.mutations ?? []).length,
    },
    paramKindColumn,
    ageColumn,
  ],
});

function validateMutations({
  mutations = [],
  reinvocationPolicy,
}: MutatingAdmissionPolicySpec): readonly FieldError[] {
  return [
    ...(mutations.length === 0
      ? [required("spec.mutations", "mutations must contain at least one item")]
      : mutations.flatMap((mutation, index) =>
          validateMutation(mutation, `spec.mutations[${index}]`),
        )),
    ...validateChoice(reinvocationPolicy, reinvocationPolicies, "spec.reinvocationPolicy"),
  ];
}

/** The field that goes with each way of mutating. */
const patchFields = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;

function validateMutation(mutation: Mutation, path: string): readonly FieldError[] {
  const patchType: string = mutation.patchType;
  if (patchType === "") return [required(`${path}.patchType`)];
  if (patchType !== "JSONPatch" && patchType !== "ApplyConfiguration") {
    return [notSupported(`${path}.patchType`, patchType, Object.keys(patchFields))];
  }
  const own = patchFields[patchType];
  const other = patchFields[patchType === "JSONPatch" ? "ApplyConfiguration" : "JSONPatch"];
  const errors: FieldError[] = [];
  const patch = mutation[own];
  if (patch === undefined) {
    errors.push(required(`${path}.${own}`, `must be specified when patchType is ${patchType}`));
  } else if ((patch.expression ?? "").trim() === "") {
    errors.push(required(`${path}.${own}.expression`));
  }
  if (mutation[other] !== undefined) {
    const why = `must not be specified when patchType is ${patchType}`;
    errors.push(invalid(`${path}.${other}`, `{${other}}`, why));
  }
  return errors;
}
