import type { FieldType } from "../../schema.ts";
import { type JsonDraft, ownValue, setOwn } from "../json-value.ts";
import type { PathElement } from "./path-element.ts";
import {
  asList,
  asMap,
  childType,
  isEmptyContainer,
  itemElement,
  type ListType,
  shapeOf,
} from "./typed.ts";

/**
 * The live value with what is applied laid over it: leaves are the applied ones, maps and keyed lists have the items
 * of both. Takes nothing away. The result shares parts with both values.
 */
export function mergeTyped(type: FieldType, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const shape = shapeOf(type, applied);
  if (shape === "leaf" && shapeOf(type, live) === "leaf") return applied;
  if (isEmptyContainer(live) && isEmptyContainer(applied)) return applied;
  if (type.kind === "list") return mergeLists(type, asList(live) ?? [], asList(applied) ?? []);
  return mergeMaps(type, live, applied);
}

function mergeMaps(type: FieldType, live: unknown, applied: unknown): unknown {
  const overlay = asMap(applied);
  // A null in place of a map takes nothing from it.
  if (overlay === undefined) return applied === null ? live : applied;
  const merged: JsonDraft = { ...asMap(live) };
  for (const key of Object.keys(overlay)) {
    setOwn(merged, key, mergeTyped(childType(type, key), ownValue(merged, key), overlay[key]));
  }
  return merged;
}

/**
 * Items that both have come in the order in which they are applied, each item of the live list alone stays before
 * the item it stood before, and items that are new come where they are applied.
 */
function mergeLists(
  type: ListType,
  live: readonly unknown[],
  applied: readonly unknown[],
): readonly unknown[] {
  const liveElements = live.map((item) => itemElement(type, item));
  const appliedElements = applied.map((item) => itemElement(type, item));
  const liveItems = firstUnlessDoubled(liveElements, live);
  const appliedItems = new Map(appliedElements.map((element, at) => [element, applied[at]]));
  const shared = appliedElements.filter((element) => liveItems.has(element));
  const done = new Set<PathElement>();
  const merged: unknown[] = [];
  let atShared = 0;
  let atLive = 0;
  let atApplied = 0;
  const takeApplied = (element: PathElement): void => {
    done.add(element);
    merged.push(mergeTyped(type.item, liveItems.get(element), appliedItems.get(element)));
    if (shared[atShared] === element) atShared += 1;
    atApplied += 1;
  };
  while (atLive < live.length || atApplied < applied.length) {
    const liveElement = liveElements[atLive];
    const appliedElement = appliedElements[atApplied];
    if (liveElement !== undefined && appliedElement !== undefined) {
      if (liveElement === appliedElement) {
        takeApplied(appliedElement);
        atLive += 1;
        continue;
      }
      const awaited = shared[atShared];
      if (appliedItems.has(liveElement) && awaited !== undefined && awaited !== liveElement) {
        atLive += 1;
        continue;
      }
    }
    if (liveElement !== undefined) {
      if (!appliedItems.has(liveElement)) {
        merged.push(live[atLive]);
        atLive += 1;
        continue;
      }
      if (done.has(liveElement)) atLive += 1;
    }
    if (appliedElement !== undefined) takeApplied(appliedElement);
  }
  return merged;
}

/** Items that are there twice are not merged with what is applied but replaced by it. */
function firstUnlessDoubled(
  elements: readonly PathElement[],
  items: readonly unknown[],
): ReadonlyMap<PathElement, unknown> {
  const found = new Map<PathElement, unknown>();
  for (const [at, element] of elements.entries()) {
    found.set(element, found.has(element) ? undefined : items[at]);
  }
  return found;
}
