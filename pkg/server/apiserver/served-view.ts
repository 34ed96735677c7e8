import type { KubernetesObject } from "../../api/object.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import { deepFreeze } from "../../base/deep-freeze.ts";
import type { Revision } from "../../datastore/datastore.ts";
import type { StoredObject } from "./hub.ts";

/** Views of stored objects, one for each version that shows them otherwise; they go when the object or the kind goes. */
const views = new WeakMap<ResourceDefinition, WeakMap<StoredObject, StoredObject>>();

/** A stored object as a version shows it: made at most once, and the object itself where nothing differs. */
export function asServed(resource: ResourceDefinition, stored: StoredObject): StoredObject {
  const { fromStored } = resource;
  if (fromStored === undefined) return stored;
  let known = views.get(resource);
  if (known === undefined) {
    known = new WeakMap();
    views.set(resource, known);
  }
  let view = known.get(stored);
  if (view === undefined) {
    const value = fromStored(stored.value);
    view = value === stored.value ? stored : new ServedObject(stored, value);
    known.set(stored, view);
  }
  return view;
}

/** An object as it is to be stored. */
export function asStored(resource: ResourceDefinition, object: KubernetesObject): KubernetesObject {
  return resource.toStored?.(object) ?? object;
}

/** One version of one object in the form of another version of its kind. */
class ServedObject implements StoredObject {
  readonly key: string;
  readonly revision: Revision;
  readonly createRevision: Revision;
  readonly value: KubernetesObject;
  #json: Uint8Array | undefined;
  readonly #forms = new Map<string, Uint8Array>();

  constructor({ key, revision, createRevision }: StoredObject, value: KubernetesObject) {
    this.key = key;
    this.revision = revision;
    this.createRevision = createRevision;
    this.value = deepFreeze(value);
  }

  get json(): Uint8Array {
    this.#json ??= Buffer.from(JSON.stringify(this.value));
    return this.#json;
  }

  encoded(form: string, make: (object: StoredObject) => Uint8Array): Uint8Array {
    let bytes = this.#forms.get(form);
    if (bytes === undefined) {
      bytes = make(this);
      this.#forms.set(form, bytes);
    }
    return bytes;
  }
}
