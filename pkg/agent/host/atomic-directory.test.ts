import { mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeDirectoryAtomically } from "./atomic-directory.ts";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "mini8s-atomic-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const file = (path: string, text: string, mode = 0o644) => ({
  path,
  content: Buffer.from(text),
  mode,
});

test("the folder shows exactly the files, with their modes, in folders of their own", async () => {
  const path = await folder();
  await writeDirectoryAtomically(path, [file("a", "1"), file("deep/er/b", "2", 0o400)]);
  expect(await readFile(join(path, "a"), "utf8")).toBe("1");
  expect(await readFile(join(path, "deep/er/b"), "utf8")).toBe("2");
  expect((await stat(join(path, "deep/er/b"))).mode & 0o777).toBe(0o400);
});

test("a new version replaces the old one in one step, and leaves nothing of it", async () => {
  const path = await folder();
  await writeDirectoryAtomically(path, [file("a", "1"), file("gone", "x")]);
  const before = await readlink(join(path, "..data"));
  expect(await writeDirectoryAtomically(path, [file("a", "2")])).toBe(true);
  expect(await readlink(join(path, "..data"))).not.toBe(before);
  expect((await readdir(path)).sort()).toEqual(
    [await readlink(join(path, "..data")), "..data", "a"].sort(),
  );
});

test("the same files again change nothing", async () => {
  const path = await folder();
  await writeDirectoryAtomically(path, [file("a", "1")]);
  expect(await writeDirectoryAtomically(path, [file("a", "1")])).toBe(false);
  expect(await writeDirectoryAtomically(path, [file("a", "1", 0o600)])).toBe(true);
});
