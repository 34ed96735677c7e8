import type { NodeConfig } from "../pkg/agent/node.ts";

/** What the thread of the server's own node is started with. */
export interface AgentThreadData {
  readonly config: NodeConfig;
  readonly debug: boolean;
}

/** What the thread of the server's own node says at its end. Without a stack, the message is for people to mend. */
export type AgentThreadReport =
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly message: string; readonly stack: string | undefined };
