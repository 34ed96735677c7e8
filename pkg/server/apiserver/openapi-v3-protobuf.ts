import { BinaryWriter } from "@bufbuild/protobuf/wire";
import {
  any,
  double,
  each,
  embedded,
  type FieldWriter,
  flag,
  type MessageShape,
  message,
  named,
  text,
  texts,
  wholeNumber,
  wrapped,
  writtenBy,
} from "./openapi-protobuf.ts";

type Json = Readonly<Record<string, unknown>>;

/** The media type of OpenAPI v3 as gnostic's `openapi.v3.Document`. */
export const openApiV3ProtobufType = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";

/** What clients ask for it by. It is no well-formed media type: in an answer, Go's clients refuse it. */
export const openApiV3ProtobufWish = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

// The tables below are those messages of gnostic's OpenAPIv3.proto that the API server's documents hold.

const referenceShape: MessageShape = {
  fields: { $ref: text(1), description: text(3) },
  extensions: 0,
};

/** A schema, or where one is to be found. */
function schemaAt(number: number): FieldWriter {
  const reference = message(2, () => referenceShape);
  const schema = message(1, () => schemaShape);
  return (writer, value) => {
    const isReference = typeof (value as Json)["$ref"] === "string";
    wrapped(number, isReference ? reference : schema)(writer, value);
  };
}

/** A scalar: defaults of other shapes have no place in the message. */
function defaultAt(number: number): FieldWriter {
  const scalars: Readonly<Record<string, FieldWriter>> = {
    number: double(1),
    boolean: flag(2),
    string: text(3),
  };
  return wrapped(number, (writer, value) => scalars[typeof value]?.(writer, value));
}

const additionalProperties: FieldWriter = wrapped(32, (writer, value) =>
  (typeof value === "boolean" ? flag(2) : schemaAt(1))(writer, value),
);

const schemaShape: MessageShape = {
  fields: {
    nullable: flag(1),
    externalDocs: message(6, () => ({
      fields: { description: text(1), url: text(2) },
      extensions: 3,
    })),
    example: any(7),
    title: text(9),
    multipleOf: double(10),
    maximum: double(11),
    exclusiveMaximum: flag(12),
    minimum: double(13),
    exclusiveMinimum: flag(14),
    maxLength: wholeNumber(15),
    minLength: wholeNumber(16),
    pattern: text(17),
    maxItems: wholeNumber(18),
    minItems: wholeNumber(19),
    uniqueItems: flag(20),
    maxProperties: wholeNumber(21),
    minProperties: wholeNumber(22),
    required: texts(23),
    enum: each(any(24)),
    type: text(25),
    allOf: each(schemaAt(26)),
    oneOf: each(schemaAt(27)),
    anyOf: each(schemaAt(28)),
    not: message(29, () => schemaShape),
    items: wrapped(30, schemaAt(1)),
    properties: wrapped(31, named(1, schemaAt(2))),
    additionalProperties,
    default: defaultAt(33),
    description: text(34),
    format: text(35),
  },
  extensions: 36,
};

const mediaTypeShape: MessageShape = { fields: { schema: schemaAt(1) }, extensions: 5 };

/** What a body may be written in. */
function contentAt(number: number): FieldWriter {
  return wrapped(
    number,
    named(
      1,
      message(2, () => mediaTypeShape),
    ),
  );
}

const parameterShape: MessageShape = {
  fields: {
    name: text(1),
    in: text(2),
    description: text(3),
    required: flag(4),
    schema: schemaAt(10),
  },
  extensions: 14,
};

function parametersAt(number: number): FieldWriter {
  return each(
    wrapped(
      number,
      message(1, () => parameterShape),
    ),
  );
}

const requestBodyShape: MessageShape = {
  fields: { description: text(1), content: contentAt(2), required: flag(3) },
  extensions: 4,
};

const responseShape: MessageShape = {
  fields: { description: text(1), content: contentAt(3) },
  extensions: 5,
};

const operationShape: MessageShape = {
  fields: {
    tags: texts(1),
    description: text(3),
    operationId: text(5),
    parameters: parametersAt(6),
    requestBody: wrapped(
      7,
      message(1, () => requestBodyShape),
    ),
    responses: wrapped(
      8,
      named(
        2,
        wrapped(
          2,
          message(1, () => responseShape),
        ),
      ),
    ),
  },
  extensions: 13,
};

const pathShape: MessageShape = {
  fields: {
    get: message(4, () => operationShape),
    put: message(5, () => operationShape),
    post: message(6, () => operationShape),
    delete: message(7, () => operationShape),
    patch: message(10, () => operationShape),
    parameters: parametersAt(13),
  },
  extensions: 14,
};

const infoShape: MessageShape = { fields: { title: text(1), version: text(6) }, extensions: 7 };

const securitySchemeShape: MessageShape = {
  fields: { type: text(1), description: text(2), name: text(3), in: text(4) },
  extensions: 9,
};

const securitySchemes = named(
  1,
  wrapped(
    2,
    message(1, () => securitySchemeShape),
  ),
);

/** Some paths, as they stand in `Paths`. */
export function openApiV3Paths(paths: Json): Uint8Array {
  return writtenBy(
    named(
      1,
      message(2, () => pathShape),
    ),
    paths,
  );
}

/** Some definitions, as they stand in `SchemasOrReferences`. */
export function openApiV3Definitions(definitions: Json): Uint8Array {
  return writtenBy(named(1, schemaAt(2)), definitions);
}

/** The document, of its parts. */
export function openApiV3Document(
  info: Json,
  paths: readonly Uint8Array[],
  definitions: readonly Uint8Array[],
  security: Json,
): Uint8Array {
  const writer = new BinaryWriter();
  text(1)(writer, "3.0.0");
  message(2, () => infoShape)(writer, info);
  embedded(writer, 4, (within) => {
    for (const part of paths) within.raw(part);
  });
  embedded(writer, 5, (components) => {
    embedded(components, 1, (within) => {
      for (const part of definitions) within.raw(part);
    });
    embedded(components, 7, (within) => securitySchemes(within, security));
  });
  return writer.finish();
}
