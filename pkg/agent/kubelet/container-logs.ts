import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import { isErrno } from "../host/files.ts";

/** As upstream's defaults: a container's logs take at most so much of the disk. */
const logBytesMax = 10 * 1024 * 1024;
const logFilesMax = 5;
const lookMs = 30_000;

export interface RunningLog {
  readonly containerId: string;
  readonly path: string;
}

/** Moves a container's log aside when it is full, compresses the older parts and forgets the oldest. */
export function createLogRotation(deps: {
  readonly logs: () => readonly RunningLog[];
  readonly runtime: Pick<RuntimeService, "reopenContainerLog">;
  readonly clock: Clock;
  readonly logger: Logger;
}): Service {
  const { runtime, clock, logger } = deps;

  async function rotate({ containerId, path }: RunningLog, signal: AbortSignal): Promise<void> {
    if ((await stat(path)).size < logBytesMax) return;
    const folder = dirname(path);
    const prefix = `${basename(path)}.`;
    const older = (await readdir(folder)).filter((file) => file.startsWith(prefix)).sort();
    // The file in use and the one that is made now are two of them.
    const surplus = older.slice(0, Math.max(0, older.length - (logFilesMax - 2)));
    for (const file of surplus) await rm(join(folder, file), { force: true });
    for (const file of older) {
      if (!file.endsWith(".gz") && !surplus.includes(file)) await compress(join(folder, file));
    }
    const stamp = new Date(clock.now()).toISOString().replace(/[-:T]/g, "").slice(0, 14);
    const moved = `${path}.${stamp.slice(0, 8)}-${stamp.slice(8)}`;
    await rename(path, moved);
    try {
      await runtime.reopenContainerLog(containerId, { signal });
    } catch (caught) {
      // It still writes to the old one: leave that where readers look for it.
      await rename(moved, path);
      throw caught;
    }
  }

  return {
    name: "container logs",
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(lookMs, signal).catch(() => {});
        for (const log of signal.aborted ? [] : deps.logs()) {
          try {
            await rotate(log, signal);
          } catch (caught) {
            if (signal.aborted) return;
            if (!isErrno(caught, "ENOENT"))
              logger.warn("a container's log cannot be rotated", {
                log: log.path,
                error: String(caught),
              });
          }
        }
      }
    },
  };
}

async function compress(path: string): Promise<void> {
  const draft = `${path}.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(draft, { mode: 0o640 }));
  await rename(draft, `${path}.gz`);
  await rm(path);
}
