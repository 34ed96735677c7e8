import { createReadStream, type FSWatcher, watch } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { aborted, orAborted } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { ImageService } from "../cri/images.ts";
import type { Commands } from "../host/exec.ts";
import { readFileIfThere, writeFileAtomically } from "../host/files.ts";
import { packOciArchive } from "./oci-archive.ts";
import type { ContainerdPaths } from "./paths.ts";
import { pauseProgram } from "./pause-program.ts";

/** The image of pod sandboxes that mini8s brings along. `localhost`: it comes from no registry. */
export const ownPauseImage = "localhost/mini8s/pause:1";

export interface ImageImporterDeps {
  readonly paths: Pick<ContainerdPaths, "socket" | "imagesDir" | "importsFile" | "state">;
  readonly architecture: string;
  readonly images: Pick<ImageService, "status">;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Images have come: who failed for want of one may try again. */
  onImported(): void;
}

/** A service that imports archives as they appear in the images folder, after what is needed at once. */
export interface ImageImporter extends Service {
  /** Imports the pause image where it is missing. */
  importPauseImage(signal: AbortSignal): Promise<void>;
  /** Resolves once no archive that is known of waits to be imported. */
  idle(signal: AbortSignal): Promise<void>;
  /** Imports the archives that are new or changed since they were last imported. */
  importArchives(signal: AbortSignal): Promise<void>;
}

const archiveName = /\.(tar|tar\.gz|tgz|tar\.zst)$/;
/** A file that is still being copied changes; it is imported when it has been still for so long. */
const settleMs = 500;
const importTimeoutMs = 600_000;

/** Archive → its size and time when it was imported. */
type Imports = Readonly<Record<string, string>>;

export function createImageImporter(deps: ImageImporterDeps): ImageImporter {
  const { paths, commands, images, logger } = deps;
  const ctr = (args: readonly string[], signal: AbortSignal, inputStream?: Readable) =>
    commands.run("ctr", ["--address", paths.socket, "--namespace", "k8s.io", ...args], {
      signal,
      timeoutMs: importTimeoutMs,
      ...(inputStream === undefined ? {} : { inputStream }),
    });

  async function importArchives(signal: AbortSignal): Promise<void> {
    const known: Imports = JSON.parse((await readFileIfThere(paths.importsFile)) ?? "{}");
    const found: Record<string, string> = {};
    for (const name of (await readdir(paths.imagesDir)).filter((file) => archiveName.test(file))) {
      const file = join(paths.imagesDir, name);
      const { size, mtimeMs } = await stat(file);
      const version = `${size}-${mtimeMs}`;
      if (known[name] === version) {
        found[name] = version;
        continue;
      }
      try {
        const plain = decompressed(file);
        const source = plain === undefined ? file : "-";
        const { stdout } = await ctr(["images", "import", source], signal, plain);
        logger.info("images imported", { archive: name, ctr: stdout.trim() });
        deps.onImported();
        found[name] = version;
      } catch (caught) {
        signal.throwIfAborted();
        // Told once per version of the file: trying again would fail again.
        logger.error("an image archive cannot be imported", {
          archive: file,
          error: String(caught),
        });
        found[name] = version;
      }
    }
    if (JSON.stringify(found) !== JSON.stringify(known))
      await writeFileAtomically(paths.importsFile, JSON.stringify(found));
  }

  // Until the folder was looked at once, there may be archives that nobody knows of.
  let pending = Promise.withResolvers<void>();

  return {
    name: "image archives",
    importArchives,
    idle: (signal) => orAborted(pending.promise, signal),
    async importPauseImage(signal) {
      if ((await images.status(ownPauseImage, { signal })) !== undefined) return;
      const archive = join(paths.state, "pause.tar");
      const body = pauseProgram(deps.architecture);
      await writeFileAtomically(
        archive,
        await packOciArchive({
          name: ownPauseImage,
          architecture: deps.architecture,
          files: [{ path: "pause", content: { type: "file", body, mode: 0o755 } }],
          config: { Entrypoint: ["/pause"], WorkingDir: "/", User: "65535:65535" },
        }),
      );
      try {
        await ctr(["images", "import", archive], signal);
        await ctr(["images", "label", ownPauseImage, "io.cri-containerd.pinned=pinned"], signal);
      } finally {
        await rm(archive, { force: true });
      }
      logger.info("pause image imported", { image: ownPauseImage });
    },
    async run(signal) {
      await mkdir(paths.imagesDir, { recursive: true });
      let cancel = () => {};
      let work: Promise<void> = Promise.resolve();
      let changes = 0;
      let settled = false;
      const look = () => {
        const seen = changes;
        work = work
          .then(() => importArchives(signal))
          .catch((caught: unknown) => {
            if (!signal.aborted)
              logger.error("the images folder cannot be read", { error: String(caught) });
          })
          .then(() => {
            if (seen !== changes) return;
            settled = true;
            pending.resolve();
          });
      };
      const changed = () => {
        if (settled) pending = Promise.withResolvers<void>();
        settled = false;
        changes += 1;
        cancel();
        cancel = deps.clock.after(settleMs, look);
      };
      const unwatched = (caught: unknown) =>
        logger.warn(
          "the images folder cannot be watched: what is put there is imported at the next start",
          {
            error: String(caught),
          },
        );
      let watcher: FSWatcher | undefined;
      try {
        // The machine may have no watch left to give (fs.inotify.max_user_instances).
        watcher = watch(paths.imagesDir, changed).on("error", unwatched);
      } catch (caught) {
        unwatched(caught);
      }
      try {
        look();
        await aborted(signal);
      } finally {
        cancel();
        watcher?.close();
        await work;
      }
    },
  };
}

/** The archive without its compression, which `ctr` cannot undo; undefined where it has none. */
function decompressed(file: string): Readable | undefined {
  if (file.endsWith(".tar")) return undefined;
  const plain = file.endsWith(".zst") ? createZstdDecompress() : createGunzip();
  // A broken archive ends `plain` with an error, and so the command that reads it.
  pipeline(createReadStream(file), plain, () => {});
  return plain;
}
