import { watch } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
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
}

/** A service that imports archives as they appear in the images folder, after what is needed at once. */
export interface ImageImporter extends Service {
  /** Imports the pause image where it is missing. */
  importPauseImage(signal: AbortSignal): Promise<void>;
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
  const ctr = (args: readonly string[], signal: AbortSignal) =>
    commands.run("ctr", ["--address", paths.socket, "--namespace", "k8s.io", ...args], {
      signal,
      timeoutMs: importTimeoutMs,
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
        const { stdout } = await ctr(["images", "import", file], signal);
        logger.info("images imported", { archive: name, ctr: stdout.trim() });
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

  return {
    name: "image archives",
    importArchives,
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
      const look = () => {
        work = work
          .then(() => importArchives(signal))
          .catch((caught: unknown) => {
            if (!signal.aborted)
              logger.error("the images folder cannot be read", { error: String(caught) });
          });
      };
      const watcher = watch(paths.imagesDir, () => {
        cancel();
        cancel = deps.clock.after(settleMs, look);
      });
      try {
        look();
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      } finally {
        cancel();
        watcher.close();
        await work;
      }
    },
  };
}
