import type { DuplicateKeys } from "./json-parser.ts";

/** More are not told. */
const toldMax = 100;

/** Of a value whose form nobody knows: where each key that was written twice stands, in Kubernetes' words, each once. */
export function duplicateFields(value: unknown, duplicates: DuplicateKeys): readonly string[] {
  const told = new Set<string>();
  collect(value, duplicates, "", told);
  return [...told];
}

function collect(value: unknown, duplicates: DuplicateKeys, path: string, told: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      collect(item, duplicates, `${path}[${index}]`, told);
    }
    return;
  }
  const within = path === "" ? "" : `${path}.`;
  for (const { key } of duplicates.get(value) ?? []) {
    if (told.size < toldMax) told.add(`duplicate field "${within}${key}"`);
  }
  for (const [key, inner] of Object.entries(value)) {
    collect(inner, duplicates, `${within}${key}`, told);
  }
}
