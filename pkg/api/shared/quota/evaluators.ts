import type { KubernetesObject } from "../../object.ts";
import { groupResourceOf } from "../../resource.ts";
import { one } from "./amounts.ts";
import { claimEvaluator } from "./claim-evaluator.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { podEvaluator } from "./pod-evaluator.ts";
import { serviceEvaluator } from "./service-evaluator.ts";

/** What is never stored, and what never was counted. */
const ignored: ReadonlySet<string> = new Set([
  "bindings",
  "componentstatuses",
  "events",
  "events.events.k8s.io",
  "localsubjectaccessreviews.authorization.k8s.io",
  "selfsubjectaccessreviews.authorization.k8s.io",
  "selfsubjectreviews.authentication.k8s.io",
  "selfsubjectrulesreviews.authorization.k8s.io",
  "subjectaccessreviews.authorization.k8s.io",
  "tokenreviews.authentication.k8s.io",
]);

/** Kinds that were counted by their plain names before `count/` was. */
const plainlyNamed: ReadonlySet<string> = new Set([
  "configmaps",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
]);

const own = new Map<string, unknown>([
  ["pods", podEvaluator],
  ["services", serviceEvaluator],
  ["persistentvolumeclaims", claimEvaluator],
]);
const counters = new Map<string, QuotaEvaluator>();

/** How a kind counts against quotas: most by their number alone. Undefined for what does not count. */
export function evaluatorOf(resource: {
  readonly group: string;
  readonly plural: string;
}): QuotaEvaluator | undefined {
  const name = groupResourceOf(resource);
  if (ignored.has(name)) return undefined;
  const evaluator = own.get(name) as QuotaEvaluator | undefined;
  if (evaluator !== undefined) return evaluator;
  const counter = counters.get(name) ?? counterOf(name);
  counters.set(name, counter);
  return counter;
}

function counterOf(name: string): QuotaEvaluator {
  const names = [`count/${name}`, ...(plainlyNamed.has(name) ? [name] : [])];
  const usage = new Map(names.map((counted) => [counted, one]));
  return {
    counts: (counted) => names.includes(counted),
    usage: (_object: KubernetesObject) => usage,
  };
}
