import { execFile } from "node:child_process";

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandInput {
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end; an exit code other than zero is an answer. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandInput = {},
): Promise<CommandOutput> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [...args],
      { maxBuffer: 1 << 28, timeout: options.timeoutMs ?? 120_000, encoding: "utf8" },
      (error, stdout, stderr) => {
        const code = error?.code;
        resolve({
          exitCode: error === null ? 0 : typeof code === "number" ? code : 1,
          stdout,
          stderr,
        });
      },
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
  });
}
