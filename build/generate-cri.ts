// Writes pkg/agent/cri/generated/*.generated.ts from the .proto files beside this program: `node build/generate-cri.ts`.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const here = import.meta.dirname;
const binaries = resolve(here, "../node_modules/.bin");
const target = resolve(here, "../pkg/agent/cri/generated");
const sources = [
  { folder: "kubernetes", file: "cri-v1" },
  { folder: "containerd", file: "events-v1" },
];

const work = mkdtempSync(join(tmpdir(), "mini8s-cri-"));
try {
  const template = join(work, "buf.gen.yaml");
  writeFileSync(
    template,
    JSON.stringify({
      version: "v2",
      plugins: [
        {
          local: join(binaries, "protoc-gen-es"),
          out: work,
          opt: ["target=ts", "import_extension=ts"],
        },
      ],
    }),
  );
  for (const { folder, file } of sources) {
    execFileSync(join(binaries, "buf"), ["generate", join(here, folder), "--template", template], {
      stdio: "inherit",
      cwd: work,
    });
    const generated = readFileSync(join(work, `${file}_pb.ts`), "utf8");
    writeFileSync(join(target, `${file}.generated.ts`), eraseEnums(generated));
  }
} finally {
  rmSync(work, { recursive: true });
}

/** Writes each enum as a constant and a type of one name: what plain Node can run. */
function eraseEnums(source: string): string {
  return source.replace(
    /^export enum (\w+) \{\n([\s\S]*?)^\}$/gm,
    (_, name: string, body: string) =>
      `export const ${name} = {\n${body.replace(/^( +\w+) = (\d+),$/gm, "$1: $2,")}} as const;\n\n` +
      `export type ${name} = (typeof ${name})[keyof typeof ${name}];`,
  );
}
