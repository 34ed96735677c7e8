import type { Logger } from "../pkg/base/log.ts";
import type { FlagValues } from "./flags.ts";

export async function runServerCommand(
  flags: FlagValues,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  logger.info("starting", { flags });
  signal.throwIfAborted();
  await Promise.resolve();
}

export function runStoreThread(data: unknown): void {
  void data;
}
