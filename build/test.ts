/**
 * Runs every check and every test, real containers included, and closes with "N passed, N failed".
 * `npm test [-- arguments of vitest]`; with arguments, only those tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const report = join(root, "dist", "test-report.json");

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit", cwd: root }).status === 0;
}

const chosen = process.argv.slice(2);
let passed = 0;
let failed = 0;
const count = (good: boolean, what: string) => {
  if (good) passed++;
  else {
    failed++;
    console.error(`test: failed: ${what}`);
  }
};

if (chosen.length === 0)
  count(run(process.execPath, [join(root, "build/check.ts")]), "npm run check");
count(run(process.execPath, [join(root, "build/build.ts")]), "npm run build");

// Where they cannot be had, the tests that need them are told as skipped.
if (!existsSync(join(root, "node_modules/.cache/kubernetes-fixtures"))) {
  run(process.execPath, [join(root, "build/fetch-fixtures.ts")]);
}

mkdirSync(join(root, "dist"), { recursive: true });
rmSync(report, { force: true });
const vitest = run("vitest", [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...chosen,
]);
let skipped = 0;
if (existsSync(report)) {
  const results = JSON.parse(readFileSync(report, "utf8")) as {
    readonly numPassedTests: number;
    readonly numFailedTests: number;
    readonly numPendingTests: number;
  };
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  skipped = results.numPendingTests;
  // A file that cannot be loaded fails no test, but it is a failure.
  if (!vitest && results.numFailedTests === 0) failed++;
} else failed++;

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
