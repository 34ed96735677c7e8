import { expect, test } from "vitest";
import { configMapResource } from "../../api/resources/configmap.ts";
import type { StoredObject } from "./hub.ts";
import { listItemsOf } from "./list-item.ts";

function stored(text: string): StoredObject {
  const object: StoredObject = {
    key: "configmaps/default/a",
    revision: 1,
    createRevision: 1,
    json: Buffer.from(text),
    value: JSON.parse(text),
    encoded: (_form, make) => make(object),
  };
  return object;
}

test.each([
  '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"kind":"x"}}',
  '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"kind":"x"}}',
  '{"metadata":{"name":"a"},"data":{"kind":"x"},"kind":"ConfigMap","apiVersion":"v1"}',
])("an item does not say its kind, in whatever order its author wrote: %s", (text) => {
  const items = listItemsOf(configMapResource);
  const item = `${items.opening}${Buffer.from(items.bytes(stored(text)))}`;
  const expected = { metadata: { name: "a" }, data: { kind: "x" } };
  expect(JSON.parse(item)).toEqual(expected);
  expect(items.value(stored(text))).toEqual(expected);
});
