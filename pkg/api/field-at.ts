import type { Field, FieldType, ObjectSchema } from "./schema.ts";

/**
 * The type of what stands at a path, e.g. `["spec", "containers", 0, "ports"]`; undefined where the schema knows nothing
 * of it. An item of a list is meant by any number, a value of a map by any key.
 */
export function typeAt(
  schema: ObjectSchema,
  path: readonly (string | number)[],
): FieldType | undefined {
  let type: FieldType = { kind: "object", schema: () => schema };
  for (const step of path) {
    const next = stepInto(type, step);
    if (next === undefined) return undefined;
    type = next;
  }
  return type;
}

/** The field that a path ends with; undefined where that is no field, but an item, or a value of a map. */
export function fieldAt(
  schema: ObjectSchema,
  path: readonly (string | number)[],
): Field | undefined {
  const last = path.at(-1);
  const holder = typeAt(schema, path.slice(0, -1));
  if (holder?.kind !== "object" || typeof last !== "string") return undefined;
  return holder.schema().fields.get(last);
}

function stepInto(type: FieldType, step: string | number): FieldType | undefined {
  switch (type.kind) {
    case "object":
      return typeof step === "string" ? type.schema().fields.get(step)?.type : undefined;
    case "list":
      return typeof step === "number" ? type.item : undefined;
    case "map":
      return typeof step === "string" ? type.value : undefined;
    case "any":
      return type;
    default:
      return undefined;
  }
}
