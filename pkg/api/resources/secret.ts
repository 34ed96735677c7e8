import { jsonDepthMax } from "../codec/json.ts";
import { JsonError, parseJsonSlowly } from "../codec/json-parser.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { immutableDetail, invalid, required } from "../field-error.ts";
import { type Secret, secretSchema } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { isJsonObject } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  base64Bytes,
  validateDataImmutable,
  validateDataKeys,
  validateDataSize,
} from "../shared/data-map.ts";
import { tlsKeyPairProblem } from "../shared/tls-key-pair.ts";

export const secretResource = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "namespace",
  schema: secretSchema,
  defaults,
  validate,
  validateUpdate: (next, previous) => [
    ...(next.type === previous.type ? [] : [invalid("type", next.type, immutableDetail)]),
    ...validateDataImmutable(next, previous),
  ],
  warnings({ type, data }) {
    if (type !== tlsType) return [];
    const problem = tlsKeyPairProblem(textOf(data, "tls.crt"), textOf(data, "tls.key"));
    return problem === undefined ? [] : [problem];
  },
  selectableFields: { type: ({ type }) => type ?? "" },
  columns: [
    nameColumn,
    {
      name: "Type",
      type: "string",
      description: "What the secret is for.",
      cell: ({ type }) => type ?? "",
    },
    {
      name: "Data",
      type: "string",
      description: "How many keys there are.",
      cell: ({ data }) => Object.keys(data ?? {}).length,
    },
    ageColumn,
  ],
});

function defaults(secret: Draft<Secret>): void {
  secret.type ||= "Opaque";
  if (secret.stringData === undefined) return;
  // Plain text is for writing only: it is kept with the rest, encoded.
  secret.data ??= {};
  for (const [key, text] of Object.entries(secret.stringData)) {
    secret.data[key] = Buffer.from(text, "utf8").toString("base64");
  }
  delete secret.stringData;
}

function validate(secret: Secret): readonly FieldError[] {
  const { data = {} } = secret;
  return [
    ...validateDataKeys(data, "data"),
    ...validateDataSize(base64Bytes(data), "data"),
    ...validateType(secret, data),
  ];
}

/** The keys that a secret of a type must have. */
const tlsType = "kubernetes.io/tls";
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  [tlsType]: ["tls.crt", "tls.key"],
};

const jsonKeys: Readonly<Record<string, string>> = {
  "kubernetes.io/dockercfg": ".dockercfg",
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
};

const accountNameAnnotation = "kubernetes.io/service-account.name";

function validateType(
  { type = "", metadata }: Secret,
  data: Readonly<Record<string, string>>,
): readonly FieldError[] {
  const has = (key: string) => Object.hasOwn(data, key);
  const missing = (key: string) => required(`data[${key}]`);
  if (type === "kubernetes.io/service-account-token") {
    return (metadata.annotations?.[accountNameAnnotation] ?? "") === ""
      ? [required(`metadata.annotations[${accountNameAnnotation}]`)]
      : [];
  }
  if (type === "kubernetes.io/ssh-auth") {
    const key = "ssh-privatekey";
    return (data[key] ?? "") === "" ? [missing(key)] : [];
  }
  if (type === "kubernetes.io/basic-auth") {
    return has("username") || has("password") ? [] : [missing("username"), missing("password")];
  }
  const jsonKey = jsonKeys[type];
  if (jsonKey !== undefined) {
    if (!has(jsonKey)) return [missing(jsonKey)];
    const problem = jsonProblem(textOf(data, jsonKey));
    return problem === undefined
      ? []
      : [invalid(`data[${jsonKey}]`, "<secret contents redacted>", problem)];
  }
  return (requiredKeys[type] ?? []).filter((key) => !has(key)).map(missing);
}

function textOf(data: Readonly<Record<string, string>> | undefined, key: string): string {
  return Buffer.from(data?.[key] ?? "", "base64").toString("utf8");
}

function jsonProblem(text: string): string | undefined {
  try {
    const { value } = parseJsonSlowly(text, jsonDepthMax);
    if (value === null || isJsonObject(value)) return undefined;
    return `json: cannot unmarshal ${goJsonType(value)} into Go value of type map[string]interface {}`;
  } catch (caught) {
    if (caught instanceof JsonError) return caught.message;
    throw caught;
  }
}

function goJsonType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "number";
}
