import type { PolicyRule } from "../../api/generated/rbac-v1.generated.ts";

export const readVerbs = ["get", "list", "watch"] as const;
export const writeVerbs = ["create", "delete", "deletecollection", "patch", "update"] as const;
export const readWriteVerbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
] as const;

/** Verbs on resources of API groups ("" is the core group); each is a space-separated list or an array. */
export function rule(
  verbs: string | readonly string[],
  groups: string | readonly string[],
  resources: string,
  resourceNames?: string,
): PolicyRule {
  return {
    apiGroups: typeof groups === "string" ? [groups] : groups,
    resources: resources.split(" "),
    verbs: typeof verbs === "string" ? verbs.split(" ") : verbs,
    ...(resourceNames === undefined ? {} : { resourceNames: resourceNames.split(" ") }),
  };
}

/** Verbs on paths. */
export function pathRule(verbs: string, paths: string): PolicyRule {
  return { nonResourceURLs: paths.split(" "), verbs: verbs.split(" ") };
}

export const eventsRule = rule("create patch update", ["", "events.k8s.io"], "events");
