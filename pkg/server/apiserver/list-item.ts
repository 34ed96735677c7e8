import { apiVersionOf, type ResourceDefinition } from "../../api/resource.ts";
import type { StoredObject } from "./hub.ts";

/** How an object is written as an item of a list. */
export interface ListItems {
  /** What an item's bytes follow: `{`, where they lack it. */
  readonly opening: string;
  bytes(stored: StoredObject): Uint8Array;
  value(stored: StoredObject): object;
}

const made = new WeakMap<object, ListItems>();

type Kind = Pick<ResourceDefinition, "group" | "version" | "kind" | "schema">;

/**
 * Items of built-in kinds do not say of what kind they are, as upstream's do not: the list says it. Custom resources do.
 * Bytes are parts of those that the object has anyway, without a copy.
 */
export function listItemsOf(kind: Kind): ListItems {
  let items = made.get(kind);
  if (items === undefined) {
    items = kind.schema.object.structural === undefined ? untyped(kind) : asTheyAre;
    made.set(kind, items);
  }
  return items;
}

const asTheyAre: ListItems = {
  opening: "",
  bytes: (stored) => stored.json,
  value: (stored) => stored.value,
};

function untyped(kind: Kind): ListItems {
  const name = `"kind":${JSON.stringify(kind.kind)}`;
  const version = `"apiVersion":${JSON.stringify(apiVersionOf(kind))}`;
  const typeMeta = [`{${name},${version},`, `{${version},${name},`].map((text) =>
    Buffer.from(text),
  );
  const length = typeMeta[0]?.length ?? 0;
  return {
    opening: "{",
    bytes(stored) {
      const { json } = stored;
      if (typeMeta.some((each) => each.compare(json, 0, length) === 0)) {
        return json.subarray(length);
      }
      // Its author wrote the fields in another order.
      return stored.encoded("item", (object) =>
        Buffer.from(JSON.stringify(withoutType(object)).slice(1)),
      );
    },
    value: withoutType,
  };
}

function withoutType({ value }: StoredObject): object {
  const { apiVersion: _, kind: __, ...rest } = value;
  return rest;
}
