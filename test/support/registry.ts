import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unpackTar } from "modern-tar";

export interface RegistryUser {
  readonly name: string;
  readonly password: string;
  /** bcrypt of the password: the only form the registry reads. */
  readonly passwordHash: string;
}

/** Debian's docker-registry on a port of a network namespace's loopback, over plain HTTP, with images put right into its folder. */
export class Registry {
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(directory: string, process: ChildProcess) {
    this.#directory = directory;
    this.#process = process;
  }

  static async start(options: {
    readonly namespace: string;
    readonly port: number;
    readonly user?: RegistryUser;
    /** Repository and tag → OCI archive. */
    readonly images: Readonly<Record<string, string>>;
  }): Promise<Registry> {
    const directory = await mkdtemp("/var/tmp/mini8s-registry-");
    for (const [name, archive] of Object.entries(options.images)) {
      await putImage(join(directory, "docker/registry/v2"), name, await readFile(archive));
    }
    const { user } = options;
    const passwords = join(directory, "htpasswd");
    if (user !== undefined) await writeFile(passwords, `${user.name}:${user.passwordHash}\n`);
    const config = join(directory, "config.yml");
    await writeFile(
      config,
      JSON.stringify({
        version: 0.1,
        log: { level: "error" },
        storage: { filesystem: { rootdirectory: directory } },
        http: { addr: `127.0.0.1:${options.port}` },
        ...(user === undefined ? {} : { auth: { htpasswd: { realm: "test", path: passwords } } }),
      }),
    );
    const child = spawn(
      "nsenter",
      [`--net=/run/netns/${options.namespace}`, "docker-registry", "serve", config],
      { stdio: "ignore" },
    );
    return new Registry(directory, child);
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Lays an image of an OCI archive out as the registry's filesystem driver would (distribution, storage paths v2). */
async function putImage(root: string, name: string, archive: Uint8Array): Promise<void> {
  const [repository = "", tag = ""] = name.split(":");
  const files = new Map((await unpackTar(archive)).map(({ header, data }) => [header.name, data]));
  const index = JSON.parse(textOf(files.get("index.json"))) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  const manifest = index.manifests[0]?.digest ?? "";
  const write = async (path: string, content: string | Uint8Array) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  for (const [path, data] of files) {
    const hash = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
    if (hash === undefined || data === undefined) continue;
    await write(`blobs/sha256/${hash.slice(0, 2)}/${hash}/data`, data);
    await write(`repositories/${repository}/_layers/sha256/${hash}/link`, `sha256:${hash}`);
  }
  const manifests = `repositories/${repository}/_manifests`;
  const hash = manifest.replace("sha256:", "");
  await write(`${manifests}/revisions/sha256/${hash}/link`, manifest);
  await write(`${manifests}/tags/${tag}/current/link`, manifest);
  await write(`${manifests}/tags/${tag}/index/sha256/${hash}/link`, manifest);
}

function textOf(data: Uint8Array | undefined): string {
  return Buffer.from(data ?? new Uint8Array()).toString("utf8");
}
