/**
 * Writes pkg/api/generated/*.ts: one file per API group and version, with a deeply read-only interface
 * for each type and a `Schema` constant for each kind, out of build/kubernetes/definitions-*.json.gz.
 * Run by `npm run generate`; the result is committed, so that readers and editors see it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

interface Definition {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly items?: Definition;
  readonly additionalProperties?: Definition;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

const here = import.meta.dirname;
const out = join(here, "../pkg/api/generated");
const source = gunzipSync(readFileSync(join(here, "kubernetes/definitions-1.36.4.json.gz")));
interface Definitions {
  readonly definitions: Readonly<Record<string, Definition>>;
}
const aggregator = readFileSync(join(here, "kubernetes/apiregistration.json"));
const definitions = {
  ...(JSON.parse(source.toString()) as Definitions).definitions,
  ...(JSON.parse(aggregator.toString()) as Definitions).definitions,
};

/** What a reference to these means in TypeScript: they have no fields of their own. */
const scalars: Readonly<Record<string, string>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "string",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "number | string",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "string",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "string",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "string",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "Readonly<Record<string, unknown>>",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "unknown",
};

/** The served version of a definition, or undefined where we do not serve it (alpha, beta, removed). */
function placeOf(name: string): { readonly file: string; readonly type: string } | undefined {
  const api = /^io\.k8s\.api\.([a-z0-9]+)\.(v[0-9]+)\.([A-Za-z0-9]+)$/.exec(name);
  if (api !== null) return { file: `${api[1]}-${api[2]}`, type: api[3] ?? "" };
  const own = /^io\.k8s\.kube-aggregator\.pkg\.apis\.([a-z]+)\.(v[0-9]+)\.([A-Za-z0-9]+)$/.exec(
    name,
  );
  if (own !== null) return { file: `${own[1]}-${own[2]}`, type: own[3] ?? "" };
  const meta = /^io\.k8s\.apimachinery\.pkg\.apis\.meta\.v1\.([A-Za-z0-9]+)$/.exec(name);
  if (meta !== null) return { file: "meta-v1", type: meta[1] ?? "" };
  return undefined;
}

const apiGroupOf: Readonly<Record<string, string>> = {
  core: "",
  admission: "admission.k8s.io",
  admissionregistration: "admissionregistration.k8s.io",
  apiregistration: "apiregistration.k8s.io",
  authentication: "authentication.k8s.io",
  authorization: "authorization.k8s.io",
  certificates: "certificates.k8s.io",
  coordination: "coordination.k8s.io",
  discovery: "discovery.k8s.io",
  events: "events.k8s.io",
  flowcontrol: "flowcontrol.apiserver.k8s.io",
  networking: "networking.k8s.io",
  node: "node.k8s.io",
  rbac: "rbac.authorization.k8s.io",
  resource: "resource.k8s.io",
  scheduling: "scheduling.k8s.io",
  storage: "storage.k8s.io",
};

function refName(ref: string): string {
  return ref.replace("#/definitions/", "");
}

function lowerFirst(name: string): string {
  const acronym = /^([A-Z]+)(?=[A-Z][a-z]|$)/.exec(name)?.[1];
  if (acronym !== undefined && acronym.length > 1) {
    return acronym.toLowerCase() + name.slice(acronym.length);
  }
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

class GeneratedFile {
  readonly name: string;
  private readonly body: string[] = [];
  private readonly imports = new Map<string, Set<string>>();

  constructor(name: string) {
    this.name = name;
  }

  private importType(file: string, type: string): string {
    const from = file === this.name ? undefined : file;
    if (from !== undefined) {
      this.imports.set(from, (this.imports.get(from) ?? new Set()).add(type));
    }
    return type;
  }

  private typeOf(definition: Definition, isKind: boolean): string {
    if (definition.$ref !== undefined) return this.typeOfRef(refName(definition.$ref), isKind);
    if (definition.enum !== undefined) {
      return definition.enum.map((value) => JSON.stringify(value)).join(" | ");
    }
    switch (definition.type) {
      case "string":
        return "string";
      case "integer":
      case "number":
        return "number";
      case "boolean":
        return "boolean";
      case "array":
        return `readonly ${this.parenthesised(this.typeOf(definition.items ?? {}, false))}[]`;
      case "object":
        return definition.additionalProperties === undefined
          ? "Readonly<Record<string, unknown>>"
          : `Readonly<Record<string, ${this.typeOf(definition.additionalProperties, false)}>>`;
      default:
        return "unknown";
    }
  }

  private typeOfRef(name: string, isKind: boolean): string {
    const scalar = scalars[name];
    if (scalar !== undefined) return scalar;
    if (name === "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta") {
      return this.importType("../object", isKind ? "ObjectMeta" : "TemplateMeta");
    }
    const place = placeOf(name);
    return place === undefined ? "unknown" : this.importType(place.file, place.type);
  }

  private parenthesised(type: string): string {
    return / \| |^readonly /.test(type) ? `(${type})` : type;
  }

  add(definitionName: string, type: string, definition: Definition): void {
    const [packageName, version] = this.name.split("-") as [string, string];
    const properties = definition.properties ?? {};
    const isKind =
      this.name !== "meta-v1" &&
      ["apiVersion", "kind", "metadata"].every((field) => field in properties);
    const lines = Object.entries(properties).map(([field, property]) => {
      if (isKind && field === "kind") return `  readonly kind: "${type}";`;
      if (isKind && field === "apiVersion") {
        const group = apiGroupOf[packageName] ?? packageName;
        return `  readonly apiVersion: "${group === "" ? version : `${group}/${version}`}";`;
      }
      const present = (definition.required ?? []).includes(field) || property.default !== undefined;
      const key = /^[A-Za-z_$][\w$]*$/.test(field) ? field : JSON.stringify(field);
      return `  readonly ${key}${present ? "" : "?"}: ${this.typeOf(property, isKind)};`;
    });
    this.body.push(`export interface ${type} {\n${lines.join("\n")}\n}\n`);
    if (isKind && !type.endsWith("List")) {
      this.imports.set("../schema", new Set(["Schema"]));
      this.imports.set("../kubernetes-schema", new Set(["kubernetesSchema"]));
      this.body.push(
        `export const ${lowerFirst(type)}Schema: Schema<${type}> = kubernetesSchema("${definitionName}");\n`,
      );
    }
  }

  text(): string {
    const imports = [...this.imports].map(([from, names]) => {
      const path = from.startsWith("..") ? from : `./${from}.generated`;
      const values = [...names].some((name) => name === "kubernetesSchema");
      return `import ${values ? "" : "type "}{ ${[...names].sort().join(", ")} } from "${path}.ts";`;
    });
    return `// Written by build/generate-types.ts: do not edit.\n${imports.sort().join("\n")}\n\n${this.body.join("\n")}`;
  }
}

const files = new Map<string, GeneratedFile>();
for (const name of Object.keys(definitions).sort()) {
  const place = placeOf(name);
  const definition = definitions[name];
  if (place === undefined || definition?.properties === undefined) continue;
  if (scalars[name] !== undefined || place.type === "ObjectMeta") continue;
  if (/List$/.test(place.type) && "items" in definition.properties) continue;
  // A form of answers, not of objects; it would make the metadata's types depend on themselves.
  if (place.type === "PartialObjectMetadata") continue;
  const file = files.get(place.file) ?? new GeneratedFile(place.file);
  files.set(place.file, file);
  file.add(name, place.type, definition);
}

mkdirSync(out, { recursive: true });
for (const file of readdirSync(out)) {
  const mine = /^[a-z0-9]+-v[0-9]+\.generated\.ts$/.test(file);
  if (mine) rmSync(join(out, file));
}
for (const [name, file] of files) writeFileSync(join(out, `${name}.generated.ts`), file.text());
