import type { Container, LifecycleHandler } from "../../api/generated/core-v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import { httpGet } from "./http-get.ts";

export interface HookContext {
  readonly runtime: Pick<RuntimeService, "execSync">;
  readonly clock: Clock;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

const httpTimeoutMs = 60_000;

/** Runs a postStart or preStop hook to its end; rejects with a sentence where it fails. */
export async function runHook(
  hook: LifecycleHandler,
  { runtime, clock, container, containerId, podIp }: HookContext,
  signal: AbortSignal,
): Promise<void> {
  if (hook.exec !== undefined) {
    const command = hook.exec.command ?? [];
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, 0, {
      signal,
    });
    if (exitCode !== 0) {
      const said = Buffer.concat([stdout, stderr]).toString();
      throw new Error(
        `command '${command.join(" ")}' exited with ${exitCode}: ${said}, message: ${JSON.stringify(said)}`,
      );
    }
  } else if (hook.httpGet !== undefined) {
    const answer = await httpGet(hook.httpGet, container, podIp, httpTimeoutMs);
    if (answer.outcome === "failed") throw new Error(answer.message);
    if (answer.code >= 400)
      throw new Error(`HTTP hook failed with statuscode: ${answer.code}: ${answer.body}`);
  } else if (hook.sleep !== undefined) {
    await clock.sleep(hook.sleep.seconds * 1000, signal);
  }
}
