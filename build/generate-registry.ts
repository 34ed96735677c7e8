import { readdirSync, readFileSync, writeFileSync } from "node:fs";

// Writes pkg/api/registry.generated.ts, the list of the kinds, from the files of pkg/api/resources.
// `node build/generate-registry.ts --check` only says, by its exit code, whether the list is current.

const folder = new URL("../pkg/api/resources/", import.meta.url);
const target = new URL("../pkg/api/registry.generated.ts", import.meta.url);

interface Kind {
  readonly file: string;
  readonly constant: string;
}

function kindIn(file: string): Kind {
  const exported = [
    ...readFileSync(new URL(file, folder), "utf8").matchAll(/^export const (\w+Resource) =\s/gm),
  ];
  const constant = exported[0]?.[1];
  if (constant === undefined || exported.length > 1) {
    throw new Error(
      `pkg/api/resources/${file} exports ${exported.length} resources: export exactly one "…Resource"`,
    );
  }
  return { file, constant };
}

function registrySource(kinds: readonly Kind[]): string {
  const imports = kinds.map(
    ({ file, constant }) => `import { ${constant} } from "./resources/${file}";`,
  );
  return [
    "// Written by build/generate-registry.ts: do not edit.",
    'import type { ResourceDefinition } from "./resource.ts";',
    ...imports,
    "",
    "/** Every built-in kind. */",
    "export const allResources: readonly ResourceDefinition[] = [",
    ...kinds.map(({ constant }) => `  ${constant},`),
    "];",
    "",
  ].join("\n");
}

const files = readdirSync(folder).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
);
const source = registrySource(files.sort().map(kindIn));
const isCurrent = (() => {
  try {
    return readFileSync(target, "utf8") === source;
  } catch {
    return false;
  }
})();

if (process.argv.includes("--check")) {
  if (!isCurrent) {
    process.stderr.write(
      "pkg/api/registry.generated.ts is not current: run node build/generate-registry.ts\n",
    );
    process.exitCode = 1;
  }
} else if (!isCurrent) writeFileSync(target, source);
