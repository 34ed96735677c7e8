/**
 * Writes pkg/api/generated/schema-table.generated.ts: every stable built-in type, as build/schema-table.ts describes.
 * pkg/api/kubernetes-schema.ts reads a definition when it is first asked for. Run by `npm run generate`; the result is
 * committed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { schemaTableOf } from "./schema-table.ts";

const out = join(import.meta.dirname, "../pkg/api/generated");

/** Stable versions only: what mini8s serves. */
function isKept(name: string): boolean {
  if (/\.(meta\.v1\.(InternalEvent|Patch)|core\.v1\.List)$/.test(name)) return false;
  return (
    /^io\.k8s\.(api\.[a-z0-9]+|apimachinery\.pkg\.apis\.meta|apiextensions-apiserver\..*|kube-aggregator\..*)\.v[0-9]+\.[A-Za-z0-9]+$/.test(
      name,
    ) || /^io\.k8s\.(apimachinery\.pkg\.version)\.[A-Za-z]+$/.test(name)
  );
}

const entries = Object.entries(schemaTableOf(isKept)).map(
  ([name, lines]) => `  "${name}": ${JSON.stringify(lines)},`,
);

mkdirSync(out, { recursive: true });
writeFileSync(
  join(out, "schema-table.generated.ts"),
  `// Written by build/generate-schemas.ts; build/schema-table.ts describes the form: do not edit.
export const schemaTable: Readonly<Record<string, string>> = {
${entries.join("\n")}
};
`,
);
