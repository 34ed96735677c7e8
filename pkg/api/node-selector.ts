import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
} from "./generated/core-v1.generated.ts";
import { type LabelOperator, matchesSelector } from "./labels.ts";

const operators: Readonly<Record<NodeSelectorRequirement["operator"], LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
  Gt: "gt",
  Lt: "lt",
};

/** Whether one of the terms holds for the node. No term, and a term that says nothing, hold for none. */
export function matchesNodeTerms(
  terms: readonly NodeSelectorTerm[],
  { metadata }: Pick<Node, "metadata">,
): boolean {
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length === 0 && matchFields.length === 0) return false;
    return (
      matchesSelector(matchExpressions.map(toRequirement), metadata.labels) &&
      matchesSelector(matchFields.map(toRequirement), { "metadata.name": metadata.name })
    );
  });
}

function toRequirement({ key, operator, values = [] }: NodeSelectorRequirement) {
  return { key, operator: operators[operator], values };
}
