import { duplicate, isEnough, tooMany } from "../field-error.ts";
import type { FieldError } from "../resource.ts";

type CheckItem<Item> = (item: Item, path: string, errors: FieldError[]) => void;

/** Looks at each item, but not into a list that has too many. */
export function validateItems<Item>(
  items: readonly Item[] | undefined,
  itemsMax: number,
  path: string,
  errors: FieldError[],
  check: CheckItem<Item>,
): void {
  if (items === undefined) return;
  if (items.length > itemsMax) {
    errors.push(tooMany(path, items.length, itemsMax));
    return;
  }
  items.forEach((item, index) => {
    if (!isEnough(errors)) check(item, `${path}[${index}]`, errors);
  });
}

/** As `validateItems`, of a list that has each key once; `keyOf` is what is printed of an item that is there twice. */
export function validateUniqueItems<Item>(
  items: readonly Item[] | undefined,
  itemsMax: number,
  path: string,
  errors: FieldError[],
  check: CheckItem<Item>,
  keyOf: (item: Item) => unknown,
): void {
  validateItems(items, itemsMax, path, errors, check);
  if (items === undefined || items.length > itemsMax) return;
  const seen = new Set<string>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    const identity = JSON.stringify(key);
    if (seen.has(identity) && !isEnough(errors)) errors.push(duplicate(`${path}[${index}]`, key));
    seen.add(identity);
  });
}

/** Looks at each key and value, but not into a map that has too many. A long key is cut in paths. */
export function validateEntries<Value>(
  entries: Readonly<Record<string, Value>> | undefined,
  limits: { readonly entriesMax: number; readonly shownCharactersMax: number },
  path: string,
  errors: FieldError[],
  checkKey: CheckItem<string>,
  checkValue: CheckItem<Value>,
): void {
  const pairs = Object.entries(entries ?? {});
  if (pairs.length > limits.entriesMax) {
    errors.push(tooMany(path, pairs.length, limits.entriesMax));
    return;
  }
  for (const [key, value] of pairs) {
    if (isEnough(errors)) break;
    checkKey(key, path, errors);
    checkValue(value, `${path}[${cut(key, limits.shownCharactersMax)}]`, errors);
  }
}

function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const left = charactersMax - 3;
  return `${text.slice(0, Math.ceil(left / 2))}...${text.slice(text.length - Math.floor(left / 2))}`;
}
