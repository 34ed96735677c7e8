import { join } from "node:path";
import { assert } from "../../base/assert.ts";
import { instanceOf } from "../instance.ts";

/** Where a node keeps its container runtime. */
export interface ContainerdPaths {
  /** Files that outlive a reboot. */
  readonly root: string;
  /** Sockets and mounts; gone after a reboot. */
  readonly state: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly cniConfDir: string;
  readonly registryConfigDir: string;
  /** Archives put here are imported. */
  readonly imagesDir: string;
  readonly importsFile: string;
}

/** `sun_path` holds 108 bytes with its end; containerd's shims add to ours. */
const socketPathBytesMax = 107;

/**
 * The paths of the runtime under `dataDir`. What the kernel limits the length of lies in /run/mini8s, under a name
 * made from the data-dir, so that any number of nodes share a machine whatever their data-dirs are called.
 */
export function containerdPaths(dataDir: string): ContainerdPaths {
  const agent = join(dataDir, "agent");
  const state = join(instanceOf(dataDir).runFolder, "containerd");
  const socket = join(state, "containerd.sock");
  assert(`${socket}.ttrpc`.length <= socketPathBytesMax, "a socket's path fits into sun_path");
  return {
    root: join(agent, "containerd"),
    state,
    socket,
    pidFile: join(state, "containerd.pid"),
    configFile: join(agent, "etc", "containerd", "config.toml"),
    logFile: join(agent, "containerd", "containerd.log"),
    cniConfDir: join(agent, "etc", "cni", "net.d"),
    registryConfigDir: join(agent, "etc", "containerd", "certs.d"),
    imagesDir: join(agent, "images"),
    importsFile: join(agent, "containerd", "mini8s-imports.json"),
  };
}
