import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { powerOff } from "./power-off.ts";
import { type CommandOutput, runCommand } from "./run-command.ts";

/** The executable under test: what `npm run build` made. */
export const executable = join(import.meta.dirname, "../../dist/mini8s");

/** Waits until `check` gives a value; fails with what it last said. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 60_000);
  let last: unknown = "nothing yet";
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined) return value;
    } catch (caught) {
      last = caught;
    }
    if (performance.now() > deadline) {
      throw new Error(
        `did not happen in time: ${what}; last: ${last instanceof Error ? last.message : String(last)}`,
        { cause: last },
      );
    }
    await sleep(options.everyMs ?? 100);
  }
}

let hostsMade = 0;

/**
 * A machine of its own for one mini8s: a network namespace with an address that the test's own host reaches, and
 * a data-dir. Everything of it is gone after `destroy`, also after a failed test.
 */
export class TestHost {
  readonly name: string;
  readonly address: string;
  readonly gateway: string;
  readonly dataDir: string;
  readonly kubeconfig: string;
  #process: ChildProcess | undefined;

  private constructor(index: number, directory: string) {
    this.name = `m8s-${process.pid}-${index}`;
    const subnet = `10.98.${(process.pid % 60) * 4 + (index % 4)}`;
    this.gateway = `${subnet}.1`;
    this.address = `${subnet}.2`;
    this.dataDir = join(directory, "data");
    this.kubeconfig = join(directory, "kubeconfig.yaml");
  }

  static async create(): Promise<TestHost> {
    const host = new TestHost(hostsMade++, await mkdtemp("/var/tmp/mini8s-test-"));
    await mkdir(host.dataDir, { recursive: true });
    await host.#plugIn();
    return host;
  }

  async #plugIn(): Promise<void> {
    const link = `v${this.name.slice(4)}`.slice(0, 15);
    const commands = [
      `netns add ${this.name}`,
      `link add ${link} type veth peer name eth0 netns ${this.name}`,
      `addr add ${this.gateway}/24 dev ${link}`,
      `link set ${link} up`,
      `-n ${this.name} link set lo up`,
      `-n ${this.name} addr add ${this.address}/24 dev eth0`,
      `-n ${this.name} link set eth0 up`,
      `-n ${this.name} route add default via ${this.gateway}`,
    ];
    for (const command of commands) await this.#must("ip", command.split(" "));
  }

  async #unplug(): Promise<void> {
    const link = `v${this.name.slice(4)}`.slice(0, 15);
    // At once; the namespace itself goes when the kernel finds the time.
    await runCommand("ip", ["link", "del", link]);
    await runCommand("ip", ["netns", "del", this.name]);
  }

  /** The power is cut, and comes back: only the disk is as it was. mini8s is not started yet. */
  async reboot(): Promise<void> {
    await this.stop("SIGKILL");
    await powerOff(this.dataDir);
    await this.#unplug();
    await this.#plugIn();
  }

  get log(): string {
    return join(this.dataDir, "mini8s.log");
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("mini8s has not been started");
    return pid;
  }

  /** Starts `mini8s server` and does not wait. */
  async start(...flags: readonly string[]): Promise<void> {
    const own = ["--write-kubeconfig", this.kubeconfig, "--node-name", "node-1"];
    await this.#launch("server", [...own, "--node-ip", this.address, ...flags]);
  }

  /** Starts `mini8s agent` and does not wait. */
  async join(server: string, token: string, ...flags: readonly string[]): Promise<void> {
    await this.#launch("agent", ["--join", server, "--token", token, ...flags]);
  }

  async #launch(command: "server" | "agent", flags: readonly string[]): Promise<void> {
    const output = await open(this.log, "a");
    this.#process = spawn(
      "nsenter",
      [
        ...[`--net=/run/netns/${this.name}`, executable, command],
        ...["--data-dir", this.dataDir, ...flags],
      ],
      { stdio: ["ignore", output.fd, output.fd], detached: true },
    );
    await output.close();
  }

  /** Waits until the node is Ready. */
  async ready(timeoutMs = 60_000): Promise<void> {
    await eventually(
      "the node is Ready",
      async () => {
        if (this.#process?.exitCode !== null) {
          throw new Error(`mini8s ended: ${(await this.logLines()).slice(-5).join("\n")}`);
        }
        if (!existsSync(this.kubeconfig)) return undefined;
        const { stdout } = await this.kubectl("get", "nodes", "--no-headers");
        return /\sReady\s/.test(stdout) ? true : undefined;
      },
      { timeoutMs },
    );
  }

  async logLines(): Promise<readonly string[]> {
    return (await readFile(this.log, "utf8")).trim().split("\n");
  }

  /** Ends mini8s and waits until it has gone; its containers go on. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return Promise.resolve(child?.exitCode ?? null);
    }
    const ended = new Promise<number | null>((resolve) =>
      child.once("exit", (code) => resolve(code)),
    );
    child.kill(signal);
    return ended;
  }

  /** A program inside the machine's network. */
  exec(command: string, ...args: readonly string[]): Promise<CommandOutput> {
    // Not ip netns exec: that mounts a /sys of its own, without control groups.
    return runCommand("nsenter", [`--net=/run/netns/${this.name}`, command, ...args]);
  }

  /** As `exec`, but goes on until it is killed. */
  spawn(command: string, ...args: readonly string[]): ChildProcess {
    return spawn("nsenter", [`--net=/run/netns/${this.name}`, command, ...args], {
      stdio: "ignore",
    });
  }

  /** The pod addresses that are given out. */
  async heldAddresses(): Promise<readonly string[]> {
    const names = await readdir(join(this.dataDir, "agent", "cni", "networks", "mini8s"));
    return names.filter((name) => /^[0-9.]+$/.test(name));
  }

  kubectl(...args: readonly string[]): Promise<CommandOutput> {
    return this.exec("kubectl", "--kubeconfig", this.kubeconfig, ...args);
  }

  /** As `kubectl`, but must succeed; returns what it printed. */
  async k(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.kubectl(...args);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")} failed: ${stderr}${stdout}`);
    return stdout.trim();
  }

  async apply(manifest: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runCommand(
      "nsenter",
      [
        ...[`--net=/run/netns/${this.name}`, "kubectl", "--kubeconfig", this.kubeconfig],
        ...["apply", ...args, "-f", "-"],
      ],
      { input: manifest },
    );
    if (exitCode !== 0) throw new Error(`kubectl apply failed: ${stderr}`);
    return stdout.trim();
  }

  /** Puts an image archive where the node imports it from. */
  async addImage(archive: string): Promise<void> {
    const directory = join(this.dataDir, "agent", "images");
    await mkdir(directory, { recursive: true });
    const target = join(directory, archive.split("/").at(-1) ?? "");
    await runCommand("cp", [archive, `${target}.partial`]);
    await this.#must("mv", [`${target}.partial`, target]);
  }

  async note(text: string): Promise<void> {
    await appendFile(this.log, `${text}\n`);
  }

  async destroy(): Promise<void> {
    await this.stop("SIGKILL");
    await runCommand("nsenter", [
      `--net=/run/netns/${this.name}`,
      executable,
      "uninstall",
      "--data-dir",
      this.dataDir,
      "--write-kubeconfig",
      this.kubeconfig,
      "--yes",
    ]);
    await powerOff(this.dataDir);
    await this.#unplug();
    await rm(join(this.dataDir, ".."), { recursive: true, force: true });
  }

  async #must(command: string, args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await runCommand(command, args);
    if (exitCode !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  }
}
