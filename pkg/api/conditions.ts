/** What every kind's conditions have in common. */
export interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export function findCondition<T extends ConditionLike>(
  conditions: readonly T[] | undefined,
  type: string,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True where the condition is there and says "True". */
export function isConditionTrue(
  conditions: readonly ConditionLike[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === "True";
}

/**
 * The conditions with `next` in its place. Its `lastTransitionTime` stays the earlier one while the status is
 * the same; where nothing else differs either, the very same array comes back.
 */
export function withCondition<T extends ConditionLike>(
  conditions: readonly T[] | undefined,
  next: T,
): readonly T[] {
  const before = conditions ?? [];
  const index = before.findIndex((condition) => condition.type === next.type);
  const previous = before[index];
  if (previous === undefined) return [...before, next];
  const kept =
    previous.status === next.status && previous.lastTransitionTime !== undefined
      ? { ...next, lastTransitionTime: previous.lastTransitionTime }
      : next;
  if (sameFields(previous, kept)) return before;
  return before.with(index, kept);
}

function sameFields(a: object, b: object): boolean {
  const left = Object.entries(a);
  const right = new Map(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.get(key) === value);
}

/** The conditions without those of `type`. */
export function withoutCondition<T extends ConditionLike>(
  conditions: readonly T[] | undefined,
  type: string,
): readonly T[] {
  const before = conditions ?? [];
  return before.some((condition) => condition.type === type)
    ? before.filter((condition) => condition.type !== type)
    : before;
}
