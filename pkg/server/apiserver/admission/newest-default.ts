import type { KubernetesObject } from "../../../api/object.ts";

/** Of the classes that are marked as the default, the newest; of those as new, the first by name. */
export function newestDefault<T extends KubernetesObject>(
  classes: readonly T[],
  isDefault: (metadata: T["metadata"]) => boolean,
): T | undefined {
  return classes
    .filter(({ metadata }) => isDefault(metadata))
    .sort(({ metadata: a }, { metadata: b }) => {
      if (a.creationTimestamp !== b.creationTimestamp) {
        return a.creationTimestamp > b.creationTimestamp ? -1 : 1;
      }
      return a.name < b.name ? -1 : 1;
    })[0];
}
