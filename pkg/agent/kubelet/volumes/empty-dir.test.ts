import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aPod } from "../../../../test/support/pods.ts";
import type { Volume } from "../../../api/generated/core-v1.generated.ts";
import type { Mounts } from "../../host/mounts.ts";
import { emptyDirVolume } from "./empty-dir.ts";
import type { VolumeContext } from "./volume.ts";

let root: string;
let mounted: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mini8s-empty-dir-"));
  mounted = [];
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

const none = { root: "/", filesystem: "tmpfs", source: "tmpfs", superOptions: [] };

async function setUp(emptyDir: Volume["emptyDir"], fsGroup?: number) {
  const mounts: Pick<Mounts, "list" | "mount"> = {
    list: async () =>
      await Promise.resolve(
        mounted.length === 0 ? [] : [{ ...none, path: join(root, "data"), options: [] }],
      ),
    mount: async ({ options = [] }) => {
      await Promise.resolve(mounted.push(options.join(",")));
    },
  };
  const context = {
    pod: aPod(fsGroup === undefined ? {} : { securityContext: { fsGroup } }),
    volume: { name: "data", ...(emptyDir === undefined ? {} : { emptyDir }) },
    folder: join(root, "data"),
    mounts,
  } as unknown as VolumeContext;
  return await emptyDirVolume.setUp(context, new AbortController().signal);
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

test("everybody may write into it, and the pod's group owns what is made in it", async () => {
  const { path } = await setUp({});
  expect(await modeOf(path)).toBe("777");
  await rm(path, { recursive: true });
  await setUp({}, process.getgid?.() ?? 0);
  expect(await modeOf(path)).toBe("2777");
});

test("what containers made of it stays so: postgres refuses a data folder that others may read", async () => {
  const { path } = await setUp({}, process.getgid?.() ?? 0);
  await chmod(path, 0o700);
  await writeFile(join(path, "secret"), "", { mode: 0o600 });
  const again = await setUp({}, process.getgid?.() ?? 0);
  expect(again.ownedByPod).toBe(false);
  expect(await modeOf(path)).toBe("700");
  expect(await modeOf(join(path, "secret"))).toBe("600");
});

test("in memory it is mounted once, with its modes and its bound", async () => {
  await setUp({ medium: "Memory", sizeLimit: "1Mi" }, 70);
  await setUp({ medium: "Memory", sizeLimit: "1Mi" }, 70);
  expect(mounted).toEqual(["mode=2777,gid=70,size=1048576"]);
});
