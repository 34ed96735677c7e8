import { readFile, statfs } from "node:fs/promises";
import { arch, availableParallelism, hostname, networkInterfaces, release } from "node:os";
import { readFileIfThere } from "./files.ts";

/** What does not change while the machine runs. */
export interface MachineFacts {
  readonly hostname: string;
  /** As Go names it: amd64, arm64. */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface MachineUse {
  readonly memoryAvailableBytes: number;
  readonly disk: { readonly capacityBytes: number; readonly availableBytes: number };
  readonly inodes: { readonly total: number; readonly free: number };
  readonly pids: { readonly max: number; readonly used: number };
}

export interface Machine {
  facts(): Promise<MachineFacts>;
  /** What is left now; the disk is the one that holds `path`. */
  use(path: string): Promise<MachineUse>;
  /** True where this process holds the capability, by its number in linux/capability.h. */
  hasCapability(number: number): Promise<boolean>;
  /** The address of the interface that holds the default route; undefined without one. */
  defaultAddress(): Promise<string | undefined>;
}

export const capSysResource = 24;

const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

export const systemMachine: Machine = {
  async facts() {
    const [meminfo, osRelease, machineId, productUuid, bootId] = await Promise.all([
      readFile("/proc/meminfo", "utf8"),
      readFileIfThere("/etc/os-release"),
      readFileIfThere("/etc/machine-id"),
      // Readable by root only, and absent on many boards.
      readFileIfThere("/sys/class/dmi/id/product_uuid"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    ]);
    const id = (machineId ?? "").trim();
    return {
      hostname: hostname().toLowerCase(),
      architecture: architectures[arch()] ?? arch(),
      kernelVersion: release(),
      osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease ?? "")?.[1] ?? "Linux",
      machineId: id,
      systemUuid: (productUuid ?? "").trim() || id,
      bootId: bootId.trim(),
      cpus: availableParallelism(),
      memoryBytes: meminfoBytes(meminfo, "MemTotal"),
    };
  },
  async use(path) {
    const [meminfo, disk, pidMax, loadavg] = await Promise.all([
      readFile("/proc/meminfo", "utf8"),
      statfs(path),
      readFile("/proc/sys/kernel/pid_max", "utf8"),
      readFile("/proc/loadavg", "utf8"),
    ]);
    return {
      memoryAvailableBytes: meminfoBytes(meminfo, "MemAvailable"),
      disk: {
        capacityBytes: disk.blocks * disk.bsize,
        availableBytes: disk.bavail * disk.bsize,
      },
      inodes: { total: disk.files, free: disk.ffree },
      pids: { max: Number(pidMax), used: Number(/\/(\d+) /.exec(loadavg)?.[1] ?? 0) },
    };
  },
  async hasCapability(number) {
    const status = await readFile("/proc/self/status", "utf8");
    const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
    return (effective >> BigInt(number)) % 2n === 1n;
  },
  async defaultAddress() {
    const routes = await readFile("/proc/net/route", "utf8");
    const interfaces = networkInterfaces();
    const name = defaultInterface(routes);
    const candidates = name === undefined ? Object.values(interfaces).flat() : interfaces[name];
    return (candidates ?? []).find(
      (address) => address !== undefined && address.family === "IPv4" && !address.internal,
    )?.address;
  },
};

/** The interface of the default route with the least metric, out of the text of /proc/net/route. */
export function defaultInterface(routes: string): string | undefined {
  const found = routes
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t").map((field) => field.trim()))
    .filter((fields) => fields[1] === "00000000" && fields[7] === "00000000")
    .sort((one, other) => Number(one[6]) - Number(other[6]));
  return found[0]?.[0];
}

function meminfoBytes(meminfo: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(meminfo)?.[1] ?? 0) * 1024;
}
