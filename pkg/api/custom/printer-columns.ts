import { ageOf, nameColumn } from "../columns.ts";
import type { KubernetesObject } from "../object.ts";
import type { Column } from "../resource.ts";
import type { PrinterColumn } from "./definition.ts";
import { goNumber } from "./go-number.ts";
import { JsonPathError, parseJsonPath, printJsonPathValue } from "./json-path.ts";

type Cell = string | number | boolean | null;

const age: PrinterColumn = {
  name: "Age",
  type: "date",
  description:
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
  jsonPath: ".metadata.creationTimestamp",
};

/** The columns of a custom kind: its name, and what its definition says; else how old an object is. */
export function customColumns(
  columns: readonly PrinterColumn[] | undefined,
): readonly Column<KubernetesObject>[] {
  const own: Column<KubernetesObject>[] = [];
  for (const column of columns === undefined || columns.length === 0 ? [age] : columns) {
    const made = columnOf(column);
    // Upstream shows no columns from the first on that cannot be read.
    if (made === undefined) break;
    own.push(made);
  }
  return [nameColumn, ...own];
}

function columnOf(column: PrinterColumn): Column<KubernetesObject> | undefined {
  const { name, type, format, description = "", priority, jsonPath } = column;
  let path: ReturnType<typeof parseJsonPath>;
  try {
    path = parseJsonPath(jsonPath);
  } catch (caught) {
    if (caught instanceof JsonPathError) return undefined;
    throw caught;
  }
  return {
    name,
    type: type as Column<KubernetesObject>["type"],
    ...(format === undefined ? {} : { format }),
    description:
      description === ""
        ? `Custom resource definition column (in JSONPath format): ${jsonPath}`
        : description,
    ...(priority === undefined ? {} : { priority }),
    cell: (object, nowMs) => cellOf(type, path.find(object)[0], nowMs),
  };
}

/** A value in a column of this type; null where it is of another. */
function cellOf(type: string, value: unknown, nowMs: number): Cell {
  if (value === undefined || value === null) return null;
  switch (type) {
    case "string":
      return typeof value === "number" ? goNumber(value) : printJsonPathValue(value);
    case "integer":
      return typeof value === "number" || typeof value === "bigint" ? truncated(value) : null;
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? dateCell(value, nowMs) : null;
    default:
      return null;
  }
}

function truncated(value: number | bigint): number {
  return Math.trunc(Number(value));
}

function dateCell(value: string, nowMs: number): string {
  if (value === "") return "<unknown>";
  return Number.isNaN(Date.parse(value)) ? "<invalid>" : ageOf(value, nowMs);
}
