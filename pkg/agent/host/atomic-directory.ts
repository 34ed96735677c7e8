import {
  chmod,
  lchown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { isErrno } from "./files.ts";

export interface DirectoryFile {
  /** Relative; may have folders. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
  /** Default: root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Makes the folder show exactly `files`. Readers see all of the old files or all of the new ones: names link to
 * `..data/`, and `..data` is a link that is replaced in one step. Returns whether anything changed.
 */
export async function writeDirectoryAtomically(
  folder: string,
  files: readonly DirectoryFile[],
): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const data = join(folder, "..data");
  const current = await linkTarget(data);
  if (current !== undefined && (await shows(join(folder, current), files))) return false;

  const version = await mkdtemp(join(folder, `..${timestamp()}.`));
  await chmod(version, 0o755);
  for (const { path, content, mode, owner } of files) {
    const file = join(version, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, content, { mode: 0o600 });
    // Not by the mode of `writeFile`, which the umask would narrow.
    await chmod(file, mode);
    if (owner !== undefined) await lchown(file, owner.uid, owner.gid);
  }
  const draft = join(folder, "..data_tmp");
  await rm(draft, { force: true });
  await symlink(version.slice(folder.length + 1), draft);
  await rename(draft, data);

  const tops = new Set(files.map(({ path }) => path.split("/")[0] ?? path));
  for (const top of tops) {
    if ((await linkTarget(join(folder, top))) === undefined)
      await symlink(join("..data", top), join(folder, top));
  }
  for (const entry of await readdir(folder)) {
    const kept = tops.has(entry) || entry === "..data" || join(folder, entry) === version;
    if (!kept) await rm(join(folder, entry), { recursive: true, force: true });
  }
  return true;
}

async function shows(version: string, files: readonly DirectoryFile[]): Promise<boolean> {
  const found = await readdir(version, { recursive: true, withFileTypes: true }).catch(() => []);
  if (found.filter((entry) => entry.isFile()).length !== files.length) return false;
  for (const { path, content, mode } of files) {
    try {
      const file = join(version, path);
      if (((await stat(file)).mode & 0o7777) !== mode) return false;
      if (Buffer.compare(await readFile(file), content) !== 0) return false;
    } catch (caught) {
      if (isErrno(caught, "ENOENT", "ENOTDIR")) return false;
      throw caught;
    }
  }
  return true;
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (caught) {
    if (isErrno(caught, "ENOENT", "EINVAL")) return undefined;
    throw caught;
  }
}

/** As upstream names its versions: `2026_01_31_08_30_00`. */
function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replace(/[-T:]/g, "_");
}
