import { createHash } from "node:crypto";
import { join } from "node:path";

/** What of a node lies outside its data-dir, under a name made from it: several nodes may share a machine. */
export interface Instance {
  /** Sockets, state and mounts that a reboot takes away. */
  readonly runFolder: string;
  /** The control group that all its containers are below, in each hierarchy. */
  readonly cgroup: string;
}

export const instancesFolder = "/run/mini8s";
export const instancesCgroup = "/mini8s";

/** The kernel limits the length of a socket's path: hence a short name. */
export function instanceOf(dataDir: string): Instance {
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  return { runFolder: join(instancesFolder, name), cgroup: join(instancesCgroup, name) };
}
