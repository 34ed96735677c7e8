import type { Taint, Toleration } from "../generated/core-v1.generated.ts";

/** Whether a toleration speaks of this taint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { effect, key, operator } = toleration;
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key !== undefined && key !== "" && key !== taint.key) return false;
  switch (operator ?? "") {
    case "Exists":
      return true;
    case "":
    case "Equal":
      // An empty key stands for every key only together with Exists.
      return key === taint.key && (toleration.value ?? "") === (taint.value ?? "");
    default:
      // Kubernetes has comparisons (Gt, Lt) switched off: no Pod is let in with one, and it would tolerate nothing.
      return false;
  }
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
