import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ImageFile, packOciArchive } from "../../pkg/agent/containerd/oci-archive.ts";
import { downloadClosure } from "./debian-closure.ts";

const run = promisify(execFile);

/** Kept from run to run: the packages are large, and the same recipe gives the same archive. */
const cacheDir = "/var/cache/mini8s-test";

export interface DebianImageRecipe {
  /** `localhost/name:tag`. */
  readonly name: string;
  readonly packages: readonly string[];
  /** Files of the image's own, by path without a leading slash. */
  readonly files?: Readonly<Record<string, { readonly body: string; readonly mode?: number }>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Bulk that nothing in a test reads. */
const leftOut =
  /^(usr\/share\/(doc|man|locale|info|lintian|bug|common-licenses)|var\/(lib\/dpkg|cache)|usr\/lib\/llvm-\d+)\/|\/libLLVM/;

/** An OCI archive made of Debian packages and all they depend on; returns its path. */
export async function debianImage(recipe: DebianImageRecipe): Promise<string> {
  const work = join(cacheDir, "apt");
  const debs = await downloadClosure(work, recipe.packages);
  const id = createHash("sha256")
    .update(JSON.stringify([recipe, debs]))
    .digest("hex")
    .slice(0, 16);
  const archive = join(cacheDir, `${recipe.name.replaceAll(/[^a-z0-9]+/g, "-")}-${id}.tar`);
  if (existsSync(archive)) return archive;
  const root = await mkdtemp(join(cacheDir, "root-"));
  try {
    for (const deb of debs) await run("dpkg-deb", ["-x", join(work, "archives", deb), root]);
    const files = [...(await filesBelow(root, "")), ...ownFiles(recipe)];
    const architecture = process.arch === "x64" ? "amd64" : process.arch;
    const bytes = await packOciArchive({
      name: recipe.name,
      architecture,
      files,
      config: recipe.config,
    });
    await writeFile(`${archive}.new`, bytes);
    await rename(`${archive}.new`, archive);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return archive;
}

async function filesBelow(root: string, below: string): Promise<readonly ImageFile[]> {
  const found: ImageFile[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (leftOut.test(`${path}/`)) continue;
    const full = join(root, path);
    if (entry.isSymbolicLink())
      found.push({ path, content: { type: "symlink", target: await readlink(full) } });
    else if (entry.isDirectory()) {
      found.push({ path, content: { type: "directory", mode: (await stat(full)).mode & 0o7777 } });
      found.push(...(await filesBelow(root, path)));
    } else if (entry.isFile()) {
      const mode = (await stat(full)).mode & 0o7777;
      found.push({ path, content: { type: "file", body: await readFile(full), mode } });
    }
  }
  return found;
}

function ownFiles(recipe: DebianImageRecipe): readonly ImageFile[] {
  return Object.entries(recipe.files ?? {}).map(([path, { body, mode = 0o644 }]) => ({
    path,
    content: { type: "file", body: Buffer.from(body), mode },
  }));
}
