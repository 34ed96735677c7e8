import type { Clock } from "../../base/clock.ts";
import { type Cgroups, createCgroups } from "./cgroups.ts";
import { type Commands, systemCommands } from "./exec.ts";
import { type Machine, systemMachine } from "./machine.ts";
import { createMounts, type Mounts } from "./mounts.ts";
import { createProcesses, type Processes } from "./processes.ts";
import { type Sysctls, systemSysctls } from "./sysctls.ts";

/** Every power over the machine, for the composition root to hand out one by one. */
export interface Host {
  readonly commands: Commands;
  readonly mounts: Mounts;
  readonly cgroups: Cgroups;
  readonly sysctls: Sysctls;
  readonly machine: Machine;
  readonly processes: Processes;
}

/** The machine this process runs on. */
export async function createHost(clock: Clock): Promise<Host> {
  const mounts = createMounts(systemCommands);
  return {
    commands: systemCommands,
    mounts,
    cgroups: createCgroups(await mounts.list()),
    sysctls: systemSysctls,
    machine: systemMachine,
    processes: createProcesses(clock),
  };
}
