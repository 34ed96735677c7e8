import type { FieldType } from "../../schema.ts";
import { difference, type FieldSet, intersection, union } from "./field-set.ts";
import { withNamedFields } from "./named-fields.ts";
import { removeItems } from "./remove-items.ts";
import { toFieldSet } from "./to-field-set.ts";

/**
 * The merged value without what its manager applied last time and leaves out now, where nobody else owns it.
 * `owned` is what all managers own now, the applier with what it applies now among them.
 */
export function prune(
  type: FieldType,
  merged: unknown,
  appliedBefore: FieldSet,
  owned: FieldSet,
): unknown {
  if (appliedBefore.size === 0) return merged;
  const before = withNamedFields(type, appliedBefore);
  const all = withNamedFields(type, toFieldSet(type, merged));
  const fields = (value: unknown): FieldSet => withNamedFields(type, toFieldSet(type, value));

  const stripped = removeItems(type, merged, before);
  // What others own comes back, with what leads to it …
  const kept = union(fields(stripped), withNamedFields(type, owned));
  const restored = removeItems(type, merged, difference(all, kept));
  // … and so does what went only because it stood in something that went, and was never applied by this manager.
  return removeItems(type, merged, intersection(difference(all, fields(restored)), before));
}
