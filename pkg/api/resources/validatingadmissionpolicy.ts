import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { duplicate, invalid, invalidEach, notSupported, required } from "../field-error.ts";
import {
  type AuditAnnotation,
  type ValidatingAdmissionPolicy,
  type Validation,
  validatingAdmissionPolicySchema,
} from "../generated/admissionregistration-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { paramKindColumn, validatePolicy } from "../shared/admission-policies.ts";
import {
  admissionRegistrationGroup,
  defaultMatchResources,
  extensionCategories,
} from "../shared/admission-rules.ts";
import { keepMetadataOfStatus } from "../shared/status-metadata.ts";

export const validatingAdmissionPolicyResource = defineResource<ValidatingAdmissionPolicy>({
  group: admissionRegistrationGroup,
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  categories: extensionCategories,
  unconditionalUpdate: false,
  scope: "cluster",
  schema: validatingAdmissionPolicySchema,
  subresources: { status: true },
  resetFields: { "": [["status"]], status: [["metadata"], ["spec"]] },
  prepareStatusUpdate: keepMetadataOfStatus,
  defaults({ spec }) {
    spec.failurePolicy ??= "Fail";
    defaultMatchResources(spec.matchConstraints);
  },
  prepareCreate(policy) {
    policy.status = {};
  },
  validate: (policy) =>
    validatePolicy(policy.spec, { matching: [], rest: validateExpressions(policy) }),
  columns: [
    nameColumn,
    {
      name: "Validations",
      type: "integer",
      description: "How many rules the policy has.",
      cell: ({ spec }) => (spec.validations ?? []).length,
    },
    paramKindColumn,
    ageColumn,
  ],
});

const annotationsMax = 20;

function validateExpressions({ metadata, spec }: ValidatingAdmissionPolicy): readonly FieldError[] {
  const { auditAnnotations = [], validations = [] } = spec;
  const errors: FieldError[] = [];
  if (auditAnnotations.length === 0 && validations.length === 0) {
    const detail = "validations or auditAnnotations must contain at least one item";
    return [required("spec.validations", detail), required("spec.auditAnnotations", detail)];
  }
  validations.forEach((validation, index) => {
    validateValidation(validation, `spec.validations[${index}]`, errors);
  });
  if (auditAnnotations.length > annotationsMax) {
    const why = `must not have more than ${annotationsMax} auditAnnotations`;
    errors.push(invalid("spec.auditAnnotations", auditAnnotations, why));
  }
  const seen = new Set<string>();
  auditAnnotations.forEach((annotation, index) => {
    const path = `spec.auditAnnotations[${index}]`;
    validateAnnotation(annotation, metadata.name, path, errors);
    if (seen.has(annotation.key)) errors.push(duplicate(`${path}.key`, annotation.key));
    seen.add(annotation.key);
  });
  return errors;
}

const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

function validateValidation(
  { expression, message = "", messageExpression = "", reason }: Validation,
  path: string,
  errors: FieldError[],
): void {
  if (expression.trim() === "") {
    errors.push(required(`${path}.expression`, "expression is not specified"));
  }
  if (messageExpression !== "" && messageExpression.trim() === "") {
    const why = "must be non-empty if specified";
    errors.push(invalid(`${path}.messageExpression`, messageExpression, why));
  }
  if (message !== "" && message.trim() === "") {
    errors.push(invalid(`${path}.message`, message, "message must be non-empty if specified"));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(`${path}.message`, message, "message must not contain line breaks"));
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    errors.push(notSupported(`${path}.reason`, reason, reasons));
  }
}

const expressionBytesMax = 5 * 1024;

function validateAnnotation(
  { key, valueExpression }: AuditAnnotation,
  name: string,
  path: string,
  errors: FieldError[],
): void {
  const whole = `${name}/${key}`;
  addAll(errors, invalidEach(`${path}.key`, whole, checkQualifiedName(whole)));
  const at = `${path}.valueExpression`;
  const trimmed = valueExpression.trim();
  if (trimmed === "") errors.push(required(at, "valueExpression is not specified"));
  else if (Buffer.byteLength(trimmed) > expressionBytesMax) {
    errors.push(required(at, `must not exceed ${expressionBytesMax} bytes in length`));
  }
}
