import { expect, test } from "vitest";
import { normalizeImageName, parseImageName } from "./image-name.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["busybox", "docker.io/library/busybox:latest"],
  ["busybox:1", "docker.io/library/busybox:1"],
  ["team/app:1", "docker.io/team/app:1"],
  ["localhost/app", "localhost/app:latest"],
  ["registry.example:5000/a/b/c:x", "registry.example:5000/a/b/c:x"],
  [`app@${digest}`, `docker.io/library/app@${digest}`],
  [`app:1@${digest}`, `docker.io/library/app:1@${digest}`],
])("%s is %s", (text, full) => {
  expect(normalizeImageName(text)).toBe(full);
});

test.each([
  "",
  "a b",
  "UPPER/case:1",
  ":1",
  "app:",
  "app@sha256:short",
  "/app",
  "a//b",
  `${"a".repeat(2_000)}`,
])("%j is no image name", (text) => {
  expect(parseImageName(text)).toBeUndefined();
});
