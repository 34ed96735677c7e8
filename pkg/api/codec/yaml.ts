import {
  boolYaml11Tag,
  DUMP_SCHEMA,
  defineScalarTag,
  dump,
  FAILSAFE_SCHEMA,
  floatYaml11Tag,
  load,
  mergeTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  YAMLException,
} from "js-yaml";
import { jsonDepthMax } from "./json.ts";

/** The text is no YAML, or one that unfolds to too much. */
export class YamlError extends Error {}

export interface ParsedYaml {
  readonly value: unknown;
  /** Doubled keys, in the words of Go's strict reader, where they were asked for. */
  readonly strictErrors: readonly string[];
}

/** A document may mean at most this many values after its aliases are unfolded. */
const yamlValuesMax = 400_000;
const yamlAliasesMax = 10_000;

const decimalFloat = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** `0644` is 420, `0x1f` is 31, `1_000` is 1000: integers as Go's `strconv.ParseInt(text, 0, 64)` reads them. */
function readInteger(source: string): number | bigint | undefined {
  const plain = source.replaceAll("_", "");
  const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/.exec(plain);
  if (match === null) return undefined;
  const [, sign, digits = ""] = match;
  const isOldOctal = /^0[0-7]/.test(digits);
  const magnitude = BigInt(isOldOctal ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const value = sign === "-" ? -magnitude : magnitude;
  const isSafe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
  if (isSafe) return Number(value);
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : undefined;
}

const integerTag = defineScalarTag<number | bigint>("tag:yaml.org,2002:int", {
  implicit: true,
  implicitFirstChars: ["-", "+", ..."0123456789"],
  resolve: (source) => readInteger(source) ?? NOT_RESOLVED,
  identify: (value) =>
    typeof value === "bigint" || (Number.isInteger(value) && !String(value).includes("e")),
  represent: (value) => String(value),
});

const floatTag = {
  ...floatYaml11Tag,
  resolve(source: string) {
    const plain = source.startsWith(".") ? source : source.replaceAll("_", "");
    if (decimalFloat.test(plain)) return Number(plain);
    return /^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(source)
      ? floatYaml11Tag.resolve(source, false, "tag:yaml.org,2002:float")
      : NOT_RESOLVED;
  },
};

const binaryTag = defineScalarTag<string>("tag:yaml.org,2002:binary", {
  resolve: (source) => Buffer.from(source, "base64").toString("utf8"),
  identify: () => false,
});

/** YAML 1.1 as Go's reader has it: `yes` is true, no times, no numbers to the base of sixty. */
const schema = FAILSAFE_SCHEMA.withTags(
  nullYaml11Tag,
  boolYaml11Tag,
  integerTag,
  floatTag,
  mergeTag,
  binaryTag,
);

const dumpInteger = DUMP_SCHEMA.tags.findLast((tag) => tag.tagName === integerTag.tagName);

/** Quotes whatever any reader of YAML could take for something else than text. */
const dumpSchema = DUMP_SCHEMA.withTags({
  ...integerTag,
  resolve: dumpInteger?.nodeKind === "scalar" ? dumpInteger.resolve : integerTag.resolve,
});

/** Reads one document of YAML, of which JSON is a part, as `sigs.k8s.io/yaml` does. Throws a `YamlError`. */
export function parseYaml(
  input: Uint8Array | string,
  options: { readonly findDuplicates?: boolean } = {},
): ParsedYaml {
  const text = typeof input === "string" ? input : Buffer.from(input).toString("utf8");
  const value = loadYaml(text, true);
  if (text.includes("*")) refuseBomb(value);
  return { value, strictErrors: options.findDuplicates === true ? duplicatesOf(text) : [] };
}

function loadYaml(text: string, keepLast: boolean): unknown {
  try {
    return load(text, {
      schema,
      json: keepLast,
      maxDepth: jsonDepthMax,
      maxAliases: yamlAliasesMax,
    });
  } catch (caught) {
    if (isEmptyDocument(text)) return null;
    throw new YamlError(`error converting YAML to JSON: yaml: ${sentenceOf(caught)}`, {
      cause: caught,
    });
  }
}

function isEmptyDocument(text: string): boolean {
  return /^(\s*(#.*)?(---\s*)?(\n|$))*$/.test(text) && text.length < 10_000;
}

function sentenceOf(caught: unknown): string {
  if (!(caught instanceof YAMLException)) return "the document cannot be read";
  const line = caught.mark?.line;
  return line === undefined ? caught.reason : `line ${line + 1}: ${caught.reason}`;
}

/** Go's strict reader names each doubled key; this names the first, by its line. */
function duplicatesOf(text: string): readonly string[] {
  try {
    loadYaml(text, false);
    return [];
  } catch (caught) {
    const cause = caught instanceof YamlError ? caught.cause : undefined;
    if (!(cause instanceof YAMLException) || cause.mark === undefined) return [];
    const key = keyAt(text, cause.mark.position);
    return [
      `error converting YAML to JSON: yaml: unmarshal errors:\n  line ${cause.mark.line + 1}: key ${JSON.stringify(key)} already set in map`,
    ];
  }
}

function keyAt(text: string, position: number): string {
  const key = /^["']?([^\n]*?)["']?\s*:(\s|$)/.exec(text.slice(position))?.[1];
  return key ?? "";
}

/** Aliases share what they mean; whoever walks the value meets it as often as it is named. */
function refuseBomb(value: unknown): void {
  let budget = yamlValuesMax;
  const visit = (held: unknown): void => {
    budget -= 1;
    if (budget < 0) {
      throw new YamlError(
        "error converting YAML to JSON: yaml: document contains excessive aliasing",
      );
    }
    if (typeof held !== "object" || held === null) return;
    for (const item of Object.values(held)) visit(item);
  };
  visit(value);
}

/** Writes a value as the API server writes YAML: keys sorted, lists not indented, nothing folded. */
export function printYaml(value: unknown): string {
  return dump(value, {
    schema: dumpSchema,
    noRefs: true,
    sortKeys: true,
    lineWidth: -1,
    seqNoIndent: true,
    quoteStyle: "double",
  });
}
