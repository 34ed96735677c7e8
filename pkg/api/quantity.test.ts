import { describe, expect, test } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  canonicalResourceQuantity,
  compareQuantities,
  formatQuantity,
  milliUnits,
  parseQuantity,
  wholeUnits,
} from "./quantity.ts";

describe("a quantity is printed in its one canonical form", () => {
  test.each([
    ["0", "0"],
    ["0Mi", "0"],
    ["1", "1"],
    ["1000m", "1"],
    ["100m", "100m"],
    ["1500m", "1500m"],
    ["0.5", "500m"],
    [".5", "500m"],
    ["5.", "5"],
    ["+3", "3"],
    ["1000", "1k"],
    ["12000", "12k"],
    ["12345", "12345"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["0.5Ki", "512"],
    ["1023Ki", "1023Ki"],
    ["1e3", "1e3"],
    ["1E3", "1e3"],
    ["12e-1", "1200e-3"],
    ["1E", "1E"],
    ["-1", "-1"],
    ["-1500m", "-1500m"],
    ["0.1n", "1n"],
    ["100000000000000000000", "9223372036854775807"],
    ["1e999999999", "9223372036854775807"],
    ["1e-999999999", "1e-9"],
    ["0005", "5"],
  ])("%s is %s", (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
    expect(canonicalQuantity(canonical)).toBe(canonical);
  });
});

describe("what is no quantity is refused in upstream's words", () => {
  test.each([
    ["", /must match the regular expression/],
    ["lots", /must match the regular expression/],
    ["1 Gi", /must match the regular expression/],
    ["1.2.3", /must match the regular expression/],
    ["1Gb", /must match the regular expression/],
    ["-", /unable to parse numeric part/],
    ["Mi", /unable to parse numeric part/],
    ["1mm", /unable to parse quantity's suffix/],
    ["1KiB", /must match the regular expression/],
    ["1K", /unable to parse quantity's suffix/],
  ])("%j", (text, message) => {
    expect(() => parseQuantity(text)).toThrow(message);
  });
});

test("amounts in resource lists are rounded up to thousandths", () => {
  expect(canonicalResourceQuantity("0.0001")).toBe("1m");
  expect(canonicalResourceQuantity("1024Mi")).toBe("1Gi");
});

test("amounts are compared, added and counted without loss", () => {
  expect(compareQuantities(parseQuantity("1"), parseQuantity("1000m"))).toBe(0);
  expect(compareQuantities(parseQuantity("1G"), parseQuantity("1Gi"))).toBeLessThan(0);
  expect(formatQuantity(addQuantities(parseQuantity("1Gi"), parseQuantity("512Mi")))).toBe(
    "1536Mi",
  );
  expect(formatQuantity(addQuantities(parseQuantity("0"), parseQuantity("1Gi")))).toBe("1Gi");
  expect(wholeUnits(parseQuantity("1Gi"))).toBe(2 ** 30);
  expect(milliUnits(parseQuantity("1.5"))).toBe(1500);
});
