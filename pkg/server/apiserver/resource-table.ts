import { apiVersionOf, type ResourceDefinition } from "../../api/resource.ts";
import { storagePrefix } from "./hub.ts";

/** Every kind that is served, found by what a path says of it. Custom kinds come and go while it is read. */
export class ResourceTable {
  readonly #builtIn: readonly ResourceDefinition[];
  readonly #listeners = new Set<() => void>();
  readonly #custom = new Map<string, readonly ResourceDefinition[]>();
  #all: readonly ResourceDefinition[];
  #byPath: ReadonlyMap<string, ResourceDefinition>;

  constructor(builtIn: readonly ResourceDefinition[]) {
    this.#builtIn = builtIn;
    this.#all = builtIn;
    this.#byPath = byPath(builtIn);
  }

  /** One entry for each version of each kind. Another array after each change: what is made of it may be kept until then. */
  get all(): readonly ResourceDefinition[] {
    return this.#all;
  }

  /** Each kind once, in the version that it is stored as; in the first one that is served, where that one is not. */
  get stored(): readonly ResourceDefinition[] {
    const served = new Set(this.#all);
    const kinds = new Map<ResourceDefinition, ResourceDefinition>();
    for (const resource of this.#all) {
      const { storedAs, storage } = resource;
      if (storage === "none" || (storedAs !== undefined && served.has(storedAs))) continue;
      const kind = storedAs ?? resource;
      if (!kinds.has(kind)) kinds.set(kind, resource);
    }
    return [...kinds.values()];
  }

  /** Serves `definitions` in the name of `owner` in place of those it had before; an empty list ends them. */
  replaceCustom(owner: string, definitions: readonly ResourceDefinition[]): void {
    if (definitions.length === 0) this.#custom.delete(owner);
    else this.#custom.set(owner, definitions);
    this.#all = [...this.#builtIn, ...[...this.#custom.values()].flat()];
    this.#byPath = byPath(this.#all);
    for (const changed of this.#listeners) changed();
  }

  /** Calls `changed` after each change of what is served. Returns the way to stop. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Whether a kind of this name comes with the server: what a custom one stored would lie among its objects. */
  isBuiltIn(group: string, plural: string): boolean {
    return this.#builtIn.some((each) => each.group === group && each.plural === plural);
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.#byPath.get(pathOf(group, version, plural));
  }

  /** The kind that `apiVersion` and `kind` of an object, or of an owner reference, name. */
  ofKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
    return this.#all.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
  }

  /** True where `group/version` has any kind at all. */
  serves(group: string, version: string): boolean {
    return this.#all.some((each) => each.group === group && each.version === version);
  }
}

/** Whoever comes first keeps a path: no custom kind takes a built-in one's. */
function byPath(resources: readonly ResourceDefinition[]): ReadonlyMap<string, ResourceDefinition> {
  const found = new Map<string, ResourceDefinition>();
  for (const resource of resources) {
    const path = pathOf(resource.group, resource.version, resource.plural);
    if (!found.has(path)) found.set(path, resource);
  }
  return found;
}

function pathOf(group: string, version: string, plural: string): string {
  return `${storagePrefix({ group, plural })}${version}`;
}
