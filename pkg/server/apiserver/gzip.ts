import { promisify } from "node:util";
import { constants, createGzip, type Gzip, gzip } from "node:zlib";

const gzipAsync = promisify(gzip);

/** Fast rather than small, and not on the event loop. */
const options = { level: constants.Z_BEST_SPEED };

export function gzipped(bytes: Uint8Array): Promise<Uint8Array> {
  return gzipAsync(bytes, options);
}

/** The same for what comes in parts. */
export function gzipStream(): Gzip {
  return createGzip(options);
}
