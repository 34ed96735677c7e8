import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { claimDataDir, findRunning, pidFileOf } from "./claim-data-dir.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "mini8s-claim-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("who claims a data-dir is found until the claim ends", () => {
  const dataDir = join(folder(), "made", "on", "the", "way");
  {
    using _claim = claimDataDir(dataDir);
    expect(findRunning(dataDir)).toBe(process.pid);
  }
  expect(findRunning(dataDir)).toBeUndefined();
});

test("a note whose pid belongs to another process by now holds nothing", () => {
  const dataDir = folder();
  writeFileSync(pidFileOf(dataDir), `${process.pid} 1\n`);
  expect(findRunning(dataDir)).toBeUndefined();
  writeFileSync(pidFileOf(dataDir), "");
  expect(findRunning(dataDir)).toBeUndefined();
  using _claim = claimDataDir(dataDir);
  expect(findRunning(dataDir)).toBe(process.pid);
});

test("a data-dir that another process holds is refused by a sentence that names it", () => {
  const dataDir = folder();
  // Process 1 is not this one, and lives as long as the machine.
  const started = readFileSync("/proc/1/stat", "utf8").split(") ")[1]?.split(" ")[19];
  writeFileSync(pidFileOf(dataDir), `1 ${started}\n`);
  expect(() => claimDataDir(dataDir)).toThrow(
    `the data-dir ${dataDir} is used by another mini8s (process 1): stop that one, or name another directory with --data-dir`,
  );
});

test("a data-dir that is a file is refused by a sentence", () => {
  const file = join(folder(), "file");
  writeFileSync(file, "");
  expect(() => claimDataDir(file)).toThrow(
    /^the data-dir .* cannot be written \(.*\): name another/,
  );
});
