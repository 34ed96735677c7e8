import type { Logger } from "../pkg/base/log.ts";
import type { FlagValues } from "./flags.ts";

export async function runAgentCommand(
  flags: FlagValues,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  logger.info("starting", { flags });
  signal.throwIfAborted();
  await Promise.resolve();
}

export async function runAgentThread(data: unknown): Promise<void> {
  void data;
  await Promise.resolve();
}
