import type { Taint, Toleration } from "../generated/core-v1.generated.ts";

/** Whether a toleration speaks of this taint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { effect, key, operator } = toleration;
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key !== undefined && key !== "" && key !== taint.key) return false;
  switch (operator) {
    case "Exists":
      return true;
    case "Gt":
    case "Lt":
      return comparesTo(operator, taint.value, toleration.value);
    default:
      // An empty key stands for every key only together with Exists.
      return key === taint.key && (toleration.value ?? "") === (taint.value ?? "");
  }
}

function comparesTo(
  operator: "Gt" | "Lt",
  value: string | undefined,
  bound: string | undefined,
): boolean {
  const integer = /^-?(0|[1-9][0-9]*)$/;
  if (value === undefined || bound === undefined) return false;
  if (!integer.test(value) || !integer.test(bound)) return false;
  const difference = BigInt(value) - BigInt(bound);
  return operator === "Gt" ? difference > 0n : difference < 0n;
}

/** The first of the taints with one of these effects that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly Taint["effect"][],
): Taint | undefined {
  return taints?.find(
    (taint) =>
      effects.includes(taint.effect) &&
      tolerations?.some((toleration) => tolerates(toleration, taint)) !== true,
  );
}
