import { crc32 } from "node:zlib";
import type { Revision } from "../datastore.ts";

/** Whether a state is as it was written; of a damaged page, columns may be of any type. */
export function isSound(
  sum: unknown,
  key: unknown,
  createRevision: unknown,
  revision: unknown,
  value: unknown,
): boolean {
  if (typeof key !== "string" || !(value instanceof Uint8Array)) return false;
  return sum === rowSum(key, Number(createRevision), Number(revision), value);
}

/** By which a state is known again: a byte that has changed on the disk changes it. */
export function rowSum(
  key: string,
  createRevision: Revision,
  revision: Revision,
  value: Uint8Array,
): number {
  return crc32(value, crc32(`${key} ${createRevision} ${revision}`));
}
