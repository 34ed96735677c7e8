import fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedMap } from "./ordered-map.ts";

const key = fc.stringMatching(/^[ab/é😀\uffff]{0,4}$/u);
const change = fc.record({ key, set: fc.option(fc.nat(), { nil: undefined }) });

function entriesOf(map: OrderedMap<number>, prefix = "", startAfter?: string): [string, number][] {
  const found: [string, number][] = [];
  map.scan({ prefix, startAfter }, (value, key) => {
    found.push([key, value]);
    return true;
  });
  return found;
}

function sorted(model: ReadonlyMap<string, number>): [string, number][] {
  return [...model].sort(([one], [other]) => (one < other ? -1 : 1));
}

test("any run of changes leaves what a plain map would hold, in order, in every version kept", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      let map = OrderedMap.empty<number>();
      const model = new Map<string, number>();
      const versions: [OrderedMap<number>, [string, number][]][] = [];
      for (const { key, set } of changes) {
        map = set === undefined ? map.delete(key) : map.set(key, set);
        if (set === undefined) model.delete(key);
        else model.set(key, set);
        versions.push([map, sorted(model)]);
      }
      for (const [version, entries] of versions) {
        expect(entriesOf(version)).toEqual(entries);
        expect(version.size).toBe(entries.length);
      }
      for (const { key } of changes) expect(map.get(key)).toBe(model.get(key));
    }),
  );
});

test("a scan or a count covers the keys of its prefix after its start, and no other", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { maxLength: 120 }),
      key,
      fc.option(key, { nil: undefined }),
      (keys, prefix, startAfter) => {
        let map = OrderedMap.empty<number>();
        for (const [index, one] of keys.entries()) map = map.set(one, index);
        const expected = keys
          .filter((one) => one.startsWith(prefix))
          .filter((one) => startAfter === undefined || one > startAfter)
          .sort((one, other) => (one < other ? -1 : 1));
        expect(entriesOf(map, prefix, startAfter).map(([one]) => one)).toEqual(expected);
        expect(map.count({ prefix, startAfter })).toBe(expected.length);
      },
    ),
  );
});

test("ten thousand keys in any order come back in order, also while most of them are taken away", () => {
  const names = Array.from(
    { length: 10_000 },
    (_, index) => `pods/ns-${index % 7}/pod-${index * 7919}`,
  );
  let map = OrderedMap.empty<number>();
  for (const [index, name] of names.entries()) map = map.set(name, index);
  const full = map;
  expect(entriesOf(full).map(([name]) => name)).toEqual([...names].sort());
  for (const [index, name] of names.entries()) if (index % 50 !== 0) map = map.delete(name);
  const left = names.filter((_, index) => index % 50 === 0);
  expect(entriesOf(map).map(([name]) => name)).toEqual([...left].sort());
  expect(full.size).toBe(10_000);
  expect(map.count({ prefix: "pods/ns-3/" })).toBe(
    left.filter((name) => name.startsWith("pods/ns-3/")).length,
  );
});
