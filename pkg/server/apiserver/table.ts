import { createdAtColumn, nameColumn } from "../../api/columns.ts";
import type { KubernetesObject, ObjectMeta } from "../../api/object.ts";
import { apiVersionOf, type Column, type ResourceDefinition } from "../../api/resource.ts";

/** Answers of `kubectl get`: `meta.k8s.io/v1` Table. */
export interface Table {
  readonly kind: "Table";
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  /** Null where they were sent before, on the same watch. */
  readonly columnDefinitions: readonly TableColumn[] | null;
  readonly rows: readonly TableRow[];
}

export interface ListMeta {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

interface TableRow {
  readonly cells: readonly (string | number | boolean | null)[];
  readonly object?: unknown;
}

/** What of each object goes along with its row. */
export type IncludeObject = "None" | "Metadata" | "Object";

export interface TableOptions {
  readonly includeObject: IncludeObject;
  /** For ages. */
  readonly nowMs: number;
  readonly listMeta?: ListMeta;
  readonly metaVersion?: "v1" | "v1beta1";
  /** False for the later events of a watch. */
  readonly headers?: boolean;
}

const defaultColumns: readonly Column<KubernetesObject>[] = [nameColumn, createdAtColumn];

/** The columns of `kubectl get`: a kind that names none has a name, and when it was created. */
function columnsOf<T extends KubernetesObject>(
  resource: Pick<ResourceDefinition<T>, "columns">,
): readonly Column<T>[] {
  return resource.columns.length === 0 ? defaultColumns : resource.columns;
}

/** One row for each object, in their order, or in that which the kind has for rows. */
export function tableOf<T extends KubernetesObject>(
  resource: Pick<ResourceDefinition<T>, "columns" | "compareRows">,
  objects: Iterable<T>,
  options: TableOptions,
): Table {
  const { head, rows } = tableInRows(resource, objects, options);
  return { ...head, rows: [...rows] };
}

/** The same, with rows that are made as they are read, once. */
export function tableInRows<T extends KubernetesObject>(
  resource: Pick<ResourceDefinition<T>, "columns" | "compareRows">,
  objects: Iterable<T>,
  options: TableOptions,
): { readonly head: Omit<Table, "rows">; readonly rows: Iterable<TableRow> } {
  const columns = columnsOf(resource);
  const metaVersion = `meta.k8s.io/${options.metaVersion ?? "v1"}`;
  const { compareRows } = resource;
  const ordered = compareRows === undefined ? objects : [...objects].sort(compareRows);
  const head: Omit<Table, "rows"> = {
    kind: "Table",
    apiVersion: metaVersion,
    metadata: options.listMeta ?? {},
    columnDefinitions: options.headers === false ? null : columns.map(definitionOf),
  };
  return { head, rows: rowsOf(columns, ordered, options, metaVersion) };
}

function* rowsOf<T extends KubernetesObject>(
  columns: readonly Column<T>[],
  objects: Iterable<T>,
  options: TableOptions,
  metaVersion: string,
): Generator<TableRow> {
  for (const object of objects) yield rowOf(columns, object, options, metaVersion);
}

function definitionOf<T>(column: Column<T>): TableColumn {
  return {
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description ?? "",
    priority: column.priority ?? 0,
  };
}

function rowOf<T extends KubernetesObject>(
  columns: readonly Column<T>[],
  object: T,
  options: TableOptions,
  metaVersion: string,
): TableRow {
  const cells = columns.map((column) => column.cell(object, options.nowMs));
  switch (options.includeObject) {
    case "None":
      return { cells };
    case "Object":
      return { cells, object };
    case "Metadata":
      return { cells, object: partialMetadata(object, metaVersion) };
  }
}

/** `includeObject` as the query parameter says it; undefined for a word it does not know. */
export function includeObjectOf(parameter: string | null): IncludeObject | undefined {
  if (parameter === null || parameter === "") return "Metadata";
  const known = parameter === "None" || parameter === "Metadata" || parameter === "Object";
  return known ? parameter : undefined;
}

/** An object of which only the metadata was asked for. */
export interface PartialObjectMetadata {
  readonly kind: "PartialObjectMetadata";
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
}

export function partialMetadata(
  object: KubernetesObject,
  apiVersion = "meta.k8s.io/v1",
): PartialObjectMetadata {
  return { kind: "PartialObjectMetadata", apiVersion, metadata: object.metadata };
}

/** A list of which only the metadata was asked for. */
export function partialMetadataList(
  objects: Iterable<KubernetesObject>,
  listMeta: ListMeta,
  apiVersion = "meta.k8s.io/v1",
): unknown {
  const items = Array.from(objects, (object) => partialMetadata(object, apiVersion));
  return { kind: "PartialObjectMetadataList", apiVersion, metadata: listMeta, items };
}

/** The kind of a list of a resource, as in `PodList`. */
export function listKindOf(
  resource: Pick<ResourceDefinition, "group" | "version" | "kind" | "listKind">,
): {
  readonly kind: string;
  readonly apiVersion: string;
} {
  return { kind: resource.listKind ?? `${resource.kind}List`, apiVersion: apiVersionOf(resource) };
}
