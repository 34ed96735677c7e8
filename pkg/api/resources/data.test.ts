import { describe, expect, test } from "vitest";
import { createdFromYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import { configMapResource } from "./configmap.ts";
import { secretResource } from "./secret.ts";

const configMap = (rest: string) =>
  createdFromYaml(
    configMapResource,
    `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, ${rest}}`,
  );
const secret = (rest: string) =>
  createdFromYaml(secretResource, `{apiVersion: v1, kind: Secret, metadata: {name: a}, ${rest}}`);

describe("a ConfigMap", () => {
  test("has keys that can be files", () => {
    expect(problemsOf(configMapResource, configMap("data: {a.txt: x, A_b-c: z}"))).toEqual([]);
    expect(problemsOf(configMapResource, configMap("data: {a/b: x}"))[0]).toMatch(
      /^data\[a\/b\]: Invalid value: a valid config key must consist of/,
    );
    expect(problemsOf(configMapResource, configMap("data: {..: x}"))).toEqual([
      "data[..]: Invalid value: must not be '..'",
    ]);
  });

  test("has each key once", () => {
    expect(problemsOf(configMapResource, configMap("data: {a: x}, binaryData: {a: eA==}"))).toEqual(
      ["data[a]: Invalid value: duplicate of key present in binaryData"],
    );
  });

  test("weighs no more than a mebibyte", () => {
    const full = configMap(`data: {a: ${"x".repeat(1_048_576)}}`);
    expect(problemsOf(configMapResource, full)).toEqual([]);
    const over = { ...full, binaryData: { b: "eA==" } };
    expect(problemsOf(configMapResource, over)).toEqual([
      "[]: Too long: may not be more than 1048576 bytes",
    ]);
  });

  test("stays as it is once it is immutable", () => {
    const before = configMap("immutable: true, data: {a: x}");
    const change = (rest: string) =>
      configMapResource.validateUpdate?.(configMap(rest), before)?.map(({ path }) => path);
    expect(change("immutable: true, data: {a: x}")).toEqual([]);
    expect(change("immutable: true, data: {a: z}")).toEqual(["data"]);
    expect(change("data: {a: x}")).toEqual(["immutable"]);
    expect(change("immutable: true, data: {a: x}, binaryData: {b: eA==}")).toEqual(["binaryData"]);
  });
});

describe("a Secret", () => {
  test("takes plain text, and keeps it encoded", () => {
    const made = secret("data: {a: eA==, b: eA==}, stringData: {b: hello}");
    expect(made).toMatchObject({ type: "Opaque", data: { a: "eA==", b: "aGVsbG8=" } });
    expect(made.stringData).toBe(undefined);
  });

  test.each<[string, string[]]>([
    ["type: kubernetes.io/tls, data: {tls.crt: eA==}", ["data[tls.key]: Required value"]],
    [
      "type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: nonsense}",
      [
        "data[.dockerconfigjson]: Invalid value: invalid character 'o' in literal null (expecting 'u')",
      ],
    ],
    [
      "type: kubernetes.io/dockercfg, stringData: {.dockercfg: '[1]'}",
      [
        "data[.dockercfg]: Invalid value: json: cannot unmarshal array into Go value of type map[string]interface {}",
      ],
    ],
    ["type: kubernetes.io/dockercfg, stringData: {.dockercfg: 'null'}", []],
    [
      `type: kubernetes.io/dockercfg, stringData: {.dockercfg: '${"[".repeat(100_000)}'}`,
      ["data[.dockercfg]: Invalid value: exceeded max depth"],
    ],
    [
      "type: kubernetes.io/basic-auth",
      ["data[username]: Required value", "data[password]: Required value"],
    ],
    ["type: kubernetes.io/basic-auth, stringData: {password: ''}", []],
    [
      "type: kubernetes.io/ssh-auth, stringData: {ssh-privatekey: ''}",
      ["data[ssh-privatekey]: Required value"],
    ],
    ['type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: "{}"}', []],
    [
      "type: kubernetes.io/service-account-token",
      ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
    ],
    ["type: example.com/own, data: {x: eA==}", []],
  ])("of a type has what the type needs: %#", (rest, expected) => {
    expect(problemsOf(secretResource, secret(rest))).toEqual(expected);
  });

  test("keeps its type", () => {
    expect(secretResource.validateUpdate?.(secret("type: a/b"), secret("type: c/d"))).toMatchObject(
      [{ path: "type", detail: "field is immutable" }],
    );
  });
});
