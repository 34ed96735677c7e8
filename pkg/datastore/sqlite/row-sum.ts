import { crc32 } from "node:zlib";
import type { Revision } from "../datastore.ts";

/** By which a state is known again: a byte that has changed on the disk changes it. */
export function rowSum(
  key: string,
  createRevision: Revision,
  revision: Revision,
  value: Uint8Array,
): number {
  return crc32(value, crc32(`${key} ${createRevision} ${revision}`));
}
