import { BinaryWriter } from "@bufbuild/protobuf/wire";
import {
  any,
  each,
  embedded,
  type FieldWriter,
  flag,
  type MessageShape,
  message,
  named,
  text,
  texts,
  wrapped,
  writtenBy,
} from "./openapi-protobuf.ts";

type Json = Readonly<Record<string, unknown>>;

/** The media type of OpenAPI v2 as gnostic's `openapi.v2.Document`. */
export const openApiV2ProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/** What clients ask for it by. It is no well-formed media type: in an answer, Go's clients refuse it. */
export const openApiV2ProtobufWish = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

// The tables below are those messages of gnostic's OpenAPIv2.proto that the API server's documents hold.

const schemaShape: MessageShape = {
  fields: {
    $ref: text(1),
    format: text(2),
    description: text(4),
    default: any(5),
    required: texts(19),
    enum: each(any(20)),
    additionalProperties: wrapped(
      21,
      message(1, () => schemaShape),
    ),
    type: wrapped(22, texts(1)),
    items: wrapped(
      23,
      message(1, () => schemaShape),
    ),
    properties: wrapped(
      25,
      named(
        1,
        message(2, () => schemaShape),
      ),
    ),
  },
  extensions: 31,
};

const bodyParameter: MessageShape = {
  fields: {
    description: text(1),
    name: text(2),
    in: text(3),
    required: flag(4),
    schema: message(5, () => schemaShape),
  },
  extensions: 6,
};

const queryParameter: MessageShape = {
  fields: {
    required: flag(1),
    in: text(2),
    description: text(3),
    name: text(4),
    type: text(6),
    uniqueItems: flag(20),
  },
  extensions: 23,
};

const pathParameter: MessageShape = {
  fields: {
    required: flag(1),
    in: text(2),
    description: text(3),
    name: text(4),
    type: text(5),
    uniqueItems: flag(19),
  },
  extensions: 22,
};

/** `ParametersItem`: which message it is, hangs on where the parameter stands. */
function parameters(number: number): FieldWriter {
  const forms: Readonly<Record<string, FieldWriter>> = {
    body: message(1, () => bodyParameter),
    query: wrapped(
      2,
      message(3, () => queryParameter),
    ),
    path: wrapped(
      2,
      message(4, () => pathParameter),
    ),
  };
  return each((writer, value) => {
    const form = forms[String((value as Json)["in"])];
    if (form !== undefined) wrapped(number, wrapped(1, form))(writer, value);
  });
}

const responseShape: MessageShape = {
  fields: {
    description: text(1),
    schema: wrapped(
      2,
      message(1, () => schemaShape),
    ),
  },
  extensions: 5,
};

const operationShape: MessageShape = {
  fields: {
    tags: texts(1),
    description: text(3),
    operationId: text(5),
    produces: texts(6),
    consumes: texts(7),
    parameters: parameters(8),
    responses: wrapped(
      9,
      named(
        1,
        wrapped(
          2,
          message(1, () => responseShape),
        ),
      ),
    ),
    schemes: texts(10),
  },
  extensions: 13,
};

const pathShape: MessageShape = {
  fields: {
    get: message(2, () => operationShape),
    put: message(3, () => operationShape),
    post: message(4, () => operationShape),
    delete: message(5, () => operationShape),
    patch: message(8, () => operationShape),
    parameters: parameters(9),
  },
  extensions: 10,
};

const infoShape: MessageShape = { fields: { title: text(1), version: text(2) }, extensions: 7 };

/** The part of a document that stands before its paths. */
export function openApiV2Head(info: Json): Uint8Array {
  const writer = new BinaryWriter();
  text(1)(writer, "2.0");
  message(2, () => infoShape)(writer, info);
  return writer.finish();
}

/** Some paths, as they stand in `Paths`. */
export function openApiV2Paths(paths: Json): Uint8Array {
  return writtenBy(
    named(
      2,
      message(2, () => pathShape),
    ),
    paths,
  );
}

/** Some definitions, as they stand in `Definitions`. */
export function openApiV2Definitions(definitions: Json): Uint8Array {
  return writtenBy(
    named(
      1,
      message(2, () => schemaShape),
    ),
    definitions,
  );
}

/** The document, of its parts. */
export function openApiV2Document(
  head: Uint8Array,
  paths: readonly Uint8Array[],
  definitions: readonly Uint8Array[],
): Uint8Array {
  const writer = new BinaryWriter().raw(head);
  embedded(writer, 8, (within) => {
    for (const part of paths) within.raw(part);
  });
  embedded(writer, 9, (within) => {
    for (const part of definitions) within.raw(part);
  });
  return writer.finish();
}
