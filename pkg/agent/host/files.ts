import { randomUUID } from "node:crypto";
import { access, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

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

/** Whoever reads `path`, also after a power cut, finds either the old content or the new one, whole. */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(draft, "w", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (caught) {
    await rm(draft, { force: true });
    throw caught;
  }
}

export function isErrno(caught: unknown, ...codes: readonly string[]): boolean {
  return (
    caught instanceof Error && codes.includes((caught as NodeJS.ErrnoException).code ?? "no code")
  );
}
