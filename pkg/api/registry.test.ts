import { expect, test } from "vitest";
import { allResources } from "./registry.generated.ts";
import { apiVersionOf, groupResourceOf } from "./resource.ts";

test("no two kinds have the same name, path or short name", () => {
  const names = allResources.flatMap((resource) => [
    `${apiVersionOf(resource)} ${resource.kind}`,
    // A kind's versions share its names.
    ...(resource.storedAs === undefined ? [groupResourceOf(resource), ...resource.shortNames] : []),
  ]);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("each kind's schema is of the built-in type of that name", () => {
  for (const { kind, schema } of allResources) expect(schema.object.goType).toBe(kind);
});

test("a kind that can be listed has columns, and one that is only answered has none", () => {
  for (const { kind, storage, columns, verbs } of allResources) {
    const shown = columns.filter(({ name, format }) => name === "Name" && format === "name").length;
    expect([kind, shown]).toEqual([kind, verbs.includes("list") ? 1 : 0]);
    if (storage === "none" && shown === 0) expect([kind, verbs]).toEqual([kind, ["create"]]);
  }
});
