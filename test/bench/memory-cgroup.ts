import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A control group (of version 1, as on the machines this is run on) whose members share so much memory. */
export class MemoryCgroup implements Disposable {
  readonly #folder: string;

  constructor(name: string, limitBytes: number) {
    this.#folder = join("/sys/fs/cgroup/memory", name);
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(join(this.#folder, "memory.limit_in_bytes"), String(limitBytes));
  }

  get membersFile(): string {
    return join(this.#folder, "cgroup.procs");
  }

  /** The most its members ever had at once. */
  get peakBytes(): number {
    return this.#read("memory.max_usage_in_bytes");
  }

  /** How often there was not enough, even after all that could be given back was. */
  get killed(): number {
    const text = readFileSync(join(this.#folder, "memory.oom_control"), "utf8");
    return Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0);
  }

  /** Its members have to be gone. */
  [Symbol.dispose](): void {
    rmdirSync(this.#folder);
  }

  #read(file: string): number {
    return Number(readFileSync(join(this.#folder, file), "utf8"));
  }
}
