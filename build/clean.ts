/**
 * Removes every trace of what `npm start` made: stops mini8s, takes its containers, links, rules, mounts, control
 * groups and files away. What set-up installed (packages, kubectl's low-pinned source) stays, as does `dist`.
 * `npm run clean [-- --data-dir DIRECTORY --write-kubeconfig FILE]`.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const executable = join(root, "dist", "mini8s");
const args = ["uninstall", "--yes", ...process.argv.slice(2)];
const { status } = existsSync(executable)
  ? spawnSync(executable, args, { stdio: "inherit" })
  : spawnSync(process.execPath, [join(root, "cmd", "mini8s.ts"), ...args], { stdio: "inherit" });
process.exitCode = status ?? 1;
