import { type JsonSchema, propertyOf, valuesOf } from "./json-schema.ts";

export type SelectablePath =
  | { readonly outcome: "found"; readonly steps: readonly string[]; readonly schema: JsonSchema }
  /** In upstream's words. */
  | { readonly outcome: "problem"; readonly problem: string };

const notAField = "does not refer to a valid field";

/** Follows a path such as `.spec.color` through a schema. */
export function selectablePath(path: string, root: JsonSchema): SelectablePath {
  const tokens = path.match(/[.[\]]|[^.[\]]+/g) ?? [];
  const steps: string[] = [];
  let schema = root;
  for (let at = 0; at < tokens.length; at += 2) {
    const token = tokens[at] ?? "";
    if (token === "[") return { outcome: "problem", problem: "array notation is not allowed" };
    if (token !== ".") return { outcome: "problem", problem: `expected [ or . but got: ${token}` };
    const name = tokens[at + 1];
    if (name === undefined) return { outcome: "problem", problem: "unexpected end of JSON path" };
    const next = schema.properties === undefined ? valuesOf(schema) : propertyOf(schema, name);
    if (next === undefined) return { outcome: "problem", problem: notAField };
    steps.push(name);
    schema = next;
  }
  return { outcome: "found", steps, schema };
}
