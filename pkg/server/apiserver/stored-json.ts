import { parseJsonValue } from "../../api/codec/json.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { assert } from "../../base/assert.ts";
import type { Revision } from "../../datastore/datastore.ts";

const metadataOpening = Buffer.from('"metadata":{');
const comma = ",".charCodeAt(0);
const closingBrace = "}".charCodeAt(0);

/**
 * The bytes an object is stored as: JSON that begins with kind, apiVersion and metadata, and holds no
 * resourceVersion, because that is known only once it is written.
 */
export function toStored(object: KubernetesObject): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...stored } = metadata;
  // Long integers are `bigint`s, which the codec has taught to write themselves with every digit.
  const text = JSON.stringify({ kind, apiVersion, metadata: stored, ...rest });
  // A buffer of its own: a slice of Node's shared pool would keep 8 KiB alive for each small object.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** The bytes an object is served as: those stored, with the resourceVersion in its place. */
export function withResourceVersion(stored: Uint8Array, revision: Revision): Uint8Array {
  const source = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  // The first occurrence is the right one: before it stand only kind and apiVersion, whose quotes would be escaped.
  const found = source.indexOf(metadataOpening);
  assert(found >= 0, "stored objects have metadata");
  const at = found + metadataOpening.length;
  const inserted = `"resourceVersion":"${revision}"`;
  const separated = source[at] !== closingBrace;
  const served = Buffer.allocUnsafeSlow(source.length + inserted.length + (separated ? 1 : 0));
  source.copy(served, 0, 0, at);
  const end = at + served.write(inserted, at, "latin1");
  if (separated) served[end] = comma;
  source.copy(served, separated ? end + 1 : end, at);
  return served;
}

/** What `withResourceVersion` was given. */
export function withoutResourceVersion(served: Uint8Array, revision: Revision): Uint8Array {
  const source = Buffer.from(served.buffer, served.byteOffset, served.byteLength);
  const at = source.indexOf(metadataOpening) + metadataOpening.length;
  const end = at + `"resourceVersion":"${revision}"`.length;
  const rest = source[end] === comma ? end + 1 : end;
  const stored = Buffer.allocUnsafeSlow(source.length - (rest - at));
  source.copy(stored, 0, 0, at);
  source.copy(stored, at, rest);
  return stored;
}

/** The object in stored bytes, or in those served, each digit of its long integers included. */
export function parseStored(stored: Uint8Array): KubernetesObject {
  // What was stored was an object of the API: only `toStored` writes here.
  return parseJsonValue(stored) as KubernetesObject;
}
