import { readFile } from "node:fs/promises";
import type { Commands } from "./exec.ts";

export interface MountPoint {
  readonly path: string;
  readonly root: string;
  readonly filesystem: string;
  readonly source: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
}

/** What is mounted on this machine, and the means to change it. */
export interface Mounts {
  list(): Promise<readonly MountPoint[]>;
  mount(
    options: {
      readonly type: string;
      readonly source: string;
      readonly target: string;
      readonly options?: readonly string[];
    },
    signal: AbortSignal,
  ): Promise<void>;
  bind(source: string, target: string, signal: AbortSignal): Promise<void>;
  /** Unmounts all that is mounted at or below `path`, deepest first, in one command; nothing there is no error. */
  unmountBelow(path: string, signal: AbortSignal): Promise<void>;
}

export function createMounts(commands: Commands): Mounts {
  const list = async () => parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
  return {
    list,
    async mount({ type, source, target, options }, signal) {
      const flags = options === undefined || options.length === 0 ? [] : ["-o", options.join(",")];
      await commands.run("mount", ["-t", type, ...flags, source, target], { signal });
    },
    async bind(source, target, signal) {
      await commands.run("mount", ["--bind", source, target], { signal });
    },
    async unmountBelow(path, signal) {
      const paths = mountsBelow(await list(), path);
      if (paths.length > 0) await commands.run("umount", ["--lazy", ...paths], { signal });
    },
  };
}

/** The mount points at or below `path`, the last mounted first. */
export function mountsBelow(mounts: readonly MountPoint[], path: string): readonly string[] {
  return mounts
    .map((mount) => mount.path)
    .filter((mounted) => mounted === path || mounted.startsWith(`${path}/`))
    .reverse();
}

/** Reads the format of /proc/<pid>/mountinfo. */
export function parseMountInfo(text: string): readonly MountPoint[] {
  const mounts: MountPoint[] = [];
  for (const line of text.split("\n")) {
    const [left, right] = line.split(" - ");
    if (left === undefined || right === undefined) continue;
    const [, , , root, path, options] = left.split(" ");
    const [filesystem, source, superOptions] = right.split(" ");
    if (root === undefined || path === undefined || filesystem === undefined) continue;
    mounts.push({
      path: unescapeOctal(path),
      root: unescapeOctal(root),
      filesystem,
      source: unescapeOctal(source ?? ""),
      options: (options ?? "").split(","),
      superOptions: (superOptions ?? "").split(","),
    });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
