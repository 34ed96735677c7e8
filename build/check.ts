/** Format, lint, types, layers, dead code: each tool in turn, all of them, then one verdict. `npm run check`. */
import { spawnSync } from "node:child_process";

const tools: readonly (readonly [what: string, command: string, ...args: string[]])[] = [
  ["format and lint", "biome", "ci", "--diagnostic-level=warn"],
  ["types", "tsc", "--noEmit"],
  ["layers", "depcruise", "--config", "dependency-cruiser.mjs", "cmd", "pkg", "build", "test"],
  ["dead code", "knip"],
];

const failed: string[] = [];
for (const [what, command, ...args] of tools) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`check: ${what} (${command}): ${status === 0 ? "good" : "failed"}, ${seconds} s`);
  if (status !== 0) failed.push(what);
}
if (failed.length > 0) {
  console.error(`check: failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
