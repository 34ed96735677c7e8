import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cutPowerEverywhere } from "./power-loss.ts";

test("a disk that lies about what it has synced is found out", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mini8s-power-"));
  const result = await cutPowerEverywhere({
    ...{ directory, turns: 3, lives: 1, tornStates: 0, seed: 1, lies: true },
  });
  expect(result.violations[0]).toMatch(/was acknowledged, and/);
});

test("wherever the power is cut, and whatever it leaves of what was not synced, no acknowledged write is missing", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mini8s-power-"));
  const result = await cutPowerEverywhere({
    directory,
    turns: 10,
    lives: 2,
    tornStates: 1,
    seed: 1,
  });
  expect(result.violations.slice(0, 10)).toEqual([]);
  expect(result.acknowledged).toBe(4 * 10 * 2);
  expect(result.syncs).toBeGreaterThan(30);
  expect(result.states).toBeGreaterThan(1_000);
}, 300_000);
