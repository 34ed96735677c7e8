import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { surface } from "./api-surface.fixture.ts";
import { createOpenApi } from "./openapi.ts";
import { openApiV3Definitions } from "./openapi-v3-protobuf.ts";

/**
 * The messages of gnostic's OpenAPIv3.proto, read on their own. `number name type`; `*`: many; `{}`: pairs of name and
 * value; a message that only chooses between others is read as what it holds.
 */
const messages: Readonly<Record<string, string>> = {
  Document: "1 openapi string, 2 info Info, 4 paths Paths, 5 components Components",
  Info: "1 title string, 6 version string",
  Paths: "1 = PathItem{}",
  PathItem:
    "4 get Operation, 5 put Operation, 6 post Operation, 7 delete Operation, 10 patch Operation, 13 parameters ParameterOr*",
  Operation:
    "1 tags string*, 3 description string, 5 operationId string, 6 parameters ParameterOr*, 7 requestBody BodyOr, 8 responses Responses, 13 = Any{}",
  ParameterOr: "1 = Parameter",
  Parameter:
    "1 name string, 2 in string, 3 description string, 4 required bool, 10 schema SchemaOr, 14 = Any{}",
  BodyOr: "1 = Body",
  Body: "1 description string, 2 content MediaTypes, 3 required bool",
  Responses: "2 = ResponseOr{}",
  ResponseOr: "1 = Response",
  Response: "1 description string, 3 content MediaTypes",
  MediaTypes: "1 = MediaType{}",
  MediaType: "1 schema SchemaOr",
  Components: "1 schemas Schemas, 7 securitySchemes Security",
  Schemas: "1 = SchemaOr{}",
  Security: "1 = SecurityOr{}",
  SecurityOr: "1 = SecurityScheme",
  SecurityScheme: "1 type string, 2 description string, 3 name string, 4 in string",
  SchemaOr: "1 = Schema, 2 = Reference",
  Reference: "1 $ref string, 3 description string",
  Default: "1 = double, 2 = bool, 3 = string",
  Items: "1 = SchemaOr",
  Additional: "1 = SchemaOr, 2 = bool",
  Schema:
    "1 nullable bool, 7 example Any, 9 title string, 10 multipleOf double, 11 maximum double, 12 exclusiveMaximum bool, " +
    "13 minimum double, 15 maxLength int, 16 minLength int, 17 pattern string, 18 maxItems int, 19 minItems int, " +
    "20 uniqueItems bool, 21 maxProperties int, 22 minProperties int, 23 required string*, 24 enum Any*, 25 type string, " +
    "26 allOf SchemaOr*, 27 oneOf SchemaOr*, 28 anyOf SchemaOr*, 29 not Schema, 30 items Items, 31 properties Schemas, " +
    "32 additionalProperties Additional, 33 default Default, 34 description string, 35 format string, 36 = Any{}",
};

interface FieldOf {
  readonly name: string;
  readonly type: string;
  readonly form: "" | "*" | "{}";
}

function fieldsOf(message: string): ReadonlyMap<number, FieldOf> {
  const written = messages[message] ?? "";
  return new Map(
    written.split(", ").map((line) => {
      const [number, name = "", rest = ""] = line.split(" ");
      const [, type = "", form = ""] = /^(\w+)(\*|\{\})?$/.exec(rest) ?? [];
      return [Number(number), { name, type, form: form as FieldOf["form"] }];
    }),
  );
}

function readValue(reader: BinaryReader, type: string): unknown {
  if (type === "string") return reader.string();
  if (type === "bool") return reader.bool();
  if (type === "double") return reader.double();
  if (type === "int") return Number(reader.int64());
  const bytes = reader.bytes();
  return type === "Any" ? readAny(bytes) : readMessage(bytes, type);
}

function readAny(bytes: Uint8Array): unknown {
  const reader = new BinaryReader(bytes);
  expect(reader.tag()[0]).toBe(2);
  return JSON.parse(reader.string());
}

function readPair(bytes: Uint8Array, type: string): readonly [string, unknown] {
  const reader = new BinaryReader(bytes);
  reader.tag();
  const name = reader.string();
  expect(reader.tag()[0]).toBe(2);
  return [name, readValue(reader, type)];
}

function readMessage(bytes: Uint8Array, message: string): unknown {
  const fields = fieldsOf(message);
  const reader = new BinaryReader(bytes);
  const read: Record<string, unknown> = {};
  while (reader.pos < reader.len) {
    const [number] = reader.tag();
    const field = fields.get(number);
    if (field === undefined) throw new Error(`${message} has no field ${number}`);
    const { name, type, form } = field;
    if (form === "{}") {
      const [key, value] = readPair(reader.bytes(), type);
      if (name === "=") read[key] = value;
    } else if (form === "*") {
      const all = (read[name] as unknown[] | undefined) ?? [];
      read[name] = [...all, readValue(reader, type)];
    } else if (name === "=") return readValue(reader, type);
    else read[name] = readValue(reader, type);
  }
  return read;
}

test.each(["api/v1", "apis/apps/v1", "apis/example.com/v1beta1"])(
  "the protobuf of %s says what its JSON says",
  async (place) => {
    const openapi = createOpenApi({ surface: () => surface, gitVersion: "v1" });
    const read = async (accept: string) => {
      const answer = await openapi.answer(`/openapi/v3/${place}`, null, accept);
      if (answer?.type !== "document") throw new Error("there is no document");
      return answer.body;
    };
    const json = JSON.parse(Buffer.from(await read("application/json")).toString());
    const bytes = await read("application/com.github.proto-openapi.spec.v3@v1.0+protobuf");
    expect(readMessage(bytes, "Document")).toEqual(withoutShapes(json));
  },
);

/** The message has room for defaults that are scalars alone. */
function withoutShapes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutShapes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      key,
      key === "default" && typeof held === "object" ? {} : withoutShapes(held),
    ]),
  );
}

test("what only custom schemas say is said", () => {
  const schema = {
    type: "object",
    nullable: true,
    description: "d",
    required: ["a"],
    properties: {
      a: { type: "integer", format: "int64", minimum: 1, maximum: 2.5, multipleOf: 0.5 },
      b: { type: "array", maxItems: 9_007_199, items: { type: "string", enum: ["x", "y"] } },
      c: { anyOf: [{ type: "integer" }, { type: "string" }], "x-kubernetes-int-or-string": true },
      d: { type: "object", additionalProperties: true, default: {} },
      e: { type: "object", additionalProperties: { type: "boolean", default: true } },
      f: { not: { type: "string", pattern: "^a$" }, example: { a: [1] } },
    },
    "x-kubernetes-validations": [{ rule: "self.a > 1" }],
  };
  expect(readMessage(openApiV3Definitions({ s: schema }), "Schemas")).toEqual({ s: schema });
});
