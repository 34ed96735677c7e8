import { expect, test } from "vitest";
import { parseJson } from "./json.ts";
import { unreadableBody } from "./unreadable.ts";
import { parseYaml } from "./yaml.ts";

function refusalOf(read: () => unknown, body: string): string {
  try {
    read();
  } catch (caught) {
    return unreadableBody("Pod", Buffer.from(body), caught).message;
  }
  throw new Error("it was read");
}

test("a body that is no JSON is told why, and how it begins", () => {
  expect(refusalOf(() => parseJson('{"a":'), '{"a":')).toBe(
    `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({"a":)`,
  );
  expect(refusalOf(() => parseJson("kind: Pod"), "kind: Pod")).toContain(
    "invalid character 'k' looking for beginning of value (6b696e643a20506f64)",
  );
  expect(refusalOf(() => parseJson(""), "")).toMatch(/\(<empty>\)$/);
});

test("a long body is cut, and a YAML error stands for itself", () => {
  const body = `a: b: ${"c".repeat(100)}`;
  expect(refusalOf(() => parseYaml(body), body)).toMatch(
    /\(must be of type Pod\): error converting YAML to JSON: yaml: line 1: .* \([0-9a-f]{60} \.\.\.\)$/,
  );
});
