import { brotliCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { readDescriptions } from "./openapi-descriptions.ts";

test("definitions and fields have the prose that stands in the file, and others none", async () => {
  const file = { "io.k8s.api.core.v1.Pod": { "": "about pods", spec: "about spec" } };
  const describe = await readDescriptions(brotliCompressSync(JSON.stringify(file)));
  expect(describe("io.k8s.api.core.v1.Pod")).toBe("about pods");
  expect(describe("io.k8s.api.core.v1.Pod", "spec")).toBe("about spec");
  expect(describe("io.k8s.api.core.v1.Pod", "constructor")).toBeUndefined();
  expect(describe("constructor", "name")).toBeUndefined();
});

test("a file that is none is refused", async () => {
  await expect(readDescriptions(Buffer.from("nonsense"))).rejects.toThrow();
});
