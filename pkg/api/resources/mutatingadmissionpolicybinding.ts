import { ageColumn, nameColumn } from "../columns.ts";
import {
  type MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBindingSchema,
} from "../generated/admissionregistration-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource } from "../resource.ts";
import {
  bindingColumns,
  validateBinding,
  validateMutatingOperations,
} from "../shared/admission-policies.ts";
import {
  admissionRegistrationGroup,
  defaultMatchResources,
  extensionCategories,
} from "../shared/admission-rules.ts";

/** May be stored: without its policy, which is refused, it has no effect, here as upstream. */
export const mutatingAdmissionPolicyBindingResource =
  defineResource<MutatingAdmissionPolicyBinding>({
    group: admissionRegistrationGroup,
    version: "v1",
    kind: "MutatingAdmissionPolicyBinding",
    plural: "mutatingadmissionpolicybindings",
    categories: extensionCategories,
    unconditionalUpdate: false,
    scope: "cluster",
    schema: mutatingAdmissionPolicyBindingSchema,
    defaults: ({ spec }) => defaultMatchResources(spec.matchResources),
    generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
    validate: ({ spec }) => [
      ...validateBinding(spec, "spec.matchResources"),
      ...validateMutatingOperations(spec.matchResources, "spec.matchResources"),
    ],
    columns: [nameColumn, ...bindingColumns, ageColumn],
  });
