import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type CommandOutput, runCommand } from "./run-command.ts";

const run = promisify(execFile);

/** Kept from run to run: it takes a minute to make. */
const cacheDir = "/var/cache/mini8s-test";

/** The root of a smallest Debian of this machine's release, from the mirror that the machine uses itself. */
async function debianTree(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? "bookworm";
  const tree = join(cacheDir, `debian-${suite}`);
  if (existsSync(tree)) return tree;
  const { stdout } = await run("apt-get", [
    ...["indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"],
  ]);
  const line = stdout.split("\n").find((candidate) => candidate.startsWith(`${suite} `));
  const mirror = line?.split(" ")[1];
  if (mirror === undefined) throw new Error("no Debian mirror is set up in /etc/apt");
  await mkdir(cacheDir, { recursive: true });
  const fresh = `${tree}.new`;
  await rm(fresh, { recursive: true, force: true });
  await run("debootstrap", ["--variant=minbase", suite, fresh, mirror], { maxBuffer: 1 << 26 });
  await rename(fresh, tree);
  return tree;
}

/**
 * A Debian machine on which nothing but the base system is installed: a root of its own, with this machine's kernel
 * and network. What is changed in it is gone at the end.
 */
export class BareDebian implements AsyncDisposable {
  readonly root: string;
  readonly #work: string;

  private constructor(work: string) {
    this.#work = work;
    this.root = join(work, "root");
  }

  static async create(): Promise<BareDebian> {
    const tree = await debianTree();
    const machine = new BareDebian(await mkdtemp("/var/tmp/mini8s-bare-"));
    const changes = join(machine.#work, "changes");
    for (const name of ["root", "changes", "overlay"]) await mkdir(join(machine.#work, name));
    const overlay = `lowerdir=${tree},upperdir=${changes},workdir=${join(machine.#work, "overlay")}`;
    await run("mount", ["-t", "overlay", "-o", overlay, "overlay", machine.root]);
    for (const name of ["proc", "sys", "dev"])
      await run("mount", ["--rbind", "--make-rslave", `/${name}`, join(machine.root, name)]);
    await writeFile(join(machine.root, "etc/resolv.conf"), await readFile("/etc/resolv.conf"));
    return machine;
  }

  /** Puts a file or a folder of this machine there, under the same path or another. */
  async copy(path: string, target = path): Promise<void> {
    await cp(path, join(this.root, target), { recursive: true });
  }

  exec(command: string, ...args: readonly string[]): Promise<CommandOutput> {
    return runCommand("chroot", [this.root, command, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of ["proc", "sys", "dev", ""])
      await run("umount", ["--recursive", "--lazy", join(this.root, name)]).catch(() => {});
    await rm(this.#work, { recursive: true, force: true });
  }
}
