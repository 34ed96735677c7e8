import { ageColumn, nameColumn } from "../columns.ts";
import {
  type ValidatingAdmissionPolicyBinding,
  validatingAdmissionPolicyBindingSchema,
} from "../generated/admissionregistration-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource } from "../resource.ts";
import { bindingColumns, validateActions, validateBinding } from "../shared/admission-policies.ts";
import {
  admissionRegistrationGroup,
  defaultMatchResources,
  extensionCategories,
} from "../shared/admission-rules.ts";

/** May be stored: without its policy, which is refused, it has no effect, here as upstream. */
export const validatingAdmissionPolicyBindingResource =
  defineResource<ValidatingAdmissionPolicyBinding>({
    group: admissionRegistrationGroup,
    version: "v1",
    kind: "ValidatingAdmissionPolicyBinding",
    plural: "validatingadmissionpolicybindings",
    categories: extensionCategories,
    unconditionalUpdate: false,
    scope: "cluster",
    schema: validatingAdmissionPolicyBindingSchema,
    defaults: ({ spec }) => defaultMatchResources(spec.matchResources),
    generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
    validate: ({ spec }) => [
      // Misspelt as upstream misspells it.
      ...validateBinding(spec, "spec.matchResouces"),
      ...validateActions(spec.validationActions ?? [], "spec.validationActions"),
    ],
    columns: [nameColumn, ...bindingColumns, ageColumn],
  });
