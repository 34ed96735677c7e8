import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { schemaTableOf } from "../../build/schema-table.ts";
import { decodeObject } from "../../pkg/api/codec/decode.ts";
import { parseJson } from "../../pkg/api/codec/json.ts";
import { decodeProtobuf, encodeProtobuf } from "../../pkg/api/codec/protobuf.ts";
import { parseYaml, printYaml } from "../../pkg/api/codec/yaml.ts";
import { createSchemaReader } from "../../pkg/api/kubernetes-schema.ts";

/** Kubernetes' own: each kind as JSON, YAML and protobuf, every field set. Too large to keep here. */
const folder = join(import.meta.dirname, "../../node_modules/.cache/kubernetes-fixtures");
const isThere = existsSync(folder);

const names = isThere
  ? readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .map((file) => file.slice(0, -".json".length))
  : [];

/** Types of other parts of Kubernetes, which are no kinds of these fixtures. */
const unknown =
  /^io\.k8s\.(metrics|apimachinery\.pkg\.runtime)\.|\.(InternalEvent|core\.v1\.List)$/;
/** Versions that are no longer served, too: the rules of the three forms are the same for all. */
const table = schemaTableOf((name) => !unknown.test(name));
const schemaOf = createSchemaReader(table);

/** Kinds that have no schema to read or write them by, and why. */
const exceptions: Readonly<Record<string, string>> = {
  "admission.k8s.io.v1.AdmissionReview":
    "said between API servers and webhooks only; Kubernetes' own OpenAPI document has no definition of it",
  "admission.k8s.io.v1beta1.AdmissionReview": "as its version v1",
};

/** Fixtures are named `apps.v1.Deployment`, `core.v1.Pod`, `rbac.authorization.k8s.io.v1.Role`. */
function definitionOf(name: string): string {
  const [, group = "", version, kind = ""] = /^(.*)\.(v\d\w*)\.(\w+)$/.exec(name) ?? [];
  const folderOf =
    group === "internal.apiserver.k8s.io" ? "apiserverinternal" : group.split(".")[0];
  const found = [
    `io.k8s.api.${folderOf}.${version}.${kind}`,
    `io.k8s.apimachinery.pkg.apis.meta.${version}.${kind}`,
  ].find((candidate) => Object.hasOwn(table, candidate));
  if (found === undefined) throw new Error(`no definition is known for ${name}`);
  return found;
}

function fixture(name: string, form: "json" | "yaml" | "pb"): Buffer {
  return readFileSync(join(folder, `${name}.${form}`));
}

describe.skipIf(!isThere)("Kubernetes' fixtures (build/fetch-fixtures.ts brings them)", () => {
  test("all of them are here", () => {
    expect(names.length).toBeGreaterThanOrEqual(185);
    expect(names).toEqual(expect.arrayContaining(Object.keys(exceptions)));
  });

  test.each(names.filter((name) => !Object.hasOwn(exceptions, name)))(
    "%s: JSON, YAML and protobuf mean the same, and are printed as they were",
    (name) => {
      const definition = definitionOf(name);
      const schema = schemaOf(definition);
      const { value } = parseJson(fixture(name, "json"));
      const decode = (from: unknown) =>
        decodeObject({ name: definition, object: schema }, from, { fieldValidation: "Strict" })
          .object;
      expect(decode(value)).toEqual(value);
      expect(decode(parseYaml(fixture(name, "yaml")).value)).toEqual(value);
      expect(decode(decodeProtobuf(schema, fixture(name, "pb")))).toEqual(value);
      expect(printYaml(value)).toBe(fixture(name, "yaml").toString());
      const bytes = encodeProtobuf(schema, value as Record<string, unknown>);
      expect(Buffer.from(bytes).equals(fixture(name, "pb"))).toBe(true);
    },
  );
});
