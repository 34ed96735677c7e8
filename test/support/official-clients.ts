import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { downloadClosure } from "./debian-closure.ts";

const run = promisify(execFile);

/** Kept from run to run: the packages are large, and the Go client takes minutes to build. */
const cacheDir = "/var/cache/mini8s-test/official-clients";
const tree = join(cacheDir, "tree");
const sources = join(import.meta.dirname, "../clients");

/** Kubernetes' own clients of the newest Debian, each with all it needs, in a tree of their own. */
export interface OfficialClients {
  /** A file system to change root into: `usr/bin/kubectl` and `usr/bin/python3` are in it, and `main.py`. */
  readonly tree: string;
  /** Test programs on Kubernetes' Go client: they run on any machine as they are. */
  readonly goClient: string;
  readonly operator: string;
}

/** Fetches and builds what is not there yet. */
export async function officialClients(): Promise<OfficialClients> {
  if (!existsSync(tree)) await unpack();
  await cp(join(sources, "python/main.py"), join(tree, "main.py"));
  return { tree, goClient: await buildGo("go"), operator: await buildGo("operator") };
}

async function unpack(): Promise<void> {
  const fresh = `${tree}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(join(cacheDir, "lists", "partial"), { recursive: true });
  const { stdout } = await run("apt-get", [
    ...["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
  ]);
  const mirror = stdout.split("\n").find((uri) => /\/debian\/?$/.test(uri));
  if (mirror === undefined) throw new Error("no Debian mirror is set up in /etc/apt");
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const list = join(cacheDir, "sources.list");
  await writeFile(list, `deb [signed-by=${keyring}] ${mirror} sid main\n`);
  // State of our own: nothing of the machine's is changed.
  const options = [
    ["Dir::Etc::sourcelist", list],
    ["Dir::Etc::sourceparts", "/dev/null"],
    ["Dir::Etc::preferences", "/dev/null"],
    ["Dir::Etc::preferencesparts", "/dev/null"],
    ["Dir::State::lists", join(cacheDir, "lists")],
    ["Dir::Cache", cacheDir],
    ["APT::Sandbox::User", "root"],
  ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("apt-get", [...options, "-qq", "update"]);
  const packages = [
    "golang-go",
    "golang-k8s-client-go-dev",
    "kubernetes-client",
    "python3-kubernetes",
  ];
  const debs = await downloadClosure(cacheDir, packages, options);
  for (const folder of ["usr", "dev", "tmp"]) await mkdir(join(fresh, folder), { recursive: true });
  for (const deb of debs) {
    await run("dpkg-deb", ["-x", join(cacheDir, "archives", deb), fresh]);
  }
  for (const folder of ["bin", "sbin", "lib", "lib64"]) {
    if (!existsSync(join(fresh, folder))) await symlink(`usr/${folder}`, join(fresh, folder));
  }
  // Nodes by number: the tree is no machine, and has no device files of its own.
  await run("mknod", ["-m", "666", join(fresh, "dev/null"), "c", "1", "3"]);
  await run("mknod", ["-m", "666", join(fresh, "dev/urandom"), "c", "1", "9"]);
  await rename(fresh, tree);
  await rm(join(cacheDir, "archives"), { recursive: true, force: true });
}

async function buildGo(program: string): Promise<string> {
  const source = await readFile(join(sources, program, "main.go"));
  const id = createHash("sha256").update(source).digest("hex").slice(0, 16);
  const name = `${program}-${id}`;
  const built = join(tree, name);
  if (existsSync(built)) return built;
  await mkdir(join(tree, "client"), { recursive: true });
  await writeFile(join(tree, "client/main.go"), source);
  const strip = ["-ldflags=-s -w", "-trimpath"];
  // The whole of client-go, so that a change of the program alone is quick the next time.
  await run(
    "chroot",
    [tree, "/usr/lib/go/bin/go", "build", ...strip, "-o", `/${name}.new`, "/client/main.go"],
    {
      env: {
        PATH: "/usr/bin:/usr/sbin",
        HOME: "/tmp",
        GOCACHE: "/tmp/go-cache",
        GOROOT: "/usr/lib/go",
        GO111MODULE: "off",
        GOPATH: "/usr/share/gocode",
        CGO_ENABLED: "0",
      },
      maxBuffer: 1 << 24,
    },
  );
  await rename(`${built}.new`, built);
  return built;
}
