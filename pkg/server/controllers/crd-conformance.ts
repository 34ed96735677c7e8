import { printFieldErrors } from "../../api/api-error.ts";
import { withCondition, withoutCondition } from "../../api/conditions.ts";
import { apiApprovalOf, isProtectedGroup } from "../../api/custom/api-approval.ts";
import {
  type CustomResourceDefinition,
  type DefinitionCondition,
  schemaOf,
} from "../../api/custom/definition.ts";
import { structuralErrors } from "../../api/custom/structural-rules.ts";
import { invalid } from "../../api/field-error.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import type { FieldError } from "../../api/resource.ts";
import { customResourceDefinitionResource } from "../../api/resources/customresourcedefinition.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

const approvals = {
  missing: { status: "False", reason: "MissingAnnotation" },
  invalid: { status: "False", reason: "InvalidAnnotation" },
  bypassed: { status: "False", reason: "UnapprovedAnnotation" },
  approved: { status: "True", reason: "ApprovedAnnotation" },
} as const;

/**
 * The conditions of a definition with what is to be said of it besides its names: whether the community has agreed to a
 * kind in one of its groups, and where a schema from before there were rules does not follow them.
 *
 * @package
 */
export function planConformance(
  crd: CustomResourceDefinition,
  nowMs: number,
): readonly DefinitionCondition[] {
  const lastTransitionTime = formatTime(nowMs);
  const before = crd.status?.conditions ?? [];
  const violations = violationsOf(crd);
  const conditions =
    violations.length === 0
      ? withoutCondition(before, "NonStructuralSchema")
      : withCondition<DefinitionCondition>(before, {
          type: "NonStructuralSchema",
          status: "True",
          lastTransitionTime,
          reason: "Violations",
          message: printFieldErrors(violations),
        });
  if (!isProtectedGroup(crd.spec.group)) return conditions;
  const { state, reason: message } = apiApprovalOf(crd.metadata.annotations);
  return withCondition<DefinitionCondition>(conditions, {
    type: "KubernetesAPIApprovalPolicyConformant",
    lastTransitionTime,
    ...approvals[state],
    message,
  });
}

function violationsOf({ spec }: CustomResourceDefinition): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (spec.preserveUnknownFields === true) {
    errors.push(invalid("spec.preserveUnknownFields", true, "must be false"));
  }
  spec.versions.forEach((version, index) => {
    const schema = schemaOf(version);
    if (schema === undefined) return;
    errors.push(...structuralErrors(schema, `spec.versions[${index}].schema.openAPIV3Schema`));
  });
  return errors;
}

/** Says in each CustomResourceDefinition what it does not conform to. */
export function crdConformanceController(deps: {
  readonly client: Client;
  readonly definitions: Informer<CustomResourceDefinition>;
  readonly clock: Clock;
}): Controller {
  const { client, definitions, clock } = deps;
  /** Large schemas take milliseconds to look through: each generation is looked at once. */
  const seen = new Map<string, CustomResourceDefinition>();
  return {
    name: "crd-conformance",
    watches: [watchSelf(definitions)],
    async reconcile(key, signal) {
      const crd = definitions.get(key);
      if (crd === undefined) {
        seen.delete(key);
        return undefined;
      }
      if (saysTheSame(crd, seen.get(key))) return undefined;
      const before = crd.status?.conditions ?? [];
      const conditions = planConformance(crd, clock.now());
      if (conditions === before) {
        seen.set(key, crd);
        return undefined;
      }
      const told = { ...crd, status: { ...crd.status, conditions } };
      await client.update(customResourceDefinitionResource, told, signal, {
        subresource: "status",
      });
      return undefined;
    },
  };
}

/** Whether neither what is judged nor the judgement has changed. */
function saysTheSame(
  { metadata, status }: CustomResourceDefinition,
  before: CustomResourceDefinition | undefined,
): boolean {
  if (before === undefined) return false;
  const judged = ["NonStructuralSchema", "KubernetesAPIApprovalPolicyConformant"];
  const judgement = (conditions: readonly DefinitionCondition[] = []) =>
    conditions.filter(({ type }) => judged.includes(type));
  return (
    metadata.uid === before.metadata.uid &&
    metadata.generation === before.metadata.generation &&
    equalJson(metadata.annotations, before.metadata.annotations) &&
    equalJson(judgement(status?.conditions), judgement(before.status?.conditions))
  );
}
