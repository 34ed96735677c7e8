import { expect, test } from "vitest";
import { aContainer, aPod } from "../../../test/support/pods.ts";
import type { Container, Service } from "../../api/generated/core-v1.generated.ts";
import { type EnvironmentInput, environmentOf, expand } from "./environment.ts";

function environment(container: Partial<Container>, rest: Partial<EnvironmentInput> = {}) {
  const input: EnvironmentInput = {
    pod: aPod({}, { metadata: { labels: { app: "web" } } }),
    container: aContainer("app", container),
    lookup: (kind, name) =>
      name === "there" ? { [`from-${kind}`]: "value", __proto__x: "safe" } : undefined,
    services: [],
    podIps: ["10.42.0.2"],
    hostIps: ["192.0.2.1"],
    allocatable: { cpu: "2", memory: "1Gi" },
    ...rest,
  };
  return Object.fromEntries(environmentOf(input));
}

test.each([
  ["$(A)", "1"],
  ["$(NOPE)", "$(NOPE)"],
  ["$$(A)", "$(A)"],
  ["a$", "a$"],
  ["$(A)$(A)", "11"],
])("%s expands to %s", (text, expected) => {
  expect(expand(text, (name) => (name === "A" ? "1" : undefined))).toBe(expected);
});

test("a variable sees those before it", () => {
  const env = [
    { name: "A", value: "1" },
    { name: "B", value: "$(A)$(C)" },
    { name: "C", value: "late" },
  ];
  expect(environment({ env })).toEqual({ A: "1", B: "1$(C)", C: "late" });
});

test("fields and resources of the pod", () => {
  const env = [
    { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
    { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
    { name: "MEM", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
  ];
  expect(environment({ env, resources: { limits: { cpu: "250m" } } })).toEqual({
    IP: "10.42.0.2",
    APP: "web",
    CPU: "250",
    MEM: "1024",
  });
});

test("a missing ConfigMap is named, unless it is optional", () => {
  const optional = [{ configMapRef: { name: "gone", optional: true } }];
  expect(environment({ envFrom: optional })).toEqual({});
  expect(() => environment({ envFrom: [{ secretRef: { name: "gone" } }] })).toThrow(
    'secret "gone" not found',
  );
  const env = [
    { name: "A", valueFrom: { configMapKeyRef: { name: "there", key: "constructor" } } },
  ];
  expect(() => environment({ env })).toThrow(
    "couldn't find key constructor in ConfigMap default/there",
  );
});

test("Services of the namespace are announced as variables", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "my-db",
      namespace: "default",
      uid: "s",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: {
      clusterIP: "10.43.0.9",
      ports: [{ name: "sql", port: 5432, protocol: "TCP" as const }],
    },
    status: { loadBalancer: {} },
  } satisfies Service;
  expect(environment({}, { services: [service] })).toEqual({
    MY_DB_SERVICE_HOST: "10.43.0.9",
    MY_DB_SERVICE_PORT: "5432",
    MY_DB_SERVICE_PORT_SQL: "5432",
    MY_DB_PORT: "tcp://10.43.0.9:5432",
    MY_DB_PORT_5432_TCP: "tcp://10.43.0.9:5432",
    MY_DB_PORT_5432_TCP_PROTO: "tcp",
    MY_DB_PORT_5432_TCP_PORT: "5432",
    MY_DB_PORT_5432_TCP_ADDR: "10.43.0.9",
  });
});

test("a source that this node cannot read is refused, not left out", () => {
  const fileKeyRef = { volumeName: "v", path: "p", key: "k", optional: false };
  expect(() => environment({ env: [{ name: "A", valueFrom: { fileKeyRef } }] })).toThrow(
    "variable A: fileKeyRef is not supported by this node",
  );
});
