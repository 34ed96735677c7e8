import type { FieldError } from "../resource.ts";

const fieldManagerCharactersMax = 128;

/** What is wrong with the name of one who owns fields. */
export function fieldManagerErrors(fieldManager: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(fieldManager) > fieldManagerCharactersMax) {
    errors.push({
      type: "Too long",
      path: "fieldManager",
      detail: `may not be more than ${fieldManagerCharactersMax} bytes`,
    });
  }
  let position = 0;
  for (const character of fieldManager) {
    if (character !== " " && /[\p{C}\p{Z}]/u.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      errors.push({
        type: "Invalid value",
        path: "fieldManager",
        value: fieldManager,
        detail: `invalid character U+${code} (at position ${position})`,
      });
    }
    position += Buffer.byteLength(character);
  }
  return errors;
}
