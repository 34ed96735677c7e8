import { forbidden, notSupported, shownErrorsMax } from "../field-error.ts";
import type { FieldError } from "../resource.ts";

const shortNames: ReadonlyMap<string, string> = new Map([
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
]);

const supported = [...shortNames.keys()].sort();

/** Of a volume or a claim: modes that exist, and ReadWriteOncePod by itself. */
export function validateAccessModes(modes: readonly string[], path: string): readonly FieldError[] {
  const unique = [...new Set(modes)].slice(0, shownErrorsMax);
  const known = unique.filter((mode) => shortNames.has(mode));
  const errors: FieldError[] = unique
    .filter((mode) => !shortNames.has(mode))
    .map((mode) => notSupported(path, mode, supported));
  const isMixed =
    known.includes("ReadWriteOncePod") && known.some((mode) => mode !== "ReadWriteOncePod");
  if (isMixed) errors.push(forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  return errors;
}

/** `RWO,RWX`: each once, always in this order. */
export function printAccessModes(modes: readonly string[] | undefined): string {
  return [...shortNames]
    .filter(([mode]) => modes?.includes(mode))
    .map(([, shortName]) => shortName)
    .join(",");
}

export const volumeModes = ["Block", "Filesystem"];
