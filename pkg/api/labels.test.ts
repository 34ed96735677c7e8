import { describe, expect, test } from "vitest";
import {
  everything,
  formatLabelSelector,
  formatSelector,
  matchesMap,
  matchesSelector,
  nothing,
  parseSelector,
  selectorOf,
  validateLabelSelector,
} from "./labels.ts";

describe("a selector chooses by labels", () => {
  const labels = { app: "web", tier: "front", version: "12" };
  test.each<[string, boolean]>([
    ["", true],
    ["app=web", true],
    ["app==web", true],
    ["app = web , tier", true],
    ["app!=web", false],
    ["other!=web", true],
    ["app in (web,api)", true],
    ["app in (api)", false],
    ["app notin (api)", true],
    ["missing notin (api)", true],
    ["app", true],
    ["!app", false],
    ["!missing", true],
    ["missing", false],
    ["version>11", true],
    ["version<12", false],
    ["app=", false],
    ["constructor", false],
    ["in=web", false],
  ])("%j: %s", (text, chosen) => {
    expect(matchesSelector(parseSelector(text), labels)).toBe(chosen);
  });

  test("no labels at all are like empty ones", () => {
    expect(matchesSelector(everything, undefined)).toBe(true);
    expect(matchesSelector(parseSelector("a"), undefined)).toBe(false);
    expect(matchesMap({ app: "web" }, undefined)).toBe(false);
  });
});

describe("what is no selector is refused in upstream's words", () => {
  test.each([
    ["a in", "unable to parse requirement: found '', expected: '('"],
    ["a,", "found '', expected: identifier after ','"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    [
      "a in ()",
      "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    ],
    ["(a)", "found '(', expected: !, identifier, or 'end of string'"],
    [
      "a>b",
      "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ])("%s", (text, message) => {
    expect(() => parseSelector(text)).toThrow(message);
  });

  test("a key that can be none", () => {
    expect(() => parseSelector("-a=b")).toThrow(/^unable to parse requirement: key: Invalid value/);
    expect(() => parseSelector(`a=${"x".repeat(64)}`)).toThrow(/must be no more than 63 bytes$/);
  });
});

test("an absent label selector chooses nothing, an empty one everything", () => {
  expect(selectorOf(undefined)).toBe(nothing);
  expect(matchesSelector(selectorOf({}), {})).toBe(true);
  expect(matchesSelector(selectorOf(undefined), {})).toBe(false);
});

test("a selector is printed so that it can be read back", () => {
  const selector = selectorOf({
    matchLabels: { b: "c", a: "b" },
    matchExpressions: [
      { key: "d", operator: "In", values: ["y", "x"] },
      { key: "e", operator: "DoesNotExist" },
    ],
  });
  expect(formatSelector(selector)).toBe("a=b,b=c,d in (x,y),!e");
  expect(formatSelector(parseSelector(formatSelector(selector)))).toBe("a=b,b=c,d in (x,y),!e");
  expect(formatLabelSelector({})).toBe("<none>");
});

test("a label selector in a spec is checked", () => {
  expect(
    validateLabelSelector(
      {
        matchLabels: { "a b": "c" },
        matchExpressions: [
          { key: "a", operator: "In" },
          { key: "a", operator: "Exists", values: ["b"] },
          { key: "a", operator: "Is" },
        ],
      },
      "spec.selector",
    ).map(({ path, type }) => `${path}: ${type}`),
  ).toEqual([
    "spec.selector.matchLabels: Invalid value",
    "spec.selector.matchExpressions[0].values: Required value",
    "spec.selector.matchExpressions[1].values: Forbidden",
    "spec.selector.matchExpressions[2].operator: Invalid value",
  ]);
});
