import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface FileToWrite {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits, as 0o600. */
  readonly mode: number;
}

/**
 * Each file is found either as it was or as it shall be, even after a power cut; all are on the disk when this
 * resolves. Folders must exist. Files are put in place in the order given.
 */
export async function writeFilesAtomically(files: readonly FileToWrite[]): Promise<void> {
  const suffix = `.${randomBytes(6).toString("hex")}.tmp`;
  const written = await Promise.allSettled(
    files.map((file) => writeDurably(`${file.path}${suffix}`, file)),
  );
  const failed = written.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await Promise.all(files.map((file) => rm(`${file.path}${suffix}`, { force: true })));
    throw failed.reason;
  }
  for (const file of files) await rename(`${file.path}${suffix}`, file.path);
  const folders = new Set(files.map((file) => dirname(file.path)));
  await Promise.all([...folders].map(syncFolder));
}

async function writeDurably(path: string, file: FileToWrite): Promise<void> {
  await using handle = await open(path, "wx", file.mode);
  // The mode given to open is cut by the umask.
  await handle.chmod(file.mode);
  await handle.writeFile(file.content);
  await handle.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}
