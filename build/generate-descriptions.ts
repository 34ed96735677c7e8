/**
 * Writes dist/descriptions.json.br: the prose of `kubectl explain`, taken from the doc comments of the npm packages
 * @kubernetes/client-node and, for fields that hold an object, kubernetes-models, so that no line of it stands in
 * this repository. The file is an asset of the executable. It maps each definition's name to its fields'
 * descriptions; "" is the definition itself.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { kubernetesDefinitions, kubernetesObjectSchema } from "../pkg/api/kubernetes-schema.ts";

const entry = fileURLToPath(import.meta.resolve("@kubernetes/client-node"));
const models = join(dirname(entry), "gen/models");
const modelsOfObjects = dirname(
  fileURLToPath(import.meta.resolve("kubernetes-models/package.json")),
);
const out = join(import.meta.dirname, "../dist");

/** Most classes are called `V1Pod`; where two groups have the same name, `CoreV1Event`. */
function classesOf(definition: string): readonly string[] {
  const [group = "", version = "", type = ""] = definition.split(".").slice(-3);
  const capitalized = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);
  const inVersion = `${capitalized(version)}${type}`;
  return [`${capitalized(group)}${inVersion}`, inVersion];
}

/** Where kubernetes-models describes a definition: by its group's whole name, core without one. */
function fileOfObjects(definition: string): string | undefined {
  const [group = "", version = "", type = ""] = definition.split(".").slice(-3);
  const folder =
    group === "core"
      ? ""
      : readdirSync(modelsOfObjects).find((name) => name === group || name.startsWith(`${group}.`));
  if (folder === undefined) return undefined;
  const file = join(modelsOfObjects, folder, version, `${type}.d.ts`);
  return existsSync(file) ? file : undefined;
}

/** Class and property names are those of the API but for characters that TypeScript does not allow. */
function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

function prose(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .replaceAll("\\'", "'")
    .replaceAll('\\"', '"')
    .replaceAll("\\`", "`")
    .replaceAll("*_/", "*/")
    .trim();
}

/** The comments above a type's properties, by their plain names. */
function commentsIn(text: string, quote: string): Map<string, string> {
  const found = new Map<string, string>();
  const property = new RegExp(
    `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*${quote}([^${quote}]+)${quote}\\??:`,
    "g",
  );
  for (const match of text.matchAll(property)) {
    found.set(plain(match[2] ?? ""), prose(match[1] ?? ""));
  }
  return found;
}

function describe(definition: string): Record<string, string> | undefined {
  const file = classesOf(definition)
    .map((name) => join(models, `${name}.d.ts`))
    .find((path) => existsSync(path));
  if (file === undefined) return undefined;
  const text = readFileSync(file, "utf8");
  const found = commentsIn(text, "'");
  const objects = fileOfObjects(definition);
  const further = objects === undefined ? [] : commentsIn(readFileSync(objects, "utf8"), '"');
  for (const [name, comment] of further) if (!found.has(name)) found.set(name, comment);
  const itself = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export declare class/.exec(text)?.[1];
  const described: Record<string, string> = {};
  if (itself !== undefined) described[""] = prose(itself);
  for (const field of kubernetesObjectSchema(definition).fields.keys()) {
    const description = found.get(plain(field));
    if (description !== undefined && description !== "") described[field] = description;
  }
  return described;
}

const descriptions = new Map<string, Record<string, string>>();
for (const definition of kubernetesDefinitions()) {
  const described = describe(definition);
  if (described !== undefined) descriptions.set(definition, described);
}
if (descriptions.size < 400) {
  throw new Error(
    `only ${descriptions.size} classes were found in ${models}: has its form changed?`,
  );
}
mkdirSync(out, { recursive: true });
writeFileSync(
  join(out, "descriptions.json.br"),
  brotliCompressSync(JSON.stringify(Object.fromEntries(descriptions)), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9 },
  }),
);
