import type { ResourceDefinition } from "../../api/resource.ts";
import { storagePrefix } from "./hub.ts";

/** Every kind that is served, found by what a path says of it. */
export class ResourceTable {
  readonly all: readonly ResourceDefinition[];
  readonly #byPath = new Map<string, ResourceDefinition>();

  constructor(resources: readonly ResourceDefinition[]) {
    this.all = resources;
    for (const resource of resources) {
      this.#byPath.set(pathOf(resource.group, resource.version, resource.plural), resource);
    }
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.#byPath.get(pathOf(group, version, plural));
  }

  /** True where `group/version` has any kind at all. */
  serves(group: string, version: string): boolean {
    return this.all.some((each) => each.group === group && each.version === version);
  }
}

function pathOf(group: string, version: string, plural: string): string {
  return `${storagePrefix({ group, plural })}${version}`;
}
