/** House rules that no tool knows. Each failure names its remedy. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { cruise, type IModule } from "dependency-cruiser";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const sources = [...filesBelow("pkg"), ...filesBelow("cmd")].filter(
  (file) => !/\.(test|generated)\.ts$/.test(file),
);
const read = (file: string) => readFileSync(join(root, file), "utf8");
const offenders = (files: readonly string[], isWrong: (text: string, file: string) => boolean) =>
  files.filter((file) => isWrong(read(file), file));

test("dependency-cruiser sees the modules: with a TypeScript it does not know it passes everything", async () => {
  const { output } = await cruise(["cmd", "pkg"], {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
  });
  const modules = typeof output === "string" ? [] : (output.modules as readonly IModule[]);
  const ours = modules.filter(({ source }) => /^(cmd|pkg)\/.*\.ts$/.test(source));
  expect(
    ours.length,
    "pin typescript to a version that dependency-cruiser supports",
  ).toBeGreaterThan(sources.length * 0.9);
  const known = ours.find(({ source }) => source === "cmd/server.ts");
  expect(known?.dependencies.length, "dependency-cruiser reads no imports").toBeGreaterThan(3);
});

test("each kind's file declares one kind", () => {
  const files = filesBelow("pkg/api/resources").filter((file) => !file.endsWith(".test.ts"));
  const wrong = offenders(
    files,
    (text) => (text.match(/^export const \w+Resource\b/gm) ?? []).length !== 1,
  );
  expect(wrong, "export exactly one …Resource from each file in pkg/api/resources").toEqual([]);
});

test("every kind is in the registry", () => {
  const registry = read("pkg/api/registry.generated.ts");
  const files = filesBelow("pkg/api/resources").filter((file) => !file.endsWith(".test.ts"));
  const missing = files.filter((file) => !registry.includes(`./${relative("pkg/api", file)}`));
  expect(missing, "run npm run generate: it writes the registry from the folder").toEqual([]);
});

test("every controller is in the catalog", () => {
  const catalog = read("pkg/server/controllers/catalog.ts");
  const files = readdirSync(join(root, "pkg/server/controllers")).filter(
    (name) => name.endsWith(".ts") && !/(\.test|catalog)\.ts$/.test(name),
  );
  const missing = files.filter((name) => !catalog.includes(`"./${name}"`));
  expect(missing, "name the controller in pkg/server/controllers/catalog.ts").toEqual([]);
});

test("plans are pure", () => {
  const plans = sources.filter((file) => /\/plan(-[\w-]+)?\.ts$/.test(file));
  expect(plans.length).toBeGreaterThan(3);
  const wrong = offenders(plans, (text) =>
    /from "(?:\.\.\/)+(?:host|cri|client(?!\/ownership\.ts))\/|from "node:(?:fs|net|child_process)/.test(
      text,
    ),
  );
  expect(
    wrong,
    "a plan takes values and returns values: move what reads or acts into its apply",
  ).toEqual([]);
});

test("the source says nothing that is to be done later", () => {
  const words = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HACK"].join("|")})\\b`);
  expect(
    offenders(sources, (text) => words.test(text)),
    "do it now, or write it into the README's list of what does not work",
  ).toEqual([]);
});

test("no source names a package registry's host", () => {
  const hosts = /registry\.npmjs|deb\.debian\.org|registry\.k8s\.io|docker\.io\/library/;
  const files = [...sources, ...filesBelow("build"), "package-lock.json", "README.md"];
  expect(
    offenders(files, (text) => hosts.test(text)),
    "leave the host to the tools' own configuration",
  ).toEqual([]);
});
