import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Kernel parameters of this process's network namespace and of the machine, named as `sysctl` names them. */
export interface Sysctls {
  get(name: string): Promise<string>;
  /** Writes only where the value differs. Rejects with a sentence where the kernel does not allow it. */
  set(name: string, value: string): Promise<void>;
}

export const systemSysctls: Sysctls = {
  async get(name) {
    return (await readFile(pathOf(name), "utf8")).trim();
  },
  async set(name, value) {
    const path = pathOf(name);
    try {
      if ((await readFile(path, "utf8")).trim() === value) return;
      await writeFile(path, value);
    } catch (cause) {
      throw new Error(`cannot set the kernel parameter ${name} to ${value}`, { cause });
    }
  },
};

/** Dots separate; a slash in the name stands for a dot in the file's name, as in `net.ipv4.conf.eth0/1.forwarding`. */
function pathOf(name: string): string {
  return join("/proc/sys", ...name.split(".").map((part) => part.replaceAll("/", ".")));
}
