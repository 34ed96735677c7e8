import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

type Json = Readonly<Record<string, unknown>>;

/** Writes one field of a message, where the value is there. */
export type FieldWriter = (writer: BinaryWriter, value: unknown) => void;

/** A message of gnostic's OpenAPI: any key that begins with `x-` is a vendor extension. */
export interface MessageShape {
  readonly fields: Readonly<Record<string, FieldWriter>>;
  /** The number of the field that holds the extensions. */
  readonly extensions: number;
}

export function text(number: number): FieldWriter {
  return (writer, value) => writer.tag(number, WireType.LengthDelimited).string(String(value));
}

export function texts(number: number): FieldWriter {
  return (writer, value) => {
    for (const item of Array.isArray(value) ? value : [value]) text(number)(writer, item);
  };
}

export function flag(number: number): FieldWriter {
  return (writer, value) => writer.tag(number, WireType.Varint).bool(value === true);
}

export function wholeNumber(number: number): FieldWriter {
  return (writer, value) => writer.tag(number, WireType.Varint).int64(Number(value));
}

export function double(number: number): FieldWriter {
  return (writer, value) => writer.tag(number, WireType.Bit64).double(Number(value));
}

/** `Any`: YAML, of which JSON is a part. */
export function any(number: number): FieldWriter {
  return (writer, value) =>
    embedded(writer, number, (inner) => text(2)(inner, `${JSON.stringify(value)}\n`));
}

export function message(number: number, shape: () => MessageShape): FieldWriter {
  return (writer, value) =>
    embedded(writer, number, (inner) => writeMessage(inner, shape(), value as Json));
}

/** A message that holds nothing but another. */
export function wrapped(number: number, inner: FieldWriter): FieldWriter {
  return (writer, value) => embedded(writer, number, (within) => inner(within, value));
}

export function each(item: FieldWriter): FieldWriter {
  return (writer, value) => {
    for (const held of value as readonly unknown[]) item(writer, held);
  };
}

/** A map as pairs of name and value. */
export function named(number: number, value: FieldWriter): FieldWriter {
  return (writer, map) => {
    for (const [name, held] of Object.entries(map as Json)) {
      embedded(writer, number, (pair) => {
        text(1)(pair, name);
        value(pair, held);
      });
    }
  };
}

export function embedded(
  writer: BinaryWriter,
  number: number,
  write: (writer: BinaryWriter) => void,
): void {
  writer.tag(number, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

export function writeMessage(writer: BinaryWriter, shape: MessageShape, value: Json): void {
  for (const [key, held] of Object.entries(value)) {
    const write = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    if (write !== undefined) write(writer, held);
    else if (key.startsWith("x-")) named(shape.extensions, any(2))(writer, { [key]: held });
  }
}

/** What a writer of a message's field writes, alone. */
export function writtenBy(write: FieldWriter, value: unknown): Uint8Array {
  const writer = new BinaryWriter();
  write(writer, value);
  return writer.finish();
}
