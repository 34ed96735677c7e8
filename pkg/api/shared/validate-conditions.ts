import { duplicate, required } from "../field-error.ts";
import type { FieldError } from "../resource.ts";

/** Of a list of conditions each of which may be there once: that it is so, and that each says what it is. */
export function validateConditionTypes(
  conditions: readonly { readonly type?: string }[] | undefined,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  (conditions ?? []).forEach(({ type = "" }, index) => {
    const at = `${path}[${index}].type`;
    if (seen.has(type)) errors.push(duplicate(at, type));
    seen.add(type);
    if (type === "") errors.push(required(at, "must not be empty"));
  });
  return errors;
}
