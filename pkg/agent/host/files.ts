import { access, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFilesAtomically } from "../../base/atomic-file.ts";

/** Undefined where there is no such file. */
export async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (caught) {
    if (isErrno(caught, "ENOENT", "ENOTDIR")) return undefined;
    throw caught;
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** As `writeFilesAtomically`, for one file whose folder may have to be made. */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFilesAtomically([{ path, content, mode }]);
}

export function isErrno(caught: unknown, ...codes: readonly string[]): boolean {
  return (
    caught instanceof Error && codes.includes((caught as NodeJS.ErrnoException).code ?? "no code")
  );
}
