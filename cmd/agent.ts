import { isMainThread, parentPort } from "node:worker_threads";
import { createNode } from "../pkg/agent/node.ts";
import { assert } from "../pkg/base/assert.ts";
import { systemClock } from "../pkg/base/clock.ts";
import type { Logger } from "../pkg/base/log.ts";
import { MendableError } from "../pkg/base/mendable-error.ts";
import type { AgentThreadData, AgentThreadReport } from "./agent-thread.ts";
import { claimDataDir } from "./claim-data-dir.ts";
import type { FlagValues } from "./flags.ts";
import { readGivenToken } from "./given-token.ts";
import { createLogger } from "./logger.ts";
import { nodeConfigOf } from "./node-config.ts";
import { UsageError } from "./usage-error.ts";

/** `mini8s agent`: a node of somebody else's cluster. Settles when it has stopped. */
export async function runAgentCommand(
  flags: FlagValues,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (flags.join === undefined) {
    throw new UsageError(
      "--join is missing: name the server to join, like --join https://192.168.1.10:6443",
    );
  }
  const token = await readGivenToken(flags);
  if (token === undefined) {
    throw new UsageError(
      "--token is missing: give what <data-dir>/server/node-token holds on the server",
    );
  }
  const config = nodeConfigOf(flags, { server: flags.join, token });
  using _claim = claimDataDir(flags.dataDir);
  await createNode({ config, clock: systemClock, logger, random: Math.random }).run(signal);
}

function reportOf(thrown: unknown): AgentThreadReport {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof MendableError) return { type: "failed", message, stack: undefined };
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return { type: "failed", message, stack: stack ?? message };
}

/** The node of `mini8s server`, in a thread of its own: ends when its parent says "stop", or with why it cannot go on. */
export async function runAgentThread({ config, debug }: AgentThreadData): Promise<void> {
  assert(!isMainThread && parentPort !== null, "the node's thread has a parent");
  const port = parentPort;
  const stop = new AbortController();
  port.on("message", () => stop.abort(new Error("the server stops")));
  const logger = createLogger({ debug });
  try {
    await createNode({ config, clock: systemClock, logger, random: Math.random }).run(stop.signal);
    port.postMessage({ type: "stopped" } satisfies AgentThreadReport);
  } catch (thrown) {
    port.postMessage(stop.signal.aborted ? { type: "stopped" } : reportOf(thrown));
  }
  port.close();
}
