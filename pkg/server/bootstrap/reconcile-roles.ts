import type {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
  Subject,
} from "../../api/generated/rbac-v1.generated.ts";
import type { NewObject } from "../../api/object.ts";
import { missingRules } from "../apiserver/authz/policy-rule.ts";

const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";

/** The metadata by which a default is known, and kept up to date as long as nobody turns that off. */
export const defaultRoleMeta = {
  annotations: { [autoupdate]: "true" },
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults" },
} as const;

type AnyRole = ClusterRole | Role;
type AnyBinding = ClusterRoleBinding | RoleBinding;

/** Pure: `current` with whatever `wanted` has more; undefined where nothing is missing, or nothing may be changed. */
export function reconcileRole<T extends AnyRole>(current: T, wanted: NewObject<T>): T | undefined {
  if (current.metadata.annotations?.[autoupdate] !== "true") return undefined;
  const metadata = mergeMeta(current, wanted);
  const missing = missingRules(current.rules ?? [], wanted.rules ?? []);
  const selectors = missingSelectors(current, wanted as unknown as AnyRole);
  if (metadata === undefined && missing.length === 0 && selectors.length === 0) return undefined;
  const aggregation =
    selectors.length === 0
      ? {}
      : {
          aggregationRule: {
            clusterRoleSelectors: [...selectorsOf(current), ...selectors],
          },
        };
  return {
    ...current,
    ...(metadata === undefined ? {} : { metadata }),
    rules: [...(current.rules ?? []), ...missing],
    ...aggregation,
  };
}

/** Pure: as for roles. `"replace"` where it binds another role, which no update can change. */
export function reconcileBinding<T extends AnyBinding>(
  current: T,
  wanted: NewObject<T>,
): T | "replace" | undefined {
  if (current.metadata.annotations?.[autoupdate] !== "true") return undefined;
  const { kind, name } = current.roleRef;
  if (kind !== wanted.roleRef.kind || name !== wanted.roleRef.name) return "replace";
  const metadata = mergeMeta(current, wanted);
  const present = new Set((current.subjects ?? []).map(subjectKey));
  const missing = (wanted.subjects ?? []).filter((subject) => !present.has(subjectKey(subject)));
  if (metadata === undefined && missing.length === 0) return undefined;
  return {
    ...current,
    ...(metadata === undefined ? {} : { metadata }),
    subjects: [...(current.subjects ?? []), ...missing],
  };
}

function subjectKey(subject: Subject): string {
  return `${subject.kind} ${subject.namespace ?? ""} ${subject.name}`;
}

function selectorsOf(role: AnyRole) {
  return role.kind === "ClusterRole" ? (role.aggregationRule?.clusterRoleSelectors ?? []) : [];
}

function missingSelectors(current: AnyRole, wanted: AnyRole) {
  const present = new Set(selectorsOf(current).map((selector) => JSON.stringify(selector)));
  return selectorsOf(wanted).filter((selector) => !present.has(JSON.stringify(selector)));
}

/** Labels and annotations that are missing are added; what is there stays. Undefined where none is missing. */
function mergeMeta<T extends AnyRole | AnyBinding>(
  current: T,
  wanted: { readonly metadata: NewObject<AnyRole>["metadata"] },
): T["metadata"] | undefined {
  const labels = { ...wanted.metadata.labels, ...current.metadata.labels };
  const annotations = { ...wanted.metadata.annotations, ...current.metadata.annotations };
  const grown =
    Object.keys(labels).length > Object.keys(current.metadata.labels ?? {}).length ||
    Object.keys(annotations).length > Object.keys(current.metadata.annotations ?? {}).length;
  return grown ? { ...current.metadata, labels, annotations } : undefined;
}
