import { join, resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { MendableError } from "../base/mendable-error.ts";
import type { Datastore } from "./datastore.ts";
import { openMemoryDatastore } from "./memory/memory-datastore.ts";
import { openSqliteDatastore, type SqliteDatastoreOptions } from "./sqlite/sqlite-datastore.ts";

export interface OpenDatastoreOptions
  extends Pick<SqliteDatastoreOptions, "startThread" | "nativeBinding" | "fileBytesMax"> {
  /** Where the file of an endpoint without a path lies. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The file that is used where no endpoint is given. */
export const defaultDatastoreFile = "state.db";

/**
 * Opens the datastore that `endpoint` names: "" is the default file, `sqlite://<path>` another one (relative to
 * the directory), and `memory://` nothing that outlives the process.
 */
export function openDatastore(endpoint: string, options: OpenDatastoreOptions): Promise<Datastore> {
  const { directory, ...rest } = options;
  const scheme = /^([a-z0-9+]+):\/\//i.exec(endpoint)?.[1]?.toLowerCase();
  const path = scheme === undefined ? endpoint : endpoint.slice(`${scheme}://`.length);
  if (endpoint === "" || scheme === "sqlite") {
    const file = path === "" ? join(directory, defaultDatastoreFile) : resolve(directory, path);
    return openSqliteDatastore({ ...rest, file });
  }
  if (scheme === "memory") return Promise.resolve(openMemoryDatastore({ clock: options.clock }));
  const sentence =
    scheme === undefined
      ? `the datastore endpoint "${endpoint}" has no scheme`
      : `the datastore "${scheme}" is not supported`;
  // An endpoint may hold a password: only its scheme is repeated.
  return Promise.reject(
    new MendableError(`${sentence}: use sqlite://<path>, memory://, or none at all`),
  );
}
