import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { killStorm } from "./kill-storm.ts";

test("kill -9 in a storm of writes, a hundred times: every acknowledged durable write is there, and no revision comes twice", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mini8s-storm-"));
  const result = await killStorm(join(directory, "state.db"), 100, 1);
  expect(result.violations.slice(0, 10)).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(5_000);
  await rm(directory, { recursive: true });
}, 300_000);
