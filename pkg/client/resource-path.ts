import { type ObjectKey, splitKey } from "../api/object.ts";

interface Addressed {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** The path of a kind's collection, in one namespace or in all: `/apis/apps/v1/namespaces/default/deployments`. */
export function collectionPath(resource: Addressed, namespace: string | undefined): string {
  const root = resource.group === "" ? "/api" : `/apis/${encodeURIComponent(resource.group)}`;
  const scope =
    namespace === undefined || namespace === ""
      ? ""
      : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${resource.version}${scope}/${resource.plural}`;
}

/** The path of one object, or of its `subresource`. */
export function objectPath(resource: Addressed, key: ObjectKey, subresource?: string): string {
  const { namespace, name } = splitKey(key);
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `?name=value&…` of those that are given; "" where none is. */
export function queryString(
  parameters: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const given = Object.entries(parameters).filter(
    ([, value]) => value !== undefined && value !== "",
  );
  if (given.length === 0) return "";
  return `?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}`;
}
