import { expect, test } from "vitest";
import { type Figure, median, percentile, renderTable } from "./figure.ts";

function lastRow(figure: Figure): string {
  return renderTable([figure]).split("\n").at(-1) ?? "";
}

test("a rate is compared upwards: its ratio is how many times the floor is faster", () => {
  const row = lastRow({
    name: "POST",
    unit: "/s",
    value: 2_000,
    floor: { what: "rows", value: 5_000 },
    budget: 4_000,
    better: "more",
  });
  expect(row).toBe("| POST | 2,000 /s | 5,000 (rows) | 2.50× | ≥ 4,000 | missed 2.0 times over |");
});

test("a duration is compared downwards, and meets its budget when it is not longer", () => {
  const figure = {
    name: "boot",
    unit: "s",
    value: 1,
    floor: { what: "bare", value: 0.5 },
    budget: 1,
    better: "less",
  } as const;
  expect(lastRow(figure)).toBe("| boot | 1.00 s | 0.50 (bare) | 2.00× | ≤ 1.00 | met |");
  expect(lastRow({ ...figure, value: 1.2 })).toContain("missed by 20 %");
});

test("a budget that is missed by a hair is not shown as met", () => {
  const row = lastRow({ name: "x", unit: "ms", value: 100.01, budget: 100, better: "less" });
  expect(row).toContain("missed by 1 %");
});

test("what has neither floor nor budget says so by silence", () => {
  expect(lastRow({ name: "x", unit: "MB", value: 12.34, better: "less" })).toBe(
    "| x | 12.3 MB |  |  |  |  |",
  );
});

test("the median of several runs is one of them", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(percentile([1, 2, 3, 4], 0.99)).toBe(4);
  expect(median([])).toBeNaN();
});
