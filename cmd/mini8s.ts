import { isMainThread, workerData } from "node:worker_threads";
import type { SqliteThreadData } from "../pkg/datastore/sqlite/protocol.ts";
import type { AgentThreadData } from "./agent-thread.ts";

/** What runs when this file is the entry of a worker: see `startThread`. */
type ThreadData =
  | { readonly role: "sqlite"; readonly data: SqliteThreadData }
  | { readonly role: "agent"; readonly data: AgentThreadData };

// Each thread loads only what it needs: all three would pay for the rest with memory.
async function main(): Promise<void> {
  if (isMainThread) {
    const { runCommandLine } = await import("./command-line.ts");
    return await runCommandLine();
  }
  const thread = workerData as ThreadData;
  if (thread.role === "sqlite") {
    const { runStoreThread } = await import("./store-thread.ts");
    return runStoreThread(thread.data);
  }
  const { runAgentThread } = await import("./agent.ts");
  await runAgentThread(thread.data);
}

void main();
