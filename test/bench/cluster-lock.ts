import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Held while containers run, so that what measures them and what tests them never share the machine. `flock` lets go
 * when its child ends, however this process does.
 */
export async function clusterLock(): Promise<Disposable> {
  const holder = spawn("flock", ["/tmp/mini8s-cluster.lock", "sh", "-c", "echo held; cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return { [Symbol.dispose]: () => holder.stdin.end() };
}
