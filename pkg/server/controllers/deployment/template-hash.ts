import type { PodTemplateSpec } from "../../../api/generated/core-v1.generated.ts";
import { isJsonObject } from "../../../api/patch/json-value.ts";

/** The label that tells the pods of one template from those of another. */
export const templateHashLabel = "pod-template-hash";

/** Upstream's alphabet for names that a machine makes: no vowels, nothing that looks like something else. */
const safeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** The same for the same template and count, short, and fit for a name; `collisions` gives a template another one. */
export function templateHash(template: PodTemplateSpec, collisions: number | undefined): string {
  const hash = fnv32a(canonicalJson(template) + (collisions === undefined ? "" : `#${collisions}`));
  return [...String(hash)]
    .map((digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length])
    .join("");
}

function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, child: unknown) =>
    isJsonObject(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
      : child,
  );
}
