/** Who defines a kind in a group of the community's says here who agreed. */
export const apiApprovedAnnotation = "api-approved.kubernetes.io";

export interface ApiApproval {
  readonly state: "missing" | "bypassed" | "approved" | "invalid";
  /** In upstream's words. */
  readonly reason: string;
}

/** Whether new kinds of the group need the community's consent. */
export function isProtectedGroup(group: string): boolean {
  return /(^|\.)(k8s|kubernetes)\.io$/.test(group);
}

export function apiApprovalOf(
  annotations: Readonly<Record<string, string>> | undefined,
): ApiApproval {
  const annotation = annotations?.[apiApprovedAnnotation] ?? "";
  const needed = `protected groups must have approval annotation "${apiApprovedAnnotation}"`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (annotation === "") return { state: "missing", reason: `${needed}, ${see}` };
  if (annotation.startsWith("unapproved")) {
    return { state: "bypassed", reason: `not approved: ${JSON.stringify(annotation)}` };
  }
  if (URL.canParse(annotation) && new URL(annotation).host !== "") {
    return { state: "approved", reason: `approved in ${annotation}` };
  }
  const either = 'with either a URL or a reason starting with "unapproved"';
  return { state: "invalid", reason: `${needed} ${either}, ${see}` };
}
