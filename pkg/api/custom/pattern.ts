import { RE2JS } from "re2js";

/** Answers whether a text holds a match, in time linear in its length, whatever the pattern. */
export interface Pattern {
  test(text: string): boolean;
}

/** Go's syntax and Go's engine: a JavaScript RegExp reads other things into a pattern, and can be made to run for years. */
export function compilePattern(source: string): Pattern {
  return RE2JS.compile(source);
}

/** What Go says of a pattern that it cannot read; undefined where it can. */
export function patternProblem(source: string): string | undefined {
  try {
    RE2JS.compile(source);
    return undefined;
  } catch (caught) {
    return caught instanceof Error ? caught.message : String(caught);
  }
}
