import type { ScopedResourceSelectorRequirement } from "../../../../api/generated/core-v1.generated.ts";

/** What a namespace may have only where a quota of its own says so. */
export interface LimitedResource {
  readonly apiGroup: string;
  /** Lower-case plural. */
  readonly resource: string;
  /** Parts of the names of what is counted: `.storageclass.storage.k8s.io/requests.storage`. */
  readonly matchContains: readonly string[];
  readonly matchScopes: readonly ScopedResourceSelectorRequirement[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads upstream's `ResourceQuotaConfiguration`; throws an Error that names what is wrong. */
export function readLimitedResources(value: unknown): readonly LimitedResource[] {
  const { limitedResources = [] } = (value ?? {}) as Fields;
  if (!Array.isArray(limitedResources)) throw new Error("limitedResources is no list");
  return limitedResources.map((each, index) => {
    const {
      apiGroup = "",
      resource,
      matchContains = [],
      matchScopes = [],
    } = (each ?? {}) as Fields;
    const path = `limitedResources[${index}]`;
    if (typeof resource !== "string" || resource === "") {
      throw new Error(`${path}.resource: Required value`);
    }
    if (!Array.isArray(matchContains)) throw new Error(`${path}.matchContains is no list`);
    if (!Array.isArray(matchScopes)) throw new Error(`${path}.matchScopes is no list`);
    return {
      apiGroup: String(apiGroup),
      resource,
      matchContains: matchContains.map(String),
      matchScopes: matchScopes.map((scope, at) => readScope(scope, `${path}.matchScopes[${at}]`)),
    };
  });
}

const operators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

function readScope(value: unknown, path: string): ScopedResourceSelectorRequirement {
  const { scopeName, operator, values = [] } = (value ?? {}) as Fields;
  const known = operators.find((each) => each === operator);
  if (known === undefined) {
    throw new Error(`${path}.operator is ${String(operator)}: use one of ${operators.join(", ")}`);
  }
  if (!Array.isArray(values)) throw new Error(`${path}.values is no list`);
  // A scope that no kind knows is one that nothing is in.
  const name = String(scopeName) as ScopedResourceSelectorRequirement["scopeName"];
  return { scopeName: name, operator: known, values: values.map(String) };
}
