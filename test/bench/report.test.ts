import { expect, test } from "vitest";
import { renderTable } from "./figure.ts";
import { mergeRows } from "./report.ts";

const row = (name: string, value: number) => ({ name, value, unit: "ms", better: "less" }) as const;

test("one section measured again replaces its own rows and leaves the others where they are", () => {
  const before = renderTable([row("boot", 1), row("GET", 2), row("idle", 3)]);
  const after = mergeRows(`some text\n${before}\n`, renderTable([row("GET", 20), row("new", 4)]));
  expect(after).toBe(renderTable([row("boot", 1), row("GET", 20), row("idle", 3), row("new", 4)]));
});
