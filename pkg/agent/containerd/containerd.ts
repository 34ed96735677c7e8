import { mkdir, rename, rm, stat, truncate } from "node:fs/promises";
import { orAborted } from "../../base/abort.ts";
import { type BackoffPolicy, backoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { MendableError } from "../../base/mendable-error.ts";
import type { Service } from "../../base/service.ts";
import { connectRpc } from "../cri/connect.ts";
import { createRuntimeService } from "../cri/runtime.ts";
import { CommandError, type Commands } from "../host/exec.ts";
import { isThere, readFileIfThere, writeFileAtomically } from "../host/files.ts";
import type { Processes } from "../host/processes.ts";
import { type ContainerdConfig, renderContainerdConfig } from "./config.ts";
import type { ContainerdPaths } from "./paths.ts";

export interface ContainerdDeps {
  readonly paths: ContainerdPaths;
  readonly config: Omit<
    ContainerdConfig,
    "root" | "state" | "socket" | "cniConfDir" | "registryConfigDir"
  >;
  readonly commands: Commands;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Containerd extends Service {
  /** Resolves once the runtime answers; rejects with a sentence when it cannot be started at all. */
  ready(signal: AbortSignal): Promise<void>;
}

const restartBackoff: BackoffPolicy = { firstMs: 250, maxMs: 30_000 };
/** A runtime that lived for so long was healthy: the next restart waits as little as the first. */
const healthyAfterMs = 60_000;
const startTimeoutMs = 30_000;
const lookForSocketMs = 20;
/** Past this size the log is moved to `.1` when containerd starts, and cut while it runs. */
const logBytesMax = 16 * 1024 * 1024;
const logCheckMs = 600_000;

/**
 * The node's own containerd. It runs in a session of its own and is left running when mini8s stops, so that
 * containers never notice; the next start adopts it where its configuration is still the one wanted. When it dies
 * it is started again; its shims, and so the containers, live on meanwhile.
 */
export function createContainerd(deps: ContainerdDeps): Containerd {
  const { paths, commands, processes, clock, logger } = deps;
  const started = Promise.withResolvers<void>();
  started.promise.catch(() => {});

  async function isOurs(pid: number): Promise<boolean> {
    const line = await processes.commandLine(pid);
    return line?.includes(paths.configFile) === true;
  }

  /** The pid of a containerd that an earlier mini8s left running with the same configuration. */
  async function findRunning(configuration: string): Promise<number | undefined> {
    const pid = Number((await readFileIfThere(paths.pidFile)) ?? Number.NaN);
    if (!Number.isInteger(pid) || !(await isOurs(pid))) return undefined;
    const same = (await readFileIfThere(paths.configFile)) === configuration;
    if (same && (await isThere(paths.socket))) return pid;
    logger.info("containerd is started again with its new configuration", { pid });
    await end(pid);
    return undefined;
  }

  async function end(pid: number): Promise<void> {
    processes.signal(pid, "SIGTERM");
    const ended = processes.ended(pid, AbortSignal.timeout(10_000));
    await ended.catch(() => processes.signal(pid, "SIGKILL"));
  }

  async function start(): Promise<{ pid: number; ended: Promise<string> }> {
    await rotateLog(paths.logFile);
    await rm(paths.socket, { force: true });
    const child = await commands.startDetached("containerd", ["--config", paths.configFile], {
      logFile: paths.logFile,
    });
    await writeFileAtomically(paths.pidFile, String(child.pid));
    logger.info("containerd started", { pid: child.pid });
    return child;
  }

  async function waitUntilAnswers(ended: Promise<string>, signal: AbortSignal): Promise<void> {
    let end: string | undefined;
    ended.then(
      (how) => {
        end = how;
      },
      () => {},
    );
    const deadline = clock.monotonic() + startTimeoutMs;
    using connection = connectRpc(paths.socket);
    const runtime = createRuntimeService(connection);
    for (;;) {
      if (end !== undefined) throw new Error(`containerd ${end}; its log is ${paths.logFile}`);
      if (await isThere(paths.socket)) {
        try {
          await runtime.version({ signal, timeoutMs: 2_000 });
          return;
        } catch (caught) {
          signal.throwIfAborted();
          // The socket is there before the services behind it are.
          logger.debug("containerd does not answer yet", { error: String(caught) });
        }
      }
      if (clock.monotonic() > deadline)
        throw new Error(`containerd does not answer; its log is ${paths.logFile}`);
      await clock.sleep(lookForSocketMs, signal);
    }
  }

  async function runOnce(adopt: boolean, signal: AbortSignal): Promise<string> {
    const configuration = renderContainerdConfig({ ...deps.config, ...paths });
    const running = adopt ? await findRunning(configuration) : undefined;
    if (running === undefined) await writeFileAtomically(paths.configFile, configuration);
    const child =
      running === undefined
        ? await start()
        : {
            pid: running,
            ended: processes.ended(running, signal).then(() => "is gone"),
          };
    child.ended.catch(() => {});
    if (running !== undefined) logger.info("containerd adopted", { pid: running });
    try {
      await waitUntilAnswers(child.ended, signal);
    } catch (caught) {
      signal.throwIfAborted();
      // One that hangs holds the store's lock: the next one would wait for it for ever.
      if (await isOurs(child.pid)) await end(child.pid);
      throw caught;
    }
    started.resolve();
    const watch = keepLogSmall(paths.logFile, clock, signal);
    try {
      return await orAborted(child.ended, signal);
    } finally {
      watch();
    }
  }

  return {
    name: "containerd",
    ready: (signal) => orAborted(started.promise, signal),
    async run(signal) {
      for (const folder of [
        paths.root,
        paths.state,
        paths.cniConfDir,
        paths.registryConfigDir,
        paths.imagesDir,
      ]) {
        await mkdir(folder, { recursive: true, mode: 0o711 });
      }
      let failures = 0;
      let adopt = true;
      while (!signal.aborted) {
        const since = clock.monotonic();
        try {
          const how = await runOnce(adopt, signal);
          logger.error("containerd ended, containers run on", { how });
        } catch (caught) {
          if (signal.aborted) return;
          if (caught instanceof CommandError && caught.missing) {
            const sentence = new MendableError(
              "containerd is not installed: run `apt-get install containerd runc containernetworking-plugins`, " +
                "or name a running one with --container-runtime-endpoint",
              { cause: caught },
            );
            started.reject(sentence);
            throw sentence;
          }
          logger.error("containerd cannot be started", { error: String(caught) });
        }
        adopt = false;
        failures = clock.monotonic() - since > healthyAfterMs ? 1 : failures + 1;
        try {
          await clock.sleep(backoffMs(restartBackoff, failures), signal);
        } catch {
          return;
        }
      }
    },
  };
}

async function rotateLog(logFile: string): Promise<void> {
  if (!(await isThere(logFile))) return;
  if ((await stat(logFile)).size > logBytesMax) await rename(logFile, `${logFile}.1`);
}

/** containerd holds its log open for appending, so it can be cut but not moved while it runs. */
function keepLogSmall(logFile: string, clock: Clock, signal: AbortSignal): () => void {
  let cancel = () => {};
  const look = async () => {
    try {
      if ((await stat(logFile)).size > logBytesMax) await truncate(logFile);
    } catch {
      // The log was taken away by hand: there is nothing to bound.
    }
    if (!signal.aborted) cancel = clock.after(logCheckMs, () => void look());
  };
  cancel = clock.after(logCheckMs, () => void look());
  return () => cancel();
}
