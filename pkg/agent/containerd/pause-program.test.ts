import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemCommands } from "../host/exec.ts";
import { packOciArchive } from "./oci-archive.ts";
import { pauseProgram } from "./pause-program.ts";

const own = arch() === "arm64" ? "arm64" : "amd64";

test("the program runs, and ends well when it is told to", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mini8s-pause-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const program = join(folder, "pause");
  await writeFile(program, pauseProgram(own));
  await chmod(program, 0o755);
  // `timeout` answers 124 when it had to send the signal, and the program's own code with --preserve-status.
  const { exitCode } = await systemCommands.attempt("timeout", [
    "--preserve-status",
    "0.1",
    program,
  ]);
  expect(exitCode).toBe(0);
});

test.each([
  ["amd64", 62],
  ["arm64", 183],
])("for %s it is an ELF executable of that machine", (architecture, machine) => {
  const program = Buffer.from(pauseProgram(architecture));
  expect(program.subarray(0, 4)).toEqual(Buffer.from("\x7fELF", "latin1"));
  expect(program.readUInt16LE(18)).toBe(machine);
  expect(program.readBigUInt64LE(24)).toBe(0x400000n + 120n);
  expect(program.readBigUInt64LE(96)).toBe(BigInt(program.length));
});

test("an architecture without one is refused with a remedy", () => {
  expect(() => pauseProgram("riscv64")).toThrow("--pause-image");
});

test("the same recipe packs to the same bytes", async () => {
  const recipe = { name: "localhost/x:1", architecture: "amd64", files: [], config: {} };
  expect(await packOciArchive(recipe)).toEqual(await packOciArchive(recipe));
});
