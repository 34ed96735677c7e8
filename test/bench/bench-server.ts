import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { executable } from "../support/test-host.ts";
import { endedWithBench, hasEnded } from "./cleanup.ts";
import { Http2Load } from "./http2-load.ts";
import { targetOf } from "./kubeconfig.ts";
import type { MemoryCgroup } from "./memory-cgroup.ts";

const readyTimeoutMs = 30_000;

/** A control plane of the built executable on a port of its own. */
export class BenchServer implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #keep: boolean;
  /** From exec to the first good /readyz, in milliseconds. */
  readonly readyMs: number;

  private constructor(process: ChildProcess, directory: string, keep: boolean, readyMs: number) {
    this.#process = process;
    this.#directory = directory;
    this.#keep = keep;
    this.readyMs = readyMs;
  }

  /** `directory`: of an earlier one, which is then left to the caller; default: a fresh one. */
  static async start(directory?: string, memory?: MemoryCgroup): Promise<BenchServer> {
    const home = directory ?? (await mkdtemp("/var/tmp/mini8s-bench-"));
    const port = await freePort();
    const log = await open(join(home, "mini8s.log"), "a");
    const started = performance.now();
    const child = spawn(
      ...within(memory, executable, [
        ...["server", "--disable-agent", "--https-listen-port", String(port)],
        ...["--bind-address", "127.0.0.1", "--advertise-address", "192.0.2.1"],
        ...["--data-dir", join(home, "data"), "--write-kubeconfig", join(home, "kubeconfig.yaml")],
      ]),
      { stdio: ["ignore", log.fd, log.fd] },
    );
    await log.close();
    try {
      await untilReady(child, home, port, started + readyTimeoutMs);
    } catch (caught) {
      child.kill("SIGKILL");
      if (directory === undefined) await rm(home, { recursive: true, force: true });
      throw caught;
    }
    const readyMs = performance.now() - started;
    return endedWithBench(new BenchServer(child, home, directory !== undefined, readyMs));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** One HTTP/2 connection: as the administrator, or as the one whose token is given. */
  connect(token?: string): Promise<Http2Load> {
    const target = targetOf(join(this.#directory, "kubeconfig.yaml"));
    if (token === undefined) return Http2Load.connect(target);
    const { host, port, ca } = target;
    return Http2Load.connect({ host, port, ca, token });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    hasEnded(this);
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      const kill = setTimeout(() => this.#process.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(kill);
    }
    if (!this.#keep) await rm(this.#directory, { recursive: true, force: true });
  }
}

/** The command as it is, or as a member of a control group from its first instruction on. */
function within(
  memory: MemoryCgroup | undefined,
  command: string,
  args: readonly string[],
): [string, string[]] {
  if (memory === undefined) return [command, [...args]];
  const script = 'echo $$ > "$0"; exec "$@"';
  return ["sh", ["-c", script, memory.membersFile, command, ...args]];
}

/** One that nobody listens on now: there may be other benches, and other servers, on the machine. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function untilReady(
  child: ChildProcess,
  home: string,
  port: number,
  deadline: number,
): Promise<void> {
  const kubeconfig = join(home, "kubeconfig.yaml");
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(
        `mini8s ended: ${readFileSync(join(home, "mini8s.log"), "utf8").slice(-800)}`,
      );
    if (performance.now() > deadline) throw new Error("the API was not ready in time");
    if ((await accepts(port)) && existsSync(kubeconfig) && (await isReady(kubeconfig))) return;
    await sleep(2);
  }
}

function accepts(tcpPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(tcpPort, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function isReady(kubeconfig: string): Promise<boolean> {
  try {
    using client = await Http2Load.connect(targetOf(kubeconfig));
    return (await client.request("GET", "/readyz")).status === 200;
  } catch {
    return false;
  }
}
