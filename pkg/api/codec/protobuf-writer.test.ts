import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtobufWriter } from "./protobuf-writer.ts";

type Step =
  | { readonly what: "string"; readonly value: string }
  | { readonly what: "bytes" | "raw"; readonly value: Uint8Array }
  | { readonly what: "int64"; readonly value: bigint | number }
  | { readonly what: "int32" | "double"; readonly value: number }
  | { readonly what: "bool"; readonly value: boolean }
  | { readonly what: "message"; readonly value: readonly Step[] };

const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 6 },
    fc.record({
      what: fc.constant("string"),
      value: fc.string({ unit: "binary", maxLength: 300 }),
    }),
    fc.record({ what: fc.constantFrom("bytes", "raw"), value: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ what: fc.constant("int64"), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
    fc.record({ what: fc.constant("int64"), value: fc.maxSafeInteger() }),
    fc.record({ what: fc.constant("int32"), value: fc.integer() }),
    fc.record({ what: fc.constant("double"), value: fc.double({ noNaN: true }) }),
    fc.record({ what: fc.constant("bool"), value: fc.boolean() }),
    fc.record({ what: fc.constant("message"), value: fc.array(tie("step"), { maxLength: 6 }) }),
  ) as fc.Arbitrary<Step>,
}));

function write(writer: BinaryWriter | ProtobufWriter, steps: readonly Step[]): void {
  for (const { what, value } of steps) {
    writer.tag(7 + steps.length * 40, WireType.LengthDelimited);
    if (what === "message") {
      writer.fork();
      write(writer, value);
      writer.join();
    } else (writer[what] as (value: unknown) => unknown).call(writer, value);
  }
}

test("writes, byte for byte, what protobuf's own writer writes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const [own, other] = [new ProtobufWriter(), new BinaryWriter()];
      write(own, steps);
      write(other, steps);
      expect(Buffer.from(own.finish())).toEqual(Buffer.from(other.finish()));
    }),
  );
});

test("a message within another is written whatever its length", () => {
  for (const length of [0, 127, 128, 16_383, 16_384, 3_000_000]) {
    const [own, other] = [new ProtobufWriter(), new BinaryWriter()];
    for (const writer of [own, other]) {
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(2, WireType.LengthDelimited).fork().raw(Buffer.alloc(length, "x")).join();
      writer.join().tag(3, WireType.Varint).bool(true);
    }
    expect(Buffer.compare(own.finish(), other.finish())).toBe(0);
  }
});
