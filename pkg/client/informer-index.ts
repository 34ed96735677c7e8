import { type KubernetesObject, keyOf, type ObjectKey } from "../api/object.ts";
import type { Informer } from "./informer.ts";
import { controllerOf } from "./ownership.ts";

/** The objects of a kind by some value of theirs. Costs what it returns, not what is stored. */
export interface InformerIndex<T extends KubernetesObject> {
  list(value: string): readonly T[];
}

/** An index that follows `informer` for as long as that runs. An object without a value is not in it. */
export function indexBy<T extends KubernetesObject>(
  informer: Informer<T>,
  indexValue: (object: T) => string | undefined,
): InformerIndex<T> {
  const index = new Map<string, Map<ObjectKey, T>>();
  /** Under which value each object is: the last state that a delete tells of need not be the one we knew. */
  const values = new Map<ObjectKey, string>();
  function remove(key: ObjectKey): void {
    const value = values.get(key);
    const objects = value === undefined ? undefined : index.get(value);
    if (value === undefined || objects === undefined) return;
    values.delete(key);
    objects.delete(key);
    if (objects.size === 0) index.delete(value);
  }
  informer.subscribe((event) => {
    const key = keyOf(event.object);
    const value = event.type === "deleted" ? undefined : indexValue(event.object);
    if (values.get(key) !== value) remove(key);
    if (value === undefined) return;
    values.set(key, value);
    const objects = index.get(value);
    if (objects === undefined) index.set(value, new Map([[key, event.object]]));
    else objects.set(key, event.object);
  });
  return { list: (value) => [...(index.get(value)?.values() ?? [])] };
}

/** The objects that have no controller, by namespace: those that a controller might adopt. */
export function indexOrphans<T extends KubernetesObject>(informer: Informer<T>): InformerIndex<T> {
  return indexBy(informer, (object) =>
    controllerOf(object) === undefined ? (object.metadata.namespace ?? "") : undefined,
  );
}
