import { addAll } from "../../base/add-all.ts";
import { createdAtColumn, nameColumn } from "../columns.ts";
import { required } from "../field-error.ts";
import { type ClusterRole, clusterRoleSchema } from "../generated/rbac-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { rbacGroup, validateRules } from "../shared/rbac.ts";

export const clusterRoleResource = defineResource<ClusterRole>({
  group: rbacGroup,
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  scope: "cluster",
  schema: clusterRoleSchema,
  nameRule: "path-segment",
  validate,
  columns: [nameColumn, createdAtColumn],
});

function validate({ rules, aggregationRule }: ClusterRole): readonly FieldError[] {
  const errors: FieldError[] = [...validateRules(rules, "cluster")];
  if (aggregationRule === undefined) return errors;
  const path = "aggregationRule.clusterRoleSelectors";
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    errors.push(
      required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"),
    );
  }
  selectors.forEach((selector, index) => {
    addAll(errors, validateLabelSelector(selector, `${path}[${index}]`));
  });
  return errors;
}
