import type { KubernetesObject } from "../../api/object.ts";
import { deepFreeze } from "../../base/deep-freeze.ts";
import type { Revision, StoredValue } from "../../datastore/datastore.ts";
import type { StoredObject } from "./hub.ts";
import { parseStored, withoutResourceVersion, withResourceVersion } from "./stored-json.ts";
import type { WarmValue, WarmValues } from "./warm-values.ts";

/**
 * One version of one object. It holds its bytes once: as they were stored, and from the first time that they are served,
 * as they are served. Its value is held while it is asked for, and for as long as anybody else holds it.
 */
export class HubObject<T extends KubernetesObject = KubernetesObject>
  implements StoredObject<T>, WarmValue
{
  readonly key: string;
  readonly revision: Revision;
  readonly createRevision: Revision;
  /** How long it is as it was stored. */
  readonly storedBytes: number;
  readonly #warm: WarmValues;
  #bytes: Uint8Array;
  #isServed = false;
  /** What was written, where it was written here: spares the parsing. */
  #written: T | undefined;
  #value: T | undefined;
  /** The value that is held no more, in case that others still hold it: there is never a second one. */
  #coldValue: WeakRef<T> | undefined;
  #forms: Map<string, Uint8Array> | undefined;
  #isAskedFor = false;

  constructor(stored: StoredValue, warm: WarmValues, written?: T) {
    this.key = stored.key;
    this.revision = stored.revision;
    this.createRevision = stored.createRevision;
    this.storedBytes = stored.value.byteLength;
    this.#bytes = stored.value;
    this.#warm = warm;
    this.#written = written;
    if (written !== undefined) warm.add(this);
  }

  get json(): Uint8Array {
    if (!this.#isServed) {
      this.#bytes = withResourceVersion(this.#bytes, this.revision);
      this.#isServed = true;
    }
    return this.#bytes;
  }

  get value(): T {
    this.#isAskedFor = true;
    if (this.#value !== undefined) return this.#value;
    const cold = this.#coldValue?.deref();
    if (cold !== undefined) return cold;
    const written = this.#written;
    const content = written ?? (parseStored(this.#bytes) as T);
    const metadata = { ...content.metadata, resourceVersion: String(this.revision) };
    this.#value = deepFreeze({ ...content, metadata });
    this.#written = undefined;
    this.#coldValue = undefined;
    if (written === undefined) this.#warm.add(this);
    return this.#value;
  }

  /** The same content as the last state of a deleted object, at the delete's own revision. */
  asDeleted(revision: Revision): HubObject<T> {
    const { key, createRevision } = this;
    const value = this.#isServed ? withoutResourceVersion(this.#bytes, this.revision) : this.#bytes;
    const stored = { key, createRevision, revision, value };
    return new HubObject<T>(stored, this.#warm, this.#written ?? this.#value);
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

  cool(): boolean {
    if (this.#isAskedFor) {
      this.#isAskedFor = false;
      return false;
    }
    this.shrink();
    return true;
  }

  /** Lets go of all that can be made again: for a version that is kept only in case somebody asks. */
  shrink(): void {
    if (this.#value !== undefined) this.#coldValue = new WeakRef(this.#value);
    this.#written = undefined;
    this.#value = undefined;
    this.#forms = undefined;
  }
}
