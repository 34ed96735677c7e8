import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { execa } from "execa";

interface CommandOptions {
  /** Written to the command's standard input, which is closed after it; without it the command reads nothing. */
  readonly input?: string | Uint8Array;
  /** In its place: what is too large to hold in memory. */
  readonly inputStream?: Readable;
  readonly signal?: AbortSignal;
  /** Default: {@link commandTimeoutMs}. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface SupervisedProcess {
  readonly pid: number;
  /** Resolves with a sentence when the process has ended. */
  readonly ended: Promise<string>;
}

/** The only way to start a program on this machine. */
export interface Commands {
  /** Runs to the end; rejects with a sentence that holds what the command said when it exits non-zero. */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** As `run`, but an exit code other than zero is an answer. */
  attempt(
    command: string,
    args: readonly string[],
    options?: CommandOptions,
  ): Promise<CommandResult>;
  /** Starts a program that outlives this process, in a session of its own, its output appended to `logFile`. */
  startDetached(
    command: string,
    args: readonly string[],
    options: { readonly logFile: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<SupervisedProcess>;
}

/** A command that says nothing for so long is ended. */
const commandTimeoutMs = 60_000;

/** A command that could not be started, or did not succeed. */
export class CommandError extends Error {
  readonly exitCode: number | undefined;
  /** True where there is no such program on this machine. */
  readonly missing: boolean;

  constructor(
    message: string,
    details: { readonly exitCode: number | undefined; readonly missing: boolean },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "CommandError";
    this.exitCode = details.exitCode;
    this.missing = details.missing;
  }
}

async function attempt(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await execa(command, args, {
    reject: false,
    timeout: options.timeoutMs ?? commandTimeoutMs,
    stripFinalNewline: false,
    ...stdinOf(options),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  options.signal?.throwIfAborted();
  if (result.exitCode === undefined) {
    const missing = result.code === "ENOENT";
    const why = missing
      ? "there is no such program on this machine"
      : (result.shortMessage ?? "it was ended");
    throw new CommandError(`${command}: ${why}`, { exitCode: undefined, missing });
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

function stdinOf({ input, inputStream }: CommandOptions) {
  if (inputStream !== undefined) return { input: inputStream };
  return input === undefined ? { stdin: "ignore" as const } : { input };
}

/** Programs as this machine runs them. */
export const systemCommands: Commands = {
  attempt,
  async run(command, args, options) {
    const result = await attempt(command, args, options);
    if (result.exitCode !== 0) {
      const said = result.stderr.trim() || result.stdout.trim() || "it said nothing";
      throw new CommandError(
        `${[command, ...args.slice(0, 4)].join(" ")} exited with ${result.exitCode}: ${said}`,
        { exitCode: result.exitCode, missing: false },
      );
    }
    return result;
  },
  startDetached(command, args, options) {
    return new Promise((resolve, reject) => {
      const log = openSync(options.logFile, "a", 0o600);
      const child = spawn(command, args, {
        detached: true,
        stdio: ["ignore", log, log],
        ...(options.env === undefined ? {} : { env: { ...options.env } }),
      });
      closeSync(log);
      const ended = new Promise<string>((settle) => {
        child.once("exit", (code, signal) =>
          settle(signal === null ? `exited with ${code}` : `was ended by ${signal}`),
        );
      });
      child.once("error", (cause: NodeJS.ErrnoException) =>
        reject(
          new CommandError(
            `cannot start ${command}: ${cause.message}`,
            { exitCode: undefined, missing: cause.code === "ENOENT" },
            { cause },
          ),
        ),
      );
      child.once("spawn", () => {
        child.unref();
        if (child.pid !== undefined) resolve({ pid: child.pid, ended });
      });
    });
  },
};
