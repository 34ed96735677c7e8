import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  kubernetesDefinitionOf,
  kubernetesObjectSchema,
  kubernetesSchema,
} from "../kubernetes-schema.ts";
import { decodeObject } from "./decode.ts";
import { parseJson } from "./json.ts";
import { decodeProtobuf, encodeProtobuf } from "./protobuf.ts";
import { parseYaml, printYaml } from "./yaml.ts";

/** Kubernetes' own: each kind as JSON, YAML and protobuf, every field set. Too large to keep here. */
const folder = join(import.meta.dirname, "../../../node_modules/.cache/kubernetes-fixtures");
const isThere = existsSync(folder);

const names = isThere
  ? readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .map((file) => file.slice(0, -".json".length))
  : [];

/** Fixtures are named `apps.v1.Deployment`, `core.v1.Pod`. */
function definitionOf(name: string): string | undefined {
  const [, group = "", version, kind = ""] = /^(.*)\.(v\d\w*)\.(\w+)$/.exec(name) ?? [];
  return kubernetesDefinitionOf(group === "core" ? `${version}` : `${group}/${version}`, kind);
}

const served = names.filter((name) => definitionOf(name) !== undefined);

function fixture(name: string, form: "json" | "yaml" | "pb"): Buffer {
  return readFileSync(join(folder, `${name}.${form}`));
}

describe.skipIf(!isThere)("Kubernetes' fixtures (build/fetch-fixtures.ts brings them)", () => {
  test("there are many of them", () => {
    expect(served.length).toBeGreaterThan(80);
  });

  test.each(served)(
    "%s: JSON, YAML and protobuf mean the same, and are printed as they were",
    (name) => {
      const definition = definitionOf(name) ?? "";
      const schema = kubernetesObjectSchema(definition);
      const json = fixture(name, "json");
      const { value } = parseJson(json);
      const decode = (from: unknown) =>
        decodeObject(kubernetesSchema(definition), from, { fieldValidation: "Strict" }).object;
      expect(decode(value)).toEqual(value);
      expect(decode(parseYaml(fixture(name, "yaml")).value)).toEqual(value);
      expect(decode(decodeProtobuf(schema, fixture(name, "pb")))).toEqual(value);
      expect(printYaml(value)).toBe(fixture(name, "yaml").toString());
      const bytes = encodeProtobuf(schema, value as Record<string, unknown>);
      expect(Buffer.from(bytes).equals(fixture(name, "pb"))).toBe(true);
    },
  );
});
