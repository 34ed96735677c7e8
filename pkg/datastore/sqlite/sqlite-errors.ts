import Database from "better-sqlite3";
import { DatastoreError } from "../datastore.ts";

/** Any failure of SQLite or the file system as a sentence with its remedy. */
export function datastoreErrorFrom(
  caught: unknown,
  { file, fileBytesMax }: { readonly file: string; readonly fileBytesMax: number },
): DatastoreError {
  if (caught instanceof DatastoreError) return caught;
  const code = codeOf(caught);
  const detail = caught instanceof Error ? caught.message : String(caught);
  const error = (reason: DatastoreError["reason"], sentence: string) =>
    new DatastoreError(reason, `${sentence} (${code === "" ? detail : `${code}: ${detail}`})`, {
      cause: caught,
    });
  if (code === "SQLITE_FULL" || code === "ENOSPC" || code === "EDQUOT") {
    const cap = Math.round(fileBytesMax / 1024 / 1024);
    return error(
      "full",
      `the datastore ${file} is full: delete objects that are not needed, or free space on its disk, or raise its cap of ${cap} MiB`,
    );
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED"))
    return error(
      "io",
      `the datastore ${file} is in use by another process: stop the other mini8s, or give this one another --data-dir`,
    );
  if (code.startsWith("SQLITE_READONLY") || ["EROFS", "EACCES", "EPERM"].includes(code))
    return error(
      "read-only",
      `the datastore ${file} cannot be written: make its directory and its disk writable for mini8s`,
    );
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB")
    return lost(file, `is damaged (${code}: ${detail})`, caught);
  if (code.startsWith("SQLITE_CANTOPEN"))
    return error(
      "io",
      `the datastore ${file} cannot be opened: check that its directory exists and that mini8s may use it`,
    );
  return error("io", `the datastore ${file} failed: check the disk it is on and the kernel's log`);
}

function codeOf(caught: unknown): string {
  if (caught instanceof Database.SqliteError) return caught.code;
  if (caught instanceof Error && "code" in caught && typeof caught.code === "string")
    return caught.code;
  return "";
}

/** What cannot be mended here without losing what was acknowledged, with the commands to go on by. */
export function lost(file: string, how: string, cause?: unknown): DatastoreError {
  return new DatastoreError(
    "corrupt",
    `the datastore ${file} ${how}. Nothing was changed. Stop mini8s and keep what is left: for name in ${file} ${file}-wal; do mv $name $name.damaged; done. Then put a copy of the file in its place: cp <copy> ${file}; or start without, with an empty cluster`,
    cause === undefined ? {} : { cause },
  );
}
