import { expect, test } from "vitest";
import { podSchema } from "../generated/core-v1.generated.ts";
import { kubernetesObjectSchema } from "../kubernetes-schema.ts";
import { decodeObject } from "./decode.ts";
import {
  decodeProtobuf,
  encodeKindAsProtobuf,
  encodeMessage,
  encodeProtobuf,
  encodeProtobufWatchEvent,
  ProtobufError,
  protobufListParts,
  readEnvelope,
} from "./protobuf.ts";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "a",
    creationTimestamp: "2026-01-02T03:04:05Z",
    labels: { b: "2", a: "1", ["__proto__"]: "x" },
    managedFields: [{ manager: "m", fieldsV1: { "f:spec": {} }, time: "2026-01-02T03:04:05Z" }],
  },
  spec: {
    volumes: [{ name: "v", emptyDir: { sizeLimit: "1Gi" } }],
    containers: [
      {
        name: "c",
        resources: { limits: { cpu: "500m" } },
        ports: [{ containerPort: 80, protocol: "TCP" }],
        livenessProbe: { httpGet: { path: "/", port: "web" }, periodSeconds: 3 },
        readinessProbe: { tcpSocket: { port: 80 } },
        env: [{ name: "e", valueFrom: { configMapKeyRef: { name: "m", key: "k" } } }],
      },
    ],
    terminationGracePeriodSeconds: 0,
    securityContext: { supplementalGroups: [1, 9007199254740993n] },
  },
  status: {},
};

test("an object comes back as it went, with what JSON inlines in its place", () => {
  const bytes = encodeProtobuf(podSchema.object, pod);
  expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe("k8s\0");
  expect(decodeObject(podSchema, decodeProtobuf(podSchema.object, bytes)).object).toEqual(pod);
});

test("the zeros that Go sends for fields without a pointer are gone, those behind a pointer stay", () => {
  const bytes = encodeProtobuf(podSchema.object, {
    apiVersion: "v1",
    kind: "Pod",
    spec: { nodeName: "", hostNetwork: false, terminationGracePeriodSeconds: 0 },
  });
  const { object } = decodeObject(podSchema, decodeProtobuf(podSchema.object, bytes));
  expect(object.spec).toEqual({ terminationGracePeriodSeconds: 0 });
});

test("a list is its items' bytes, joined", () => {
  const schema = kubernetesObjectSchema("io.k8s.api.core.v1.PodList");
  const list = {
    apiVersion: "v1",
    kind: "PodList",
    metadata: { resourceVersion: "7" },
    items: [pod],
  };
  const parts = protobufListParts({ apiVersion: "v1", kind: "PodList" }, { resourceVersion: "7" }, [
    encodeMessage(podSchema.object, pod),
  ]);
  expect(Buffer.concat([...parts])).toEqual(Buffer.from(encodeProtobuf(schema, list)));
});

test("a watch event is a frame that begins with its length", () => {
  const frame = encodeProtobufWatchEvent("ADDED", encodeProtobuf(podSchema.object, pod));
  expect(new DataView(frame.buffer).getUint32(0)).toBe(frame.length - 4);
});

test("any built-in kind is encoded by what it says it is", () => {
  const status = { apiVersion: "v1", kind: "Status", status: "Failure", code: 404 };
  const bytes = encodeKindAsProtobuf(status) ?? new Uint8Array();
  expect(readEnvelope(bytes)).toMatchObject({ apiVersion: "v1", kind: "Status" });
  expect(encodeKindAsProtobuf({ apiVersion: "example.com/v1", kind: "Thing" })).toBeUndefined();
});

test("sets of verbs and extra values are messages around their items", () => {
  const schema = kubernetesObjectSchema("io.k8s.api.authentication.v1.UserInfo");
  const user = { extra: { scopes: ["a", "b"] }, groups: ["g"], username: "u" };
  const bytes = encodeProtobuf(schema, { apiVersion: "v1", kind: "x", ...user });
  expect(decodeProtobuf(schema, bytes)).toMatchObject(user);
});

test("schemas within schemas come back in each of their forms", () => {
  const schema = kubernetesObjectSchema(
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
  );
  const value = {
    type: "object",
    properties: { a: { items: { type: "string" }, default: [1, "x"] } },
    additionalProperties: false,
    dependencies: { a: ["b"] },
    "x-kubernetes-preserve-unknown-fields": true,
  };
  const bytes = encodeProtobuf(schema, { apiVersion: "v1", kind: "x", ...value });
  expect(decodeProtobuf(schema, bytes)).toMatchObject(value);
});

test("bytes that are no message are one kind of error, whatever is wrong with them", () => {
  const good = encodeProtobuf(podSchema.object, pod);
  expect(() => decodeProtobuf(podSchema.object, Buffer.from("{}"))).toThrow(/expected prefix/);
  for (let length = 4; length < good.length; length += 1) {
    try {
      decodeProtobuf(podSchema.object, good.subarray(0, length));
    } catch (caught) {
      expect(caught).toBeInstanceOf(ProtobufError);
    }
  }
  const flipped = Buffer.from(good);
  for (let at = 4; at < flipped.length; at += 1) {
    flipped[at] = (flipped[at] ?? 0) ^ 0xff;
    try {
      decodeProtobuf(podSchema.object, flipped);
    } catch (caught) {
      expect(caught).toBeInstanceOf(ProtobufError);
    }
    flipped[at] = good[at] ?? 0;
  }
});
