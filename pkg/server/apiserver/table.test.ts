import { expect, test } from "vitest";
import type { KubernetesObject } from "../../api/object.ts";
import type { Column } from "../../api/resource.ts";
import { includeObjectOf, partialMetadataList, tableOf } from "./table.ts";

const thing: KubernetesObject = {
  apiVersion: "example.com/v1",
  kind: "Thing",
  metadata: {
    name: "a",
    uid: "1",
    resourceVersion: "2",
    creationTimestamp: "2026-01-02T00:00:00Z",
  },
};
const nowMs = Date.parse("2026-01-02T01:00:00Z");
const kindColumn: Column<KubernetesObject> = {
  name: "Kind",
  type: "string",
  priority: 1,
  cell: (object) => object.kind,
};

test("a table has the kind's columns, and a row for each object", () => {
  const table = tableOf({ columns: [kindColumn] }, [thing, thing], {
    includeObject: "None",
    nowMs,
    listMeta: { resourceVersion: "7" },
  });
  expect(table).toEqual({
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: "7" },
    columnDefinitions: [{ name: "Kind", type: "string", format: "", description: "", priority: 1 }],
    rows: [{ cells: ["Thing"] }, { cells: ["Thing"] }],
  });
});

test("rows may stand in an order of their own", () => {
  const named = (name: string) => ({ ...thing, metadata: { ...thing.metadata, name } });
  const compareRows = (a: KubernetesObject, b: KubernetesObject) =>
    a.metadata.name < b.metadata.name ? 1 : -1;
  const resource = { columns: [], compareRows };
  const objects = [named("a"), named("b")];
  const { rows } = tableOf(resource, objects, { includeObject: "None", nowMs });
  expect(rows.map(({ cells }) => cells[0])).toEqual(["b", "a"]);
  expect(objects[0]?.metadata.name).toBe("a");
});

test("a kind without columns has a name, and when it was created", () => {
  const table = tableOf({ columns: [] }, [thing], { includeObject: "None", nowMs });
  expect(table.columnDefinitions?.map(({ name, type }) => [name, type])).toEqual([
    ["Name", "string"],
    ["Created At", "date"],
  ]);
  expect(table.rows[0]?.cells).toEqual(["a", "2026-01-02T00:00:00Z"]);
});

test("a row brings along what was asked for of its object", () => {
  const object = (includeObject: "Metadata" | "Object") =>
    tableOf({ columns: [] }, [thing], { includeObject, nowMs }).rows[0]?.object;
  expect(object("Object")).toBe(thing);
  expect(object("Metadata")).toEqual({
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: thing.metadata,
  });
});

test("the later events of a watch do not repeat the columns", () => {
  const options = { includeObject: "None", nowMs, headers: false, metaVersion: "v1beta1" } as const;
  expect(tableOf({ columns: [] }, [thing], options)).toMatchObject({
    apiVersion: "meta.k8s.io/v1beta1",
    columnDefinitions: null,
  });
});

test("includeObject is Metadata unless the query says otherwise", () => {
  expect([null, "", "None", "Object", "nonsense"].map(includeObjectOf)).toEqual([
    "Metadata",
    "Metadata",
    "None",
    "Object",
    undefined,
  ]);
});

test("a list of metadata is a list of partial objects", () => {
  expect(partialMetadataList([thing], { resourceVersion: "7" })).toMatchObject({
    kind: "PartialObjectMetadataList",
    items: [{ kind: "PartialObjectMetadata", metadata: { name: "a" } }],
  });
});
