import { expect, test } from "vitest";
import { keepTimes } from "./keep-times.ts";

function objectOf(
  time: string,
  value: string,
  fields: object = { "f:data": {} },
): { metadata: object } {
  const entry = {
    manager: "m",
    operation: "Apply",
    apiVersion: "v1",
    time,
    fieldsType: "FieldsV1",
    fieldsV1: fields,
  };
  return { metadata: { name: "x", managedFields: [entry] }, ...{ data: { a: value } } };
}

const before = objectOf("2026-11-21T01:00:00Z", "1");
const { managedFields } = before.metadata as { managedFields: unknown };

test("times that alone are new are not", () => {
  expect(keepTimes(before as never, objectOf("2026-11-21T02:00:00Z", "1") as never)).toBe(
    managedFields,
  );
});

test.each([
  objectOf("2026-11-21T02:00:00Z", "2"),
  objectOf("2026-11-21T02:00:00Z", "1", { "f:x": {} }),
])("times are new with anything else: %j", (next) => {
  expect(keepTimes(before as never, next as never)).toBe(
    (next.metadata as { managedFields: unknown }).managedFields,
  );
});
