import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

/** What containerd's shims keep outside of any folder that can be configured; a killed shim leaves it behind. */
export async function removeShimLeftovers(
  containerdSocket: string,
  ids: readonly string[],
): Promise<void> {
  for (const id of ids) {
    const socket = createHash("sha256")
      .update(join(containerdSocket, "k8s.io", id))
      .digest("hex");
    await rm(join("/run/containerd/s", socket), { force: true });
    await rm(join("/run/containerd/runc/k8s.io", id), { recursive: true, force: true });
  }
}
