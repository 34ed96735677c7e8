import { invalid, invalidEach, required } from "../field-error.ts";
import type {
  NonResourceAttributes,
  ResourceAttributes,
} from "../generated/authorization-v1.generated.ts";
import { validateValueCount } from "../labels.ts";
import { checkLabelValue, checkQualifiedName } from "../names.ts";
import type { TemplateMeta } from "../object.ts";
import type { FieldError } from "../resource.ts";

interface AccessQuestion {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
}

/** A review asks either about a resource or about a path, of which what it selects can be read. */
export function validateAccessQuestion(question: AccessQuestion): readonly FieldError[] {
  return [...validateKindOfQuestion(question), ...validateSelectors(question.resourceAttributes)];
}

/** What is posted has no name, and no other metadata but what the server itself puts there. */
export function validateReviewMeta(
  metadata: TemplateMeta,
  allowed: readonly (keyof TemplateMeta)[] = [],
): readonly FieldError[] {
  const ignored = new Set<string>(["managedFields", ...allowed]);
  const isSet = ([field, value]: readonly [string, unknown]): boolean => {
    if (ignored.has(field) || value === undefined || value === null || value === "") return false;
    return typeof value !== "object" || Object.keys(value).length > 0;
  };
  if (!Object.entries(metadata).some(isSet)) return [];
  const detail =
    allowed.length === 0 ? "must be empty" : `must be empty except for ${allowed.join()}`;
  return [invalid("metadata", metadata, detail)];
}

function validateSelectors(asked: ResourceAttributes | undefined): readonly FieldError[] {
  const path = "spec.resourceAttributes";
  return [
    ...validateSelector(asked?.fieldSelector, `${path}.fieldSelector`, ({ key }, at) =>
      key === "" ? [required(`${at}.key`, "must be specified")] : [],
    ),
    ...validateSelector(asked?.labelSelector, `${path}.labelSelector`, ({ key, values }, at) => [
      ...invalidEach(`${at}.key`, key, checkQualifiedName(key)),
      ...(values ?? []).flatMap((value, index) =>
        invalidEach(`${at}.values[${index}]`, value, checkLabelValue(value)),
      ),
    ]),
  ];
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Selector {
  readonly rawSelector?: string;
  readonly requirements?: readonly Requirement[];
}

function validateSelector(
  selector: Selector | undefined,
  path: string,
  validateRequirement: (requirement: Requirement, path: string) => readonly FieldError[],
): readonly FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = "", requirements = [] } = selector;
  const errors: FieldError[] = [];
  if (rawSelector !== "" && requirements.length > 0) {
    const detail = "may not specified at the same time as requirements";
    errors.push(invalid(`${path}.rawSelector`, rawSelector, detail));
  }
  if (rawSelector === "" && requirements.length === 0) {
    const detail = `when ${path} is specified, requirements or rawSelector is required`;
    errors.push(required(`${path}.requirements`, detail));
  }
  requirements.forEach((requirement, index) => {
    const at = `${path}.requirements[${index}]`;
    // An operator that is not known here may be one of a later version's.
    const counted = validateValueCount(
      requirement.operator,
      requirement.values ?? [],
      `${at}.values`,
    );
    errors.push(...(counted ?? []), ...validateRequirement(requirement, at));
  });
  return errors;
}

function validateKindOfQuestion({
  resourceAttributes,
  nonResourceAttributes,
}: AccessQuestion): readonly FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    return [
      invalid(
        "spec.nonResourceAttributes",
        nonResourceAttributes,
        "cannot be specified in combination with resourceAttributes",
      ),
    ];
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    return [
      invalid(
        "spec.resourceAttributes",
        undefined,
        "exactly one of nonResourceAttributes or resourceAttributes must be specified",
      ),
    ];
  }
  return [];
}

/** A review about somebody else has to say about whom. */
export function validateAccessSubject({
  user = "",
  groups = [],
}: {
  readonly user?: string;
  readonly groups?: readonly string[];
}): readonly FieldError[] {
  return user === "" && groups.length === 0
    ? [invalid("spec.user", user, "at least one of user or group must be specified")]
    : [];
}
