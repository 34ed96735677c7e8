import { expect, test } from "vitest";
import { mountsBelow, parseMountInfo } from "./mounts.ts";

const table = `23 1 254:1 / / rw,relatime - ext4 /dev/root rw
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
40 23 0:40 /sub /data/pod\\040one rw - tmpfs tmpfs rw
41 40 0:41 / /data/pod\\040one/inner rw - tmpfs tmpfs rw
42 23 0:42 / /data/pod\\040onebeside rw - tmpfs tmpfs rw
`;

test("the mount table is read with its escapes and its optional fields", () => {
  const mounts = parseMountInfo(table);
  expect(mounts[2]).toMatchObject({
    path: "/sys/fs/cgroup/cpu",
    filesystem: "cgroup",
    superOptions: ["rw", "cpu", "cpuacct"],
  });
  expect(mounts[3]).toMatchObject({ path: "/data/pod one", root: "/sub" });
});

test("what is mounted below a folder comes deepest first, and neighbours are left alone", () => {
  expect(mountsBelow(parseMountInfo(table), "/data/pod one")).toEqual([
    "/data/pod one/inner",
    "/data/pod one",
  ]);
});
