/** Throws a sentence when an invariant of ours is broken: it is a defect here, never a user's mistake. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${invariant}`);
}

/** Returns `value`, which must be there: a missing one is a defect here. */
export function present<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, `${what} must be there`);
  return value;
}
