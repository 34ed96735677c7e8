import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { getAsset, isSea } from "node:sea";
import { Worker } from "node:worker_threads";

/** What a thread of the process is for: read by `cmd/mini8s.ts` when it finds itself in a worker. */
export type ThreadRole = "sqlite" | "agent";

/**
 * Starts a thread of this very program with a role and its data. In the executable the program is an asset,
 * since a worker cannot be started from a file that is not there; from source it is the entry file itself.
 */
export function startThread(role: ThreadRole, data: unknown): Worker {
  const options = {
    workerData: { role, data },
    execArgv: [],
    stdout: false,
    stderr: false,
    // Neither holds much at once; the main thread's larger share is for requests.
    resourceLimits: { maxYoungGenerationSizeMb: 6 },
  };
  if (isSea()) return new Worker(getAsset("loader.cjs", "utf8"), { ...options, eval: true });
  return new Worker(new URL("./mini8s.ts", import.meta.url), options);
}

/**
 * The file that holds better-sqlite3's addon, written out of the executable where it is not there yet. It lies
 * in the data-dir because /tmp may be mounted noexec; one file, because two copies would load two SQLites.
 */
export function sqliteAddonFile(dataDir: string): string | undefined {
  if (!isSea()) {
    const require = createRequire(import.meta.url);
    return join(
      require.resolve("better-sqlite3/package.json"),
      "../prebuilds",
      `linux-${process.arch}.node`,
    );
  }
  const addon = Buffer.from(getAsset("better_sqlite3.node"));
  const directory = join(dataDir, "bin");
  const file = join(directory, "better_sqlite3.node");
  if (!sameBytes(file, addon)) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${file}.new`, addon, { mode: 0o755 });
    renameSync(`${file}.new`, file);
  }
  return file;
}

function sameBytes(file: string, bytes: Buffer): boolean {
  try {
    return readFileSync(file).equals(bytes);
  } catch {
    return false;
  }
}
