import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { kubernetesDefinitionOf, kubernetesObjectSchema } from "../kubernetes-schema.ts";
import type { Field, FieldType, ObjectSchema } from "../schema.ts";
import { parseTime, printMicroTime, printTime } from "./go-time.ts";
import { jsonDepthMax, parseJsonValue } from "./json.ts";
import { setOwn } from "./json-parser.ts";
import { ProtobufWriter, varintBytes } from "./protobuf-writer.ts";

/** The bytes are no protobuf of Kubernetes. */
export class ProtobufError extends Error {}

/** What stands before each message: `k8s` and a zero. */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** `runtime.Unknown`: says what the message within is. */
export interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

type Value = Readonly<Record<string, unknown>>;

/** An object as the API sends it under `application/vnd.kubernetes.protobuf`. */
export function encodeProtobuf(schema: ObjectSchema, object: Value): Uint8Array {
  return writeEnvelope({
    apiVersion: textOf(object["apiVersion"]),
    kind: textOf(object["kind"]),
    raw: encodeMessage(schema, object),
  });
}

/**
 * An object as a client sent it, in the form that JSON would have had: `decodeObject` does the rest.
 * What the envelope does not say of its kind is left out.
 */
export function decodeProtobuf(schema: ObjectSchema, bytes: Uint8Array): Record<string, unknown> {
  const { apiVersion, kind, raw } = readEnvelope(bytes);
  const value = decodeMessage(schema, raw);
  return {
    ...(apiVersion === "" ? {} : { apiVersion }),
    ...(kind === "" ? {} : { kind }),
    ...value,
  };
}

/** As `encodeProtobuf`, by the kind that the value says it is; undefined for a kind that has no protobuf form. */
export function encodeKindAsProtobuf(value: Value): Uint8Array | undefined {
  const definition = kubernetesDefinitionOf(textOf(value["apiVersion"]), textOf(value["kind"]));
  return definition === undefined
    ? undefined
    : encodeProtobuf(kubernetesObjectSchema(definition), value);
}

/** A list of messages that were made before, by `encodeMessage` of each item: in parts that follow one another. */
export function* protobufListParts(
  typeMeta: { readonly apiVersion: string; readonly kind: string },
  listMeta: Value,
  items: readonly Uint8Array[],
): Generator<Uint8Array> {
  const metaSchema = kubernetesObjectSchema("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta");
  const meta = encodeMessage(metaSchema, listMeta);
  const head = new ProtobufWriter().tag(1, WireType.LengthDelimited).bytes(meta).finish();
  let length = head.length;
  for (const item of items) length += 1 + varintBytes(item.length) + item.length;
  const opening = writeOpening(new ProtobufWriter(), typeMeta);
  yield opening.tag(2, WireType.LengthDelimited).length(length).finish();
  yield head;
  for (const item of items) {
    yield new ProtobufWriter().tag(2, WireType.LengthDelimited).length(item.length).finish();
    yield item;
  }
  yield writeClosing(new ProtobufWriter()).finish();
}

/** A frame of a watch: its length, and a `WatchEvent` about an object that `encodeProtobuf` made. */
export function encodeProtobufWatchEvent(type: string, object: Uint8Array): Uint8Array {
  const event = new ProtobufWriter()
    .tag(1, WireType.LengthDelimited)
    .string(type)
    .tag(2, WireType.LengthDelimited)
    .bytes(encodeRaw(object))
    .finish();
  const frame = new Uint8Array(4 + event.length);
  new DataView(frame.buffer).setUint32(0, event.length);
  frame.set(event, 4);
  return frame;
}

function isProtobuf(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

export function readEnvelope(bytes: Uint8Array): ProtobufEnvelope {
  if (!isProtobuf(bytes)) {
    throw new ProtobufError(
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  }
  return readingSafely(() => {
    const reader = new BinaryReader(bytes.subarray(magic.length));
    let typeMeta = { apiVersion: "", kind: "" };
    let raw: Uint8Array = new Uint8Array();
    while (reader.pos < reader.len) {
      const [number, wire] = reader.tag();
      if (number === 1 && wire === WireType.LengthDelimited)
        typeMeta = readTypeMeta(reader.bytes());
      else if (number === 2 && wire === WireType.LengthDelimited) raw = reader.bytes();
      else reader.skip(wire, number);
    }
    return { ...typeMeta, raw };
  });
}

function readTypeMeta(bytes: Uint8Array): { readonly apiVersion: string; readonly kind: string } {
  const [apiVersion, kind] = readStrings(bytes, 1, 2);
  return { apiVersion: apiVersion?.[0] ?? "", kind: kind?.[0] ?? "" };
}

function writeEnvelope(envelope: ProtobufEnvelope): Uint8Array {
  const writer = writeOpening(new ProtobufWriter(), envelope);
  writer.tag(2, WireType.LengthDelimited).bytes(envelope.raw);
  return writeClosing(writer).finish();
}

function writeOpening(
  writer: ProtobufWriter,
  { apiVersion, kind }: Pick<ProtobufEnvelope, "apiVersion" | "kind">,
): ProtobufWriter {
  return writer
    .raw(magic)
    .tag(1, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .string(apiVersion)
    .tag(2, WireType.LengthDelimited)
    .string(kind)
    .join();
}

function writeClosing(writer: ProtobufWriter): ProtobufWriter {
  return writer
    .tag(3, WireType.LengthDelimited)
    .string("")
    .tag(4, WireType.LengthDelimited)
    .string("");
}

/** How a message lies on the wire: its own fields, and the messages that JSON inlines. */
interface Layout {
  readonly byNumber: ReadonlyMap<number, Slot>;
  readonly slots: readonly Slot[];
}

type Slot =
  | { readonly number: number; readonly field: Field; readonly type: string }
  | { readonly number: number; readonly inlined: Layout };

const layouts = new WeakMap<ObjectSchema, Layout>();

function layoutOf(schema: ObjectSchema): Layout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const layout = makeLayout([...schema.fields.values()], 0);
  layouts.set(schema, layout);
  return layout;
}

function makeLayout(fields: readonly Field[], depth: number): Layout {
  const slots: Slot[] = [];
  const inner = new Map<number, Field[]>();
  for (const field of fields) {
    const place = field.protobuf;
    if (place === undefined) continue;
    const outer = place.within[depth];
    if (outer === undefined) slots.push({ number: place.number, field, type: place.type });
    else inner.set(outer, [...(inner.get(outer) ?? []), field]);
  }
  for (const [number, inlined] of inner) {
    slots.push({ number, inlined: makeLayout(inlined, depth + 1) });
  }
  slots.sort((a, b) => a.number - b.number);
  return { slots, byNumber: new Map(slots.map((slot) => [slot.number, slot])) };
}

/** The message of an object, without envelope. */
export function encodeMessage(schema: ObjectSchema, object: Value): Uint8Array {
  const writer = new ProtobufWriter();
  writeFields(writer, layoutOf(schema), object);
  return writer.finish();
}

function writeFields(writer: ProtobufWriter, layout: Layout, object: Value): void {
  for (const slot of layout.slots) {
    if ("inlined" in slot) {
      writer.tag(slot.number, WireType.LengthDelimited).fork();
      writeFields(writer, slot.inlined, object);
      writer.join();
      continue;
    }
    const value = object[slot.field.name];
    if (value === undefined || value === null) continue;
    writeField(writer, slot.number, slot.field.type, slot.type, value);
  }
}

function writeField(
  writer: ProtobufWriter,
  number: number,
  type: FieldType,
  wireType: string,
  value: unknown,
): void {
  if (type.kind === "list") {
    if (isWrapper(type, wireType)) writer.tag(number, WireType.LengthDelimited).fork();
    const itemNumber = isWrapper(type, wireType) ? 1 : number;
    for (const item of value as readonly unknown[]) {
      writeField(writer, itemNumber, type.item, scalarOf(wireType), item);
    }
    if (isWrapper(type, wireType)) writer.join();
    return;
  }
  if (type.kind === "map") {
    const valueType = /^map<string,(.*)>$/.exec(wireType)?.[1] ?? "string";
    const map = value as Value;
    for (const key of Object.keys(map).sort()) {
      writer.tag(number, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(key);
      writeField(writer, 2, type.value, valueType, map[key]);
      writer.join();
    }
    return;
  }
  writeScalar(writer, number, type, wireType, value);
}

/** Go's named lists (`ExtraValue`, `Verbs`) are messages around their items. */
function isWrapper(type: FieldType & { kind: "list" }, wireType: string): boolean {
  return type.item.kind === "string" && wireType !== "string";
}

function scalarOf(wireType: string): string {
  return wireType === "ExtraValue" || wireType === "Verbs" ? "string" : wireType;
}

function writeScalar(
  writer: ProtobufWriter,
  number: number,
  type: Exclude<FieldType, { kind: "list" | "map" }>,
  wireType: string,
  value: unknown,
): void {
  switch (type.kind) {
    case "boolean":
      writer.tag(number, WireType.Varint).bool(value === true);
      break;
    case "integer":
      writer.tag(number, WireType.Varint).int64(value as number | bigint);
      break;
    case "number":
      writer.tag(number, WireType.Bit64).double(value as number);
      break;
    case "string":
      writer.tag(number, WireType.LengthDelimited).string(textOf(value));
      break;
    case "bytes":
      writer.tag(number, WireType.LengthDelimited).bytes(Buffer.from(textOf(value), "base64"));
      break;
    case "time":
    case "micro-time":
      writer.tag(number, WireType.LengthDelimited).fork();
      writeTime(writer, value);
      writer.join();
      break;
    case "duration":
      writer.tag(number, WireType.LengthDelimited).fork();
      writeDuration(writer, textOf(value));
      writer.join();
      break;
    case "quantity":
      writer.tag(number, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(textOf(value)).join();
      break;
    case "int-or-string":
      writer.tag(number, WireType.LengthDelimited).fork();
      writeIntOrString(writer, value);
      writer.join();
      break;
    case "any":
      writer.tag(number, WireType.LengthDelimited).fork();
      writeAny(writer, wireType, value);
      writer.join();
      break;
    case "object":
      writer.tag(number, WireType.LengthDelimited).fork();
      writeFields(writer, layoutOf(type.schema()), value as Value);
      writer.join();
      break;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : String(value);
}

/** Go's zero time, which is null in JSON, is an empty message. */
function writeTime(writer: ProtobufWriter, value: unknown): void {
  if (value === null) return;
  const { seconds, nanos } = parseTime(textOf(value));
  writer.tag(1, WireType.Varint).int64(seconds).tag(2, WireType.Varint).int32(nanos);
}

const unitNanos: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

function writeDuration(writer: ProtobufWriter, text: string): void {
  let nanos = 0;
  for (const [, amount, unit = ""] of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    nanos += Number(amount) * (unitNanos[unit] ?? 0);
  }
  const signed = Math.round(text.startsWith("-") ? -nanos : nanos);
  writer.tag(1, WireType.Varint).int64(signed);
}

function writeIntOrString(writer: ProtobufWriter, value: unknown): void {
  const isText = typeof value === "string";
  writer
    .tag(1, WireType.Varint)
    .int64(isText ? 1 : 0)
    .tag(2, WireType.Varint)
    .int32(isText ? 0 : (value as number))
    .tag(3, WireType.LengthDelimited)
    .string(isText ? value : "");
}

function encodeRaw(bytes: Uint8Array): Uint8Array {
  return new ProtobufWriter().tag(1, WireType.LengthDelimited).bytes(bytes).finish();
}

const jsonSchemaProps = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

/** Either a JSON text in a message of its own, or one of the unions around JSONSchemaProps. */
function writeAny(writer: ProtobufWriter, wireType: string, value: unknown): void {
  switch (wireType) {
    case "JSONSchemaPropsOrArray":
      if (Array.isArray(value)) for (const item of value) writeJsonSchema(writer, 2, item);
      else writeJsonSchema(writer, 1, value);
      break;
    case "JSONSchemaPropsOrBool":
      writer.tag(1, WireType.Varint).bool(value !== false);
      if (typeof value === "object") writeJsonSchema(writer, 2, value);
      break;
    case "JSONSchemaPropsOrStringArray":
      if (Array.isArray(value)) {
        for (const item of value) writer.tag(2, WireType.LengthDelimited).string(textOf(item));
      } else writeJsonSchema(writer, 1, value);
      break;
    default:
      writer.tag(1, WireType.LengthDelimited).string(JSON.stringify(value));
  }
}

function writeJsonSchema(writer: ProtobufWriter, number: number, value: unknown): void {
  writer.tag(number, WireType.LengthDelimited).fork();
  writeFields(writer, layoutOf(kubernetesObjectSchema(jsonSchemaProps)), value as Value);
  writer.join();
}

/** The object in a message, in the form that JSON would have had. */
function decodeMessage(schema: ObjectSchema, bytes: Uint8Array): Record<string, unknown> {
  return readingSafely(() => {
    const object: Record<string, unknown> = {};
    readFields(bytes, layoutOf(schema), object, 0);
    return object;
  });
}

/** Bytes that end too early, varints that do not end: whatever the reader stumbles over is one kind of error. */
function readingSafely<T>(read: () => T): T {
  try {
    return read();
  } catch (caught) {
    if (caught instanceof ProtobufError) throw caught;
    const why = caught instanceof Error ? caught.message : String(caught);
    throw new ProtobufError(`proto: ${why}`, { cause: caught });
  }
}

function readFields(
  bytes: Uint8Array,
  layout: Layout,
  object: Record<string, unknown>,
  depth: number,
): void {
  if (depth > jsonDepthMax) throw new ProtobufError("proto: exceeded max recursion depth");
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const slot = layout.byNumber.get(number);
    if (slot === undefined) reader.skip(wire, number);
    else if ("inlined" in slot) {
      expect(wire, WireType.LengthDelimited);
      readFields(reader.bytes(), slot.inlined, object, depth + 1);
    } else readField(reader, wire, slot.field, slot.type, object, depth);
  }
}

function expect(wire: WireType, wanted: WireType): void {
  if (wire !== wanted) throw new ProtobufError(`proto: wrong wireType = ${wire}`);
}

function readField(
  reader: BinaryReader,
  wire: WireType,
  field: Field,
  wireType: string,
  object: Record<string, unknown>,
  depth: number,
): void {
  const { name, type } = field;
  if (type.kind === "list") {
    object[name] ??= [];
    const items = object[name] as unknown[];
    if (isWrapper(type, wireType)) {
      expect(wire, WireType.LengthDelimited);
      items.push(...(readStrings(reader.bytes(), 1)[0] ?? []));
    } else readItem(reader, wire, type.item, wireType, items, depth);
    return;
  }
  if (type.kind === "map") {
    expect(wire, WireType.LengthDelimited);
    object[name] ??= {};
    const map = object[name] as Record<string, unknown>;
    const valueType = /^map<string,(.*)>$/.exec(wireType)?.[1] ?? "string";
    readEntry(reader.bytes(), type.value, valueType, map, depth);
    return;
  }
  const value = readScalar(reader, wire, type, wireType, depth);
  if (value !== undefined) object[name] = value;
}

/** Numbers may come packed: many in one. */
function readItem(
  reader: BinaryReader,
  wire: WireType,
  type: FieldType,
  wireType: string,
  items: unknown[],
  depth: number,
): void {
  const isNumber = type.kind === "integer" || type.kind === "boolean" || type.kind === "number";
  if (!isNumber || wire !== WireType.LengthDelimited) {
    items.push(readScalar(reader, wire, type, wireType, depth) ?? null);
    return;
  }
  const packed = new BinaryReader(reader.bytes());
  const itemWire = type.kind === "number" ? WireType.Bit64 : WireType.Varint;
  while (packed.pos < packed.len) items.push(readScalar(packed, itemWire, type, wireType, depth));
}

function readEntry(
  bytes: Uint8Array,
  type: FieldType,
  wireType: string,
  map: Record<string, unknown>,
  depth: number,
): void {
  const reader = new BinaryReader(bytes);
  let key = "";
  let value: unknown = null;
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === 1) key = reader.string();
    else if (number !== 2) reader.skip(wire, number);
    else if (type.kind === "list") value = readStrings(reader.bytes(), 1)[0];
    else value = readScalar(reader, wire, type, wireType, depth);
  }
  setOwn(map, key, value ?? null);
}

/** The strings of some fields of a message; other fields are passed over. */
function readStrings(bytes: Uint8Array, ...numbers: readonly number[]): readonly string[][] {
  const found: string[][] = numbers.map(() => []);
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const strings = found[numbers.indexOf(number)];
    if (strings === undefined || wire !== WireType.LengthDelimited) reader.skip(wire, number);
    else strings.push(reader.string());
  }
  return found;
}

function readScalar(
  reader: BinaryReader,
  wire: WireType,
  type: FieldType,
  wireType: string,
  depth: number,
): unknown {
  switch (type.kind) {
    case "boolean":
      expect(wire, WireType.Varint);
      return reader.bool();
    case "integer":
      expect(wire, WireType.Varint);
      return type.bits === 32 ? reader.int32() : integerOf(reader.int64());
    case "number":
      expect(wire, WireType.Bit64);
      return reader.double();
    default:
      expect(wire, WireType.LengthDelimited);
      return readLengthDelimited(reader, type, wireType, depth);
  }
}

function readLengthDelimited(
  reader: BinaryReader,
  type: FieldType,
  wireType: string,
  depth: number,
): unknown {
  switch (type.kind) {
    case "string":
      return reader.string();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    case "time":
      return decodeTime(reader.bytes(), printTime);
    case "micro-time":
      return decodeTime(reader.bytes(), printMicroTime);
    case "duration":
      return `${Number(readNumbers(reader.bytes()).get(1) ?? 0)}ns`;
    case "quantity": {
      const [texts] = readStrings(reader.bytes(), 1);
      return texts?.[0] === undefined || texts[0] === "" ? "0" : texts[0];
    }
    case "int-or-string":
      return decodeIntOrString(reader.bytes());
    case "any":
      return decodeAny(wireType, reader.bytes(), depth);
    case "object": {
      const object: Record<string, unknown> = {};
      readFields(reader.bytes(), layoutOf(type.schema()), object, depth + 1);
      return object;
    }
    default:
      throw new ProtobufError(`proto: a ${type.kind} cannot stand here`);
  }
}

function integerOf(value: bigint | string): number | bigint {
  const exact = BigInt(value);
  const near = Number(exact);
  return Number.isSafeInteger(near) ? near : exact;
}

/** The numbers of a message; other fields are passed over. */
function readNumbers(bytes: Uint8Array): ReadonlyMap<number, number | bigint> {
  const numbers = new Map<number, number | bigint>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire === WireType.Varint) numbers.set(number, integerOf(reader.int64()));
    else reader.skip(wire, number);
  }
  return numbers;
}

/** Go writes the zero time as an empty message. */
function decodeTime(
  bytes: Uint8Array,
  print: (seconds: number, nanos: number) => string,
): string | undefined {
  if (bytes.length === 0) return undefined;
  const numbers = readNumbers(bytes);
  const seconds = Number(numbers.get(1) ?? 0);
  if (Math.abs(seconds) > 253_402_300_799) throw new ProtobufError("proto: time out of range");
  return print(seconds, Number(numbers.get(2) ?? 0));
}

function decodeIntOrString(bytes: Uint8Array): number | string {
  const numbers = readNumbers(bytes);
  if (numbers.get(1) === 1) return readStrings(bytes, 3)[0]?.[0] ?? "";
  return Number(BigInt.asIntN(32, BigInt(numbers.get(2) ?? 0)));
}

function decodeAny(wireType: string, bytes: Uint8Array, depth: number): unknown {
  if (wireType.startsWith("JSONSchemaPropsOr")) return decodeUnion(wireType, bytes, depth);
  const reader = new BinaryReader(bytes);
  let raw: Uint8Array | undefined;
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === 1 && wire === WireType.LengthDelimited) raw = reader.bytes();
    else reader.skip(wire, number);
  }
  return raw === undefined || raw.length === 0 ? undefined : jsonOf(raw);
}

function jsonOf(raw: Uint8Array): unknown {
  try {
    return parseJsonValue(raw);
  } catch (caught) {
    const why = caught instanceof Error ? caught.message : String(caught);
    throw new ProtobufError(`proto: embedded JSON: ${why}`, { cause: caught });
  }
}

function decodeUnion(wireType: string, bytes: Uint8Array, depth: number): unknown {
  const reader = new BinaryReader(bytes);
  const many: unknown[] = [];
  let one: unknown;
  let allows = false;
  const layout = layoutOf(kubernetesObjectSchema(jsonSchemaProps));
  const read = (): unknown => {
    const object: Record<string, unknown> = {};
    readFields(reader.bytes(), layout, object, depth + 1);
    return object;
  };
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wireType === "JSONSchemaPropsOrBool" && number === 1) allows = reader.bool();
    else if (wireType === "JSONSchemaPropsOrBool" && number === 2) one = read();
    else if (number === 1) one = read();
    else if (number === 2 && wireType === "JSONSchemaPropsOrArray") many.push(read());
    else if (number === 2) many.push(reader.string());
    else reader.skip(wire, number);
  }
  if (one !== undefined) return one;
  return wireType === "JSONSchemaPropsOrBool" ? allows : many;
}
