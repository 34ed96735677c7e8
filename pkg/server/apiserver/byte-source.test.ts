import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteSource } from "./byte-source.ts";

test("what comes in parts goes out in pieces, every byte once and in order", () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 9 }));
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 20 }), (given, pieceBytes) => {
      const waiting = [...given];
      const source = new ByteSource(() => waiting.shift());
      const got: number[] = [];
      for (;;) {
        const piece = new Uint8Array(pieceBytes);
        const bytes = source.fill(piece);
        got.push(...piece.subarray(0, bytes));
        if (bytes < pieceBytes) break;
      }
      expect(got).toEqual(given.flatMap((part) => [...part]));
      expect(source.hasRest).toBe(false);
    }),
  );
});

test("where there is nothing now, there may be later", () => {
  let waiting: Uint8Array | undefined;
  const source = new ByteSource(() => {
    const next = waiting;
    waiting = undefined;
    return next;
  });
  const target = new Uint8Array(2);
  expect(source.fill(target)).toBe(0);
  waiting = Uint8Array.of(1, 2, 3);
  expect(source.fill(target)).toBe(2);
  expect(source.hasRest).toBe(true);
  expect(source.fill(target)).toBe(1);
  expect(target[0]).toBe(3);
});
