import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";

const gzipAsync = promisify(gzip);

/** Fast rather than small, and not on the event loop. */
export function gzipped(bytes: Uint8Array): Promise<Uint8Array> {
  return gzipAsync(bytes, { level: constants.Z_BEST_SPEED });
}
