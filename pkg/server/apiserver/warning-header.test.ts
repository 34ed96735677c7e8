import { describe, expect, test } from "vitest";
import { warningHeader } from "./warning-header.ts";

test.each<[string, string[], string]>([
  ["one", ["a is deprecated"], '299 - "a is deprecated"'],
  ["each once, in order", ["b", "a", "b"], '299 - "b", 299 - "a"'],
  ["quotes and backslashes", ['say "a\\b"'], '299 - "say \\"a\\\\b\\""'],
  ["lines that end", ["a\r\nSet-Cookie: b"], '299 - "a  Set-Cookie: b"'],
  ["nothing to say", [""], ""],
])("%s", (_what, warnings, header) => {
  expect(warningHeader(warnings)).toBe(header);
});

test("text of any language arrives as UTF-8", () => {
  const value = warningHeader(["größer"]);
  expect(Buffer.from(value, "latin1").toString("utf8")).toBe('299 - "größer"');
});

describe("what is too long", () => {
  const long = (letter: string, length: number) => letter.repeat(length);

  test("is shown in full up to a limit", () => {
    expect(warningHeader([long("a", 4096)])).toBe(`299 - "${long("a", 4096)}"`);
    expect(warningHeader([long("a", 4097)])).toBe(`299 - "${long("a", 256)}"`);
  });

  test("shortens all, and ends where there are too many", () => {
    const warnings = Array.from({ length: 30 }, (_, index) =>
      long(String.fromCharCode(97 + index), 300),
    );
    const shown = warningHeader(warnings).split(", ");
    expect(shown).toHaveLength(16);
    expect(shown[0]).toBe(`299 - "${long("a", 256)}"`);
  });
});
