import type { PolicyRule } from "../../../api/generated/rbac-v1.generated.ts";
import type { RequestAttributes } from "./authorizer.ts";

/** Whether one rule allows the request. */
export function ruleAllows(rule: PolicyRule, attributes: RequestAttributes): boolean {
  if (!(rule.verbs.includes("*") || rule.verbs.includes(attributes.verb))) return false;
  if (attributes.type === "path") {
    return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, attributes.path));
  }
  const { group, resource, subresource, name } = attributes;
  const combined = subresource === "" ? resource : `${resource}/${subresource}`;
  return (
    hasOrAll(rule.apiGroups, group) &&
    resourceCovers(rule.resources ?? [], combined) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(name))
  );
}

/** `*` covers all, `/api/*` all that begins with `/api/`. */
function urlCovers(rule: string, path: string): boolean {
  if (rule === "*" || rule === path) return true;
  return rule.endsWith("*") && path.startsWith(rule.replace(/\*+$/, ""));
}

function hasOrAll(values: readonly string[] | undefined, wanted: string): boolean {
  return values !== undefined && (values.includes("*") || values.includes(wanted));
}

/** `resource` may have a subresource behind a slash; a rule's `*` followed by `/scale` covers each kind's scale. */
function resourceCovers(rules: readonly string[], resource: string): boolean {
  if (rules.includes("*") || rules.includes(resource)) return true;
  const slash = resource.indexOf("/");
  return slash !== -1 && rules.includes(`*${resource.slice(slash)}`);
}

/** What `rules` would grant that `owned` does not: one rule per group, resource, name and verb. Empty: covered. */
export function missingRules(
  owned: readonly PolicyRule[],
  rules: readonly PolicyRule[],
): readonly PolicyRule[] {
  return rules
    .flatMap(breakDown)
    .filter((rule) => !owned.some((candidate) => ruleCovers(candidate, rule)));
}

function breakDown(rule: PolicyRule): readonly PolicyRule[] {
  const single: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const simple = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (!rule.resourceNames?.length) single.push(simple);
        for (const name of rule.resourceNames ?? []) {
          single.push({ ...simple, resourceNames: [name] });
        }
      }
    }
    for (const url of rule.nonResourceURLs ?? []) {
      single.push({ nonResourceURLs: [url], verbs: [verb] });
    }
  }
  return single;
}

/** `single` is one that `breakDown` made. */
function ruleCovers(owner: PolicyRule, single: PolicyRule): boolean {
  const [verb = ""] = single.verbs;
  if (!hasOrAll(owner.verbs, verb)) return false;
  const [url] = single.nonResourceURLs ?? [];
  if (url !== undefined) return (owner.nonResourceURLs ?? []).some((own) => urlCovers(own, url));
  const [group = ""] = single.apiGroups ?? [];
  const [resource = ""] = single.resources ?? [];
  if (!hasOrAll(owner.apiGroups, group) || !resourceCovers(owner.resources ?? [], resource)) {
    return false;
  }
  if (!owner.resourceNames?.length) return true;
  const [name] = single.resourceNames ?? [];
  return name !== undefined && owner.resourceNames.includes(name);
}

/** Rules that differ only in their verbs, put together. Expects rules of one group and one resource each. */
export function compactRules(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const compact = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { apiGroups, resources, resourceNames, nonResourceURLs, verbs } = rule;
    // Rules for paths stay apart, as upstream keeps them.
    const apart = nonResourceURLs === undefined ? [] : verbs;
    const key = JSON.stringify([apiGroups, resources, resourceNames, nonResourceURLs, apart]);
    const found = compact.get(key);
    compact.set(key, found === undefined ? rule : { ...rule, verbs: [...found.verbs, ...verbs] });
  }
  return [...compact.values()];
}

/** As in `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function describeRule(rule: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ];
  const text = parts
    .filter(([, values]) => values !== undefined && values.length > 0)
    .map(([name, values]) => `${name}:${describeList(values ?? [])}`);
  return `{${text.join(", ")}}`;
}

/** A list as Go prints it with %q. */
export function describeList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}
