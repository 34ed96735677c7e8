import { addAll } from "../base/add-all.ts";
import { ApiError } from "./api-error.ts";
import { forbidden, invalid, invalidEach, isEnough, required } from "./field-error.ts";
import type { LabelSelector } from "./generated/meta-v1.generated.ts";
import { checkLabelValue, checkQualifiedName } from "./names.ts";
import type { FieldError } from "./resource.ts";

export type Labels = Readonly<Record<string, string>>;

export type LabelOperator = "in" | "notin" | "=" | "!=" | "exists" | "!" | "gt" | "lt";

interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** What chooses objects by their labels. All requirements must hold; none at all selects everything. */
export type Selector = { readonly matches: "nothing" } | readonly LabelRequirement[];

export const everything: Selector = [];
/** What an absent label selector stands for: it is not the empty one, which selects everything. */
export const nothing: Selector = { matches: "nothing" };

function ownValue(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

export function matchesSelector(selector: Selector, labels: Labels | undefined): boolean {
  if ("matches" in selector) return false;
  return selector.every((requirement) => holds(requirement, labels));
}

function holds(requirement: LabelRequirement, labels: Labels | undefined): boolean {
  const value = ownValue(labels, requirement.key);
  switch (requirement.operator) {
    case "in":
    case "=":
      return value !== undefined && requirement.values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !requirement.values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt":
      return holdsAsNumber(requirement, value);
  }
}

const integer = /^[+-]?[0-9]+$/;

function holdsAsNumber(requirement: LabelRequirement, value: string | undefined): boolean {
  const bound = requirement.values[0];
  if (value === undefined || bound === undefined) return false;
  if (!integer.test(value) || !integer.test(bound)) return false;
  const difference = BigInt(value.replace("+", "")) - BigInt(bound.replace("+", ""));
  return requirement.operator === "gt" ? difference > 0n : difference < 0n;
}

const operatorsOfExpressions: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** A `LabelSelector` as a value to match with. Absent: nothing; empty: everything. Expects a validated one. */
export function selectorOf(labelSelector: LabelSelector | undefined): Selector {
  if (labelSelector === undefined) return nothing;
  const requirements: LabelRequirement[] = Object.entries(labelSelector.matchLabels ?? {}).map(
    ([key, value]) => ({ key, operator: "=", values: [value] }),
  );
  for (const { key, operator, values } of labelSelector.matchExpressions ?? []) {
    const known = operatorsOfExpressions[operator];
    if (known === undefined) return nothing;
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return requirements;
}

/** Whether labels match a map of labels that an object, like a Service, selects by. */
export function matchesMap(wanted: Labels, labels: Labels | undefined): boolean {
  return Object.keys(wanted).every((key) => ownValue(labels, key) === wanted[key]);
}

/** The text that parses to the selector, sorted by key: what `scale` and columns show. */
export function formatSelector(selector: Selector): string {
  if ("matches" in selector) return "";
  return [...selector]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(formatRequirement)
    .join(",");
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const list = [...values].sort().join(",");
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "=":
      return `${key}=${list}`;
    case "!=":
      return `${key}!=${list}`;
    case "in":
      return `${key} in (${list})`;
    case "notin":
      return `${key} notin (${list})`;
    case "gt":
      return `${key}>${list}`;
    case "lt":
      return `${key}<${list}`;
  }
}

/** A `LabelSelector` as kubectl shows it: `a=b,c in (d,e)`, `<none>` for an absent or empty one. */
export function formatLabelSelector(labelSelector: LabelSelector | undefined): string {
  if (labelSelector === undefined) return "<none>";
  const text = formatSelector(selectorOf(labelSelector));
  return text === "" ? "<none>" : text;
}

// ---- reading a selector from text ------------------------------------------

type Token = { readonly type: "identifier" | "symbol" | "end"; readonly text: string };

const symbols = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
const special = new Set("=!(),><");

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let index = 0;
  while (index < text.length) {
    const character = text[index] ?? "";
    if (/\s/.test(character)) {
      index += 1;
      continue;
    }
    const symbol = symbols.find((candidate) => text.startsWith(candidate, index));
    if (symbol !== undefined) {
      tokens.push({ type: "symbol", text: symbol });
      index += symbol.length;
      continue;
    }
    let end = index;
    while (end < text.length && !special.has(text[end] ?? "") && !/\s/.test(text[end] ?? "")) {
      end += 1;
    }
    tokens.push({ type: "identifier", text: text.slice(index, end) });
    index = end;
  }
  return tokens;
}

class SelectorParser {
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  parse(): readonly LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.peek();
      if (token.type === "end") return requirements;
      if (token.type === "symbol" && token.text !== "!") {
        throw refused(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.requirement());
      const after = this.next();
      if (after.type === "end") return requirements;
      if (after.text !== ",") {
        throw refused(`found '${after.text}', expected: ',' or 'end of string'`);
      }
      const following = this.peek();
      if (following.type !== "identifier" && following.text !== "!") {
        throw refused(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  private requirement(): LabelRequirement {
    let token = this.next();
    const negated = token.type === "symbol" && token.text === "!";
    if (negated) token = this.next();
    if (token.type !== "identifier") {
      throw refusedRequirement(`found '${token.text}', expected: identifier`);
    }
    const key = token.text;
    const problem = checkQualifiedName(key)[0];
    if (problem !== undefined) {
      throw refusedRequirement(`key: Invalid value: ${JSON.stringify(key)}: ${problem}`);
    }
    if (negated) return { key, operator: "!", values: [] };
    const following = this.peek();
    if (following.type === "end" || following.text === ",") {
      return { key, operator: "exists", values: [] };
    }
    return this.comparison(key);
  }

  private comparison(key: string): LabelRequirement {
    const token = this.next();
    switch (token.text) {
      case "in":
      case "notin":
        return checked({ key, operator: token.text, values: this.valueList() });
      case "=":
      case "==":
        return checked({ key, operator: "=", values: [this.value()] });
      case "!=":
        return checked({ key, operator: "!=", values: [this.value()] });
      case ">":
        return checked({ key, operator: "gt", values: [this.value()] });
      case "<":
        return checked({ key, operator: "lt", values: [this.value()] });
      default:
        throw refusedRequirement(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  private value(): string {
    const token = this.peek();
    if (token.type === "end" || token.text === ",") return "";
    if (token.type !== "identifier") {
      throw refusedRequirement(`found '${token.text}', expected: identifier`);
    }
    this.next();
    return token.text;
  }

  private valueList(): readonly string[] {
    const open = this.next();
    if (open.text !== "(" || open.type !== "symbol") {
      throw refusedRequirement(`found '${open.text}', expected: '('`);
    }
    const values: string[] = [];
    let expectsValue = true;
    for (;;) {
      const token = this.next();
      if (token.type === "identifier") {
        if (!expectsValue) throw refusedRequirement(`found '${token.text}', expected: ',' or ')'`);
        values.push(token.text);
        expectsValue = false;
      } else if (token.text === ",") {
        if (expectsValue) values.push("");
        expectsValue = true;
      } else if (token.text === ")") {
        if (expectsValue && values.length > 0) values.push("");
        return values;
      } else throw refusedRequirement(`found '${token.text}', expected: ',', ')' or identifier`);
    }
  }

  private peek(): Token {
    return this.tokens[this.position] ?? { type: "end", text: "" };
  }

  private next(): Token {
    const token = this.peek();
    this.position += 1;
    return token;
  }
}

function refused(message: string): ApiError {
  return ApiError.badRequest(message);
}

function refusedRequirement(message: string): ApiError {
  return ApiError.badRequest(`unable to parse requirement: ${message}`);
}

function checked(requirement: LabelRequirement): LabelRequirement {
  const { operator, values } = requirement;
  if ((operator === "in" || operator === "notin") && values.length === 0) {
    throw refusedRequirement(
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    );
  }
  if (operator === "gt" || operator === "lt") {
    const value = values[0] ?? "";
    if (!integer.test(value)) {
      throw refusedRequirement(
        `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    }
  }
  values.forEach((value, index) => {
    const problem = checkLabelValue(value)[0];
    if (problem !== undefined) {
      throw refusedRequirement(
        `values[${index}][${requirement.key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`,
      );
    }
  });
  return requirement;
}

/** Reads `app=web,tier in (a,b),!old`; a BadRequest in upstream's words where it cannot. */
export function parseSelector(text: string): Selector {
  return new SelectorParser(text).parse();
}

// ---- validation -------------------------------------------------------------

export function validateLabels(labels: Labels | undefined, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    if (isEnough(errors)) break;
    addAll(errors, invalidEach(path, key, checkQualifiedName(key)));
    const value = labels[key] ?? "";
    addAll(errors, invalidEach(path, value, checkLabelValue(value)));
  }
  return errors;
}

/**
 * Whether a requirement on labels has as many values as its operator takes; undefined for an operator that is not one
 * of label selectors.
 */
export function validateValueCount(
  operator: string,
  values: readonly string[],
  path: string,
): readonly FieldError[] | undefined {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length > 0) return [];
      return [required(path, "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist":
      if (values.length === 0) return [];
      return [
        forbidden(path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
      ];
    default:
      return undefined;
  }
}

/** Of a `LabelSelector` in a spec. */
export function validateLabelSelector(
  selector: LabelSelector | undefined,
  path: string,
): readonly FieldError[] {
  if (selector === undefined) return [];
  const errors: FieldError[] = [...validateLabels(selector.matchLabels, `${path}.matchLabels`)];
  (selector.matchExpressions ?? []).forEach((expression, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const values = expression.values ?? [];
    errors.push(
      ...(validateValueCount(expression.operator, values, `${at}.values`) ?? [
        invalid(`${at}.operator`, expression.operator, "not a valid selector operator"),
      ]),
    );
    addAll(errors, invalidEach(`${at}.key`, expression.key, checkQualifiedName(expression.key)));
    values.forEach((value, valueIndex) => {
      addAll(errors, invalidEach(`${at}.values[${valueIndex}]`, value, checkLabelValue(value)));
    });
  });
  return errors;
}
