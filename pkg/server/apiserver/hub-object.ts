import type { KubernetesObject } from "../../api/object.ts";
import { deepFreeze } from "../../base/deep-freeze.ts";
import type { Revision, StoredValue } from "../../datastore/datastore.ts";
import type { StoredObject } from "./hub.ts";
import { parseStored, withResourceVersion } from "./stored-json.ts";

/** One version of one object over the bytes that the datastore holds; all other forms are made when asked for. */
export class HubObject<T extends KubernetesObject = KubernetesObject> implements StoredObject<T> {
  readonly key: string;
  readonly revision: Revision;
  readonly createRevision: Revision;
  readonly #stored: Uint8Array;
  /** What was written, where it was written here: spares the parsing. */
  #written: T | undefined;
  #value: T | undefined;
  #json: Uint8Array | undefined;
  #forms: Map<string, Uint8Array> | undefined;

  constructor(stored: StoredValue, written?: T) {
    this.key = stored.key;
    this.revision = stored.revision;
    this.createRevision = stored.createRevision;
    this.#stored = stored.value;
    this.#written = written;
  }

  get json(): Uint8Array {
    this.#json ??= withResourceVersion(this.#stored, this.revision);
    return this.#json;
  }

  get value(): T {
    if (this.#value === undefined) {
      const content = this.#written ?? (parseStored(this.#stored) as T);
      const metadata = { ...content.metadata, resourceVersion: String(this.revision) };
      this.#value = deepFreeze({ ...content, metadata });
      this.#written = undefined;
    }
    return this.#value;
  }

  /** How much memory it costs to keep this version, whatever was made of it. */
  get storedBytes(): number {
    return this.#stored.byteLength;
  }

  /** The same content as the last state of a deleted object, at the delete's own revision. */
  asDeleted(revision: Revision): HubObject<T> {
    const { key, createRevision } = this;
    const stored = { key, createRevision, revision, value: this.#stored };
    return new HubObject<T>(stored, this.#written ?? this.#value);
  }

  encoded(form: string, make: (object: StoredObject<T>) => Uint8Array): Uint8Array {
    this.#forms ??= new Map();
    let bytes = this.#forms.get(form);
    if (bytes === undefined) {
      bytes = make(this);
      this.#forms.set(form, bytes);
    }
    return bytes;
  }

  /** Lets go of all that can be made again: for a version that is kept only in case somebody asks. */
  shrink(): void {
    this.#written = undefined;
    this.#value = undefined;
    this.#json = undefined;
    this.#forms = undefined;
  }
}
