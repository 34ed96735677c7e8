import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  difference,
  equalFieldSets,
  type FieldSet,
  fieldSetOf,
  hasPath,
  intersection,
  pathsOf,
  recursiveDifference,
  union,
} from "./field-set.ts";
import { decodeFieldsV1, encodeFieldsV1 } from "./fields-v1.ts";
import { compareElements, keyElement, printPath, valueElement } from "./path-element.ts";

describe("the written form", () => {
  test("is sorted: fields, then keys, then values, then indices", () => {
    const set = fieldSetOf([
      ["i:10"],
      ["i:9"],
      ['v:"b"'],
      ["v:2"],
      ["v:true"],
      ['k:{"name":"b"}'],
      ['k:{"name":"a"}'],
      ["f:z"],
      ["f:a"],
      ["f:a", "f:x"],
    ]);
    expect(JSON.stringify(encodeFieldsV1(set))).toBe(
      JSON.stringify({
        "f:a": { ".": {}, "f:x": {} },
        "f:z": {},
        'k:{"name":"a"}': {},
        'k:{"name":"b"}': {},
        "v:2": {},
        'v:"b"': {},
        "v:true": {},
        "i:9": {},
        "i:10": {},
      }),
    );
  });

  test("sorts numbers in keys as numbers, and text by code points", () => {
    const ports = [443, 80, 8080].map((port) => keyElement([["port", port]]));
    expect(ports.toSorted(compareElements)).toEqual([
      'k:{"port":80}',
      'k:{"port":443}',
      'k:{"port":8080}',
    ]);
    expect(["f:\u{1f600}", "f:\uffee", "f:a"].sort(compareElements)).toEqual([
      "f:a",
      "f:\uffee",
      "f:\u{1f600}",
    ]);
  });

  test("has the names of keys sorted, and HTML escaped, as Go writes them", () => {
    expect(
      keyElement([
        ["protocol", "TCP"],
        ["containerPort", 80],
      ]),
    ).toBe('k:{"containerPort":80,"protocol":"TCP"}');
    expect(valueElement("<a&b>")).toBe('v:"\\u003ca\\u0026b\\u003e"');
  });
});

describe("what is read", () => {
  test("comes out in its one form, whatever its order", () => {
    const set = decodeFieldsV1({ 'k:{"b":1, "a":"<"}': {}, "f:x": { "f:y": {}, ".": {} } });
    expect(pathsOf(set)).toEqual([["f:x"], ['k:{"a":"\\u003c","b":1}'], ["f:x", "f:y"]]);
  });

  test("leaves out kinds of elements that are not known, and only those", () => {
    expect(JSON.stringify(encodeFieldsV1(decodeFieldsV1({ "q:x": {}, "f:a": {} })))).toBe(
      '{"f:a":{}}',
    );
  });

  test.each([
    [{ q: {} }],
    [{ fx: {} }],
    [{ "k:[]": {} }],
    [{ "k:{": {} }],
    [{ "i:x": {} }],
    [{ "f:a": 1 }],
    ["x"],
  ])("is refused when malformed: %j", (fields) => {
    expect(() => decodeFieldsV1(fields)).toThrow();
  });

  test("keeps every digit of a large integer", () => {
    const fields = { "v:9007199254740993": {}, 'k:{"id":9007199254740993}': {} };
    const set = decodeFieldsV1(fields);
    expect(new Set(set.keys())).toEqual(new Set(Object.keys(fields)));
    expect([valueElement(9007199254740993n), keyElement([["id", 9007199254740993n]])]).toEqual(
      Object.keys(fields),
    );
  });

  test("nothing is the empty set", () => {
    expect(decodeFieldsV1(undefined).size + decodeFieldsV1({}).size).toBe(0);
  });
});

test("paths are printed as messages have them", () => {
  expect(printPath(["f:spec", 'k:{"containerPort":80,"protocol":"TCP"}', "f:name"])).toBe(
    '.spec[containerPort=80,protocol="TCP"].name',
  );
  expect(printPath(['v:"a"', "i:3"])).toBe('[="a"][3]');
});

describe("sets", () => {
  const path = fc.array(fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'), {
    minLength: 1,
    maxLength: 3,
  });
  const anySet = fc.array(path, { maxLength: 12 }).map(fieldSetOf);
  const textOf = (set: FieldSet): string[] => pathsOf(set).map((each) => each.join("/"));

  test("are written and read back", () => {
    fc.assert(
      fc.property(anySet, (set) => {
        const text = JSON.stringify(encodeFieldsV1(set));
        return equalFieldSets(decodeFieldsV1(JSON.parse(text)), set);
      }),
    );
  });

  test("behave as sets of their paths", () => {
    fc.assert(
      fc.property(anySet, anySet, (left, right) => {
        const [a, b] = [new Set(textOf(left)), new Set(textOf(right))];
        expect(new Set(textOf(union(left, right)))).toEqual(new Set([...a, ...b]));
        expect(new Set(textOf(intersection(left, right)))).toEqual(
          new Set([...a].filter((text) => b.has(text))),
        );
        expect(new Set(textOf(difference(left, right)))).toEqual(
          new Set([...a].filter((text) => !b.has(text))),
        );
        const under = (text: string): boolean =>
          [...b].some((other) => text === other || text.startsWith(`${other}/`));
        expect(textOf(recursiveDifference(left, right))).toEqual(
          textOf(left).filter((text) => !under(text)),
        );
        for (const each of pathsOf(left)) expect(hasPath(left, each)).toBe(true);
      }),
    );
  });

  test("are left as they are by what does not touch them", () => {
    fc.assert(
      fc.property(
        anySet,
        (set) => difference(set, fieldSetOf([["f:other"]])) === set && union(set, set) === set,
      ),
    );
  });
});
