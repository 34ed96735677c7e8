import { expect, test } from "vitest";
import type { ApiError } from "../api-error.ts";
import { deploymentSchema } from "../generated/apps-v1.generated.ts";
import {
  configMapSchema,
  podSchema,
  secretSchema,
  serviceSchema,
} from "../generated/core-v1.generated.ts";
import type { Schema } from "../schema.ts";
import { decodeObject, type FieldValidation } from "./decode.ts";
import { parseJson } from "./json.ts";

function decodeText<T>(schema: Schema<T>, text: string, fieldValidation: FieldValidation) {
  const { value, duplicates } = parseJson(text, { findDuplicates: true });
  return decodeObject(schema, value, { fieldValidation, duplicates });
}

function refusalOf<T>(schema: Schema<T>, value: unknown): { code: number; message: string } {
  try {
    decodeObject(schema, value, { fieldValidation: "Strict" });
  } catch (caught) {
    const { code, message } = caught as ApiError;
    return { code, message };
  }
  throw new Error("it was decoded");
}

const inTemplate = (spec: unknown) => ({ spec: { template: { spec } } });
const badDeployment = 'Deployment in version "v1" cannot be handled as a Deployment: ';

test.each([
  [
    { spec: { replicas: "3" } },
    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    inTemplate({ containers: [{ ports: [{ containerPort: "x" }] }] }),
    "json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32",
  ],
  [
    inTemplate({ containers: [{ imagePullPolicy: 3 }] }),
    "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy",
  ],
  [
    inTemplate({ containers: {} }),
    "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
  ],
  [
    inTemplate({ containers: ["a"] }),
    "json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container",
  ],
  [
    { metadata: { labels: { a: true } } },
    "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
  ],
  [
    { spec: { replicas: 2 ** 31 } },
    "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    { spec: { replicas: 1.5 } },
    "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    inTemplate({ containers: [{ resources: { limits: { cpu: "lots" } } }] }),
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    { metadata: { creationTimestamp: "yesterday" } },
    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  ],
  [[], "json: cannot unmarshal array into Go value of type v1.Deployment"],
])("%j is refused in Go's words", (value, why) => {
  expect(refusalOf(deploymentSchema, value)).toEqual({ code: 400, message: badDeployment + why });
});

test("unknown and doubled fields are refused in the order of the text", () => {
  const text = `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"unknown1":1,"unknownDupe":1,"unknownDupe":2,
    "paused":true,"paused":false,"template":{"spec":{"containers":[{"unknownNested":1,"image":"a","image":"b"}]}}}}`;
  expect(() => decodeText(deploymentSchema, text, "Strict")).toThrow(
    `${badDeployment}strict decoding error: unknown field "spec.unknown1", unknown field "spec.unknownDupe", ` +
      'duplicate field "spec.paused", unknown field "spec.template.spec.containers[0].unknownNested", ' +
      'duplicate field "spec.template.spec.containers[0].image"',
  );
});

test("unknown and doubled fields are warned of, or passed over, and are gone", () => {
  const text = '{"spec":{"foo":1,"replicas":1,"replicas":2}}';
  const warned = decodeText(deploymentSchema, text, "Warn");
  expect(warned.warnings).toEqual(['unknown field "spec.foo"', 'duplicate field "spec.replicas"']);
  expect(warned.object.spec).not.toHaveProperty("foo");
  expect(warned.object.spec?.replicas).toBe(2);
  expect(decodeText(deploymentSchema, text, "Ignore").warnings).toEqual([]);
});

test("the kind that the data names stands in the refusal", () => {
  const value = { kind: "Pod", apiVersion: "v1", metadata: 3 };
  expect(refusalOf(deploymentSchema, value).message).toContain(
    'Pod in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field Deployment.metadata of type v1.ObjectMeta',
  );
});

test("nulls and empty values that mean nothing are gone, those that mean something stay", () => {
  const { object } = decodeObject(deploymentSchema, {
    metadata: { name: "a", creationTimestamp: null, labels: {}, annotations: null },
    spec: {
      replicas: 0,
      minReadySeconds: 0,
      template: {
        spec: { hostNetwork: false, nodeSelector: {}, enableServiceLinks: false, volumes: [] },
      },
    },
  });
  expect(object.metadata).toEqual({ name: "a" });
  expect(object.spec).toEqual({
    replicas: 0,
    strategy: {},
    template: { metadata: {}, spec: { enableServiceLinks: false } },
  });
});

test("what Go always writes is there", () => {
  const { object } = decodeObject(podSchema, { spec: { containers: [{ ports: [{}] }] } });
  expect(object).toEqual({
    metadata: {},
    spec: {
      containers: [{ name: "", ports: [{ containerPort: 0, protocol: "TCP" }], resources: {} }],
    },
    status: {},
  });
});

test("quantities, times and base64 are brought into their one form", () => {
  const { object } = decodeObject(podSchema, {
    metadata: { creationTimestamp: "2026-01-02T03:04:05.678+02:00" },
    spec: {
      containers: [{ name: "a", resources: { limits: { cpu: 0.5, memory: "1024Mi", gpu: 1 } } }],
    },
  });
  expect(object.metadata.creationTimestamp).toBe("2026-01-02T01:04:05Z");
  expect(object.spec?.containers[0]?.resources?.limits).toEqual({
    cpu: "500m",
    memory: "1Gi",
    gpu: "1",
  });
  const secret = decodeObject(secretSchema, { data: { a: "aGVs\nbG8=" } });
  expect(secret.object.data).toEqual({ a: "aGVsbG8=" });
});

test.each([
  ["aGVsbG8", 4],
  ["aGV$bG8=", 3],
  ["====", 0],
  ["a", 0],
])("base64 of %j is refused at byte %i", (text, byte) => {
  expect(refusalOf(secretSchema, { data: { a: text } }).message).toContain(
    `illegal base64 data at input byte ${byte}`,
  );
});

test("a time that is none is refused", () => {
  const refused = (creationTimestamp: string) =>
    refusalOf(podSchema, { metadata: { creationTimestamp } }).message;
  expect(refused("2026-02-30T00:00:00Z")).toContain("day out of range");
  expect(refused("2026-13-01T00:00:00Z")).toContain("month out of range");
  expect(refused("2026-01-01T00:00:00Zx")).toContain('extra text: "x"');
  expect(refused("2026-01-01")).toContain('cannot parse "" as "T"');
});

test("a port may be a number or a name, and nothing else", () => {
  const withPort = (targetPort: unknown) => ({ spec: { ports: [{ port: 1, targetPort }] } });
  const decoded = (port: unknown) =>
    decodeObject(serviceSchema, withPort(port)).object.spec?.ports?.[0]?.targetPort;
  expect([decoded(80), decoded("web")]).toEqual([80, "web"]);
  expect(refusalOf(serviceSchema, withPort(true)).message).toContain(
    "json: cannot unmarshal bool into Go value of type int32",
  );
});

test("keys of a map are data, whatever they are called", () => {
  const data = JSON.parse('{"__proto__":"a","constructor":"b","hasOwnProperty":"c"}');
  const { object } = decodeObject(configMapSchema, { data });
  expect(JSON.stringify(object.data)).toBe(
    '{"__proto__":"a","constructor":"b","hasOwnProperty":"c"}',
  );
  const fields = JSON.parse('{"__proto__":{"x":1},"constructor":1}');
  const { warnings } = decodeObject(configMapSchema, fields, { fieldValidation: "Warn" });
  expect(warnings).toEqual(['unknown field "__proto__"', 'unknown field "constructor"']);
});

test("the object shares nothing with what it was made of", () => {
  const value = Object.freeze({
    spec: Object.freeze({ containers: Object.freeze([Object.freeze({ name: "a" })]) }),
    metadata: Object.freeze({
      managedFields: Object.freeze([
        Object.freeze({ fieldsV1: Object.freeze({ "f:a": Object.freeze({}) }) }),
      ]),
    }),
  });
  const { object } = decodeObject(podSchema, value);
  const fields = object.metadata.managedFields?.[0]?.fieldsV1 as Record<string, unknown>;
  fields["f:b"] = {};
  expect(value.metadata.managedFields[0]?.fieldsV1).toEqual({ "f:a": {} });
});

test("an int64 beyond 53 bits keeps its digits", () => {
  const { value } = parseJson(
    '{"spec":{"containers":[],"securityContext":{"runAsUser":9007199254740993}}}',
  );
  const { object } = decodeObject(podSchema, value);
  expect(JSON.stringify(object.spec?.securityContext)).toBe('{"runAsUser":9007199254740993}');
});
