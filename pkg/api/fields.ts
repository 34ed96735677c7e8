import { ApiError } from "./api-error.ts";

interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** All must hold; empty selects everything. */
export type FieldSelector = readonly FieldRequirement[];

/** Reads `status.phase!=Failed,spec.nodeName=a`; a BadRequest in upstream's words where it cannot. */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === "") continue;
    const split = splitTerm(term);
    if (split === undefined) {
      throw ApiError.badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    requirements.push({
      field: split.field,
      operator: split.operator,
      value: unescapeValue(split.value),
    });
  }
  return requirements;
}

/** `read` gives a field's value; a field that is not there is "". */
export function matchesFieldSelector(
  selector: FieldSelector,
  read: (field: string) => string,
): boolean {
  return selector.every(
    ({ field, operator, value }) => (read(field) === value) === (operator === "="),
  );
}

/** The text that parses to `selector`. */
export function formatFieldSelector(selector: FieldSelector): string {
  return selector
    .map(
      ({ field, operator, value }) =>
        `${field}${operator}${value.replace(/[\\,=]/g, (character) => `\\${character}`)}`,
    )
    .join(",");
}

function splitTerms(text: string): readonly string[] {
  const terms: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === "\\") index += 1;
    else if (text[index] === ",") {
      terms.push(text.slice(start, index));
      start = index + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function splitTerm(
  term: string,
): { field: string; operator: "=" | "!="; value: string } | undefined {
  for (let index = 0; index < term.length; index += 1) {
    const field = term.slice(0, index);
    if (term.startsWith("!=", index))
      return { field, operator: "!=", value: term.slice(index + 2) };
    if (term.startsWith("==", index)) return { field, operator: "=", value: term.slice(index + 2) };
    if (term[index] === "=") return { field, operator: "=", value: term.slice(index + 1) };
  }
  return undefined;
}

function unescapeValue(value: string): string {
  let plain = "";
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index] ?? "";
    if (character === "\\") {
      const escaped = value[index + 1] ?? "";
      if (!["\\", ",", "="].includes(escaped)) {
        throw ApiError.badRequest(
          `invalid field selector: invalid escape sequence in value: ${value}`,
        );
      }
      plain += escaped;
      index += 1;
    } else if (character === "=") {
      throw ApiError.badRequest(`invalid field selector: unescaped character in value: ${value}`);
    } else plain += character;
  }
  return plain;
}
