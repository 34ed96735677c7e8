import { describe, expect, test } from "vitest";
import type { ManagedFieldsEntry } from "../../generated/meta-v1.generated.ts";
import { kubernetesObjectSchema } from "../../kubernetes-schema.ts";
import type { ObjectSchema } from "../../schema.ts";
import type { JsonObject } from "../json-value.ts";
import { defaultResetFields } from "./ownership.ts";
import { trackUpdate, type Update } from "./track-update.ts";

const pod = kubernetesObjectSchema("io.k8s.api.core.v1.Pod");
const deployment = kubernetesObjectSchema("io.k8s.api.apps.v1.Deployment");
const configMap = kubernetesObjectSchema("io.k8s.api.core.v1.ConfigMap");

const first = "2026-11-21T01:00:00Z";
const second = "2026-11-21T02:00:00Z";

function track(
  update: Partial<Update> & { readonly next: JsonObject },
): ReturnType<typeof trackUpdate> {
  return trackUpdate({
    schema: configMap,
    previous: undefined,
    manager: "test",
    apiVersion: "v1",
    subresource: "",
    resetFields: defaultResetFields(update.subresource ?? "", true),
    nowRfc3339: first,
    ...update,
  });
}

function stored(
  object: JsonObject,
  managedFields: readonly ManagedFieldsEntry[] | undefined,
): JsonObject {
  const metadata = object["metadata"] as JsonObject;
  return { ...object, metadata: { ...metadata, uid: "u", resourceVersion: "1", managedFields } };
}

function configMapOf(data: Record<string, string>, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x", namespace: "y", ...metadata },
    data,
  };
}

function fieldsOf(entries: readonly ManagedFieldsEntry[] | undefined, manager: string): unknown {
  return entries?.find((entry) => entry.manager === manager)?.fieldsV1;
}

describe("a create", () => {
  test("gives the creator all that the object says, as Kubernetes writes it", () => {
    const next: JsonObject = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "web",
        namespace: "default",
        labels: { app: "web" },
        creationTimestamp: null,
        uid: "u",
      },
      spec: {
        containers: [
          {
            name: "c",
            image: "nginx",
            ports: [{ containerPort: 80, protocol: "TCP" }],
            env: [{ name: "A", value: "1" }],
            resources: {},
            args: ["x"],
          },
        ],
        tolerations: [{ key: "k", operator: "Exists" }],
        restartPolicy: "Always",
        securityContext: {},
      },
      status: { phase: "Pending" },
    };
    const entries = track({ schema: pod, next, manager: "kubectl-run" });
    expect(JSON.stringify(entries)).toBe(
      JSON.stringify([
        {
          manager: "kubectl-run",
          operation: "Update",
          apiVersion: "v1",
          time: first,
          fieldsType: "FieldsV1",
          fieldsV1: {
            "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
            "f:spec": {
              "f:containers": {
                'k:{"name":"c"}': {
                  ".": {},
                  "f:args": {},
                  "f:env": { ".": {}, 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } },
                  "f:image": {},
                  "f:name": {},
                  "f:ports": {
                    ".": {},
                    'k:{"containerPort":80,"protocol":"TCP"}': {
                      ".": {},
                      "f:containerPort": {},
                      "f:protocol": {},
                    },
                  },
                  "f:resources": {},
                },
              },
              "f:restartPolicy": {},
              "f:securityContext": {},
              "f:tolerations": {},
            },
          },
        },
      ]),
    );
  });

  test("of an object that says nothing gives nobody anything", () => {
    expect(
      track({ next: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } } }),
    ).toBeUndefined();
  });

  test("without a name for the manager is by unknown", () => {
    expect(track({ next: configMapOf({ a: "1" }), manager: "" })?.[0]?.manager).toBe("unknown");
  });

  test("takes the managed fields that the client sends into account", () => {
    const sent = [
      {
        manager: "other",
        operation: "Apply",
        apiVersion: "v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:immutable": {} },
      },
    ];
    const entries = track({ next: configMapOf({ a: "1" }, { managedFields: sent }) });
    expect(entries?.map((entry) => [entry.manager, entry.fieldsV1])).toEqual([
      ["other", { "f:immutable": {} }],
      ["test", { "f:data": { ".": {}, "f:a": {} } }],
    ]);
  });
});

describe("an update", () => {
  const before = configMapOf({ a: "1", b: "1" });
  const live = stored(before, track({ next: before, manager: "creator" }));

  test("moves what changed to the writer and leaves the rest", () => {
    const entries = track({
      previous: live,
      next: stored(configMapOf({ a: "2", b: "1", c: "1" }), undefined),
      nowRfc3339: second,
    });
    expect(entries?.map((entry) => [entry.manager, entry.time, entry.fieldsV1])).toEqual([
      ["creator", first, { "f:data": { ".": {}, "f:b": {} } }],
      ["test", second, { "f:data": { "f:a": {}, "f:c": {} } }],
    ]);
  });

  test("takes what is removed from its owner and gives it to nobody", () => {
    const entries = track({
      previous: live,
      next: stored(configMapOf({ b: "1" }), undefined),
      nowRfc3339: second,
    });
    expect(entries?.map((entry) => [entry.manager, entry.time, entry.fieldsV1])).toEqual([
      ["creator", first, { "f:data": { ".": {}, "f:b": {} } }],
    ]);
  });

  test("that changes nothing gives back the very list, whatever the client sent along", () => {
    const entries = (live["metadata"] as { managedFields: unknown }).managedFields;
    const same = structuredClone(live) as JsonObject;
    expect(track({ previous: live, next: same, nowRfc3339: second })).toBe(entries);
    expect(track({ previous: live, next: stored(before, undefined), nowRfc3339: second })).toBe(
      entries,
    );
  });

  test("that changes only what the system writes is nobody's", () => {
    const next = stored(before, undefined);
    const touched = {
      ...next,
      metadata: { ...(next["metadata"] as object), resourceVersion: "2", generation: 7 },
    };
    expect(track({ previous: live, next: touched })).toBe(
      (live["metadata"] as JsonObject)["managedFields"],
    );
  });

  test("by the same manager is added to what it has, and its time moves", () => {
    const entries = track({
      previous: live,
      next: stored(configMapOf({ a: "1", b: "1", c: "1" }), undefined),
      manager: "creator",
      nowRfc3339: second,
    });
    expect(entries).toHaveLength(1);
    expect(entries?.[0]).toMatchObject({
      time: second,
      fieldsV1: { "f:data": { ".": {}, "f:a": {}, "f:b": {}, "f:c": {} } },
    });
  });

  test("that takes the last field removes the manager", () => {
    const only = stored(configMapOf({ a: "1" }), [
      {
        manager: "x",
        operation: "Update",
        apiVersion: "v1",
        time: first,
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { "f:a": {} } },
      },
    ]);
    const entries = track({ previous: only, next: stored(configMapOf({ a: "2" }), undefined) });
    expect(entries?.map((entry) => entry.manager)).toEqual(["test"]);
  });

  test.each([[[]], [[{}]]])(
    "with managed fields %j resets them, and they stay so",
    (managedFields) => {
      const next = stored(configMapOf({ a: "2" }), undefined);
      const reset = { ...next, metadata: { ...(next["metadata"] as object), managedFields } };
      expect(track({ previous: live, next: reset })).toBeUndefined();
      expect(
        track({ previous: next, next: stored(configMapOf({ a: "3" }), undefined) }),
      ).toBeUndefined();
    },
  );

  test.each([
    [[{ manager: "x", operation: "Delete", apiVersion: "v1", fieldsType: "FieldsV1" }]],
    [[{ manager: "x", operation: "Update", fieldsType: "FieldsV1" }]],
    [[{ manager: "x", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV2" }]],
    [
      [
        {
          manager: "x",
          operation: "Update",
          apiVersion: "v1",
          fieldsType: "FieldsV1",
          fieldsV1: { q: {} },
        },
      ],
    ],
    ["nonsense"],
  ])("with managed fields that say nothing does not lose them: %j", (managedFields) => {
    const next = stored(configMapOf({ a: "1", b: "2" }), undefined);
    const sent = { ...next, metadata: { ...(next["metadata"] as object), managedFields } };
    expect(fieldsOf(track({ previous: live, next: sent }), "creator")).toEqual({
      "f:data": { ".": {}, "f:a": {} },
    });
  });

  test("whole lists and maps that are atomic are owned as one", () => {
    const of = (selector: JsonObject): JsonObject => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "x" },
      spec: {
        selector: { matchLabels: selector },
        strategy: {},
        template: { metadata: {}, spec: { containers: [] } },
      },
    });
    const entries = track({
      schema: deployment,
      apiVersion: "apps/v1",
      previous: stored(
        of({ a: "1" }),
        live["metadata"] === undefined
          ? []
          : [
              {
                manager: "x",
                operation: "Update",
                apiVersion: "apps/v1",
                fieldsType: "FieldsV1",
                fieldsV1: { "f:spec": { "f:selector": {} } },
              },
            ],
      ),
      next: stored(of({ a: "1", b: "2" }), undefined),
    });
    expect(entries?.map((entry) => [entry.manager, entry.fieldsV1])).toEqual([
      ["test", { "f:spec": { "f:selector": {} } }],
    ]);
  });

  test("parts of a field that has become atomic become the whole of it", () => {
    const granular: ManagedFieldsEntry = {
      manager: "x",
      operation: "Update",
      apiVersion: "apps/v1",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:spec": { "f:selector": { "f:matchLabels": { "f:a": {} } }, "f:replicas": {} },
      },
    };
    const object: JsonObject = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "x" },
      spec: { replicas: 1, paused: false },
    };
    const next = { ...object, spec: { replicas: 1, paused: true } };
    const entries = track({
      schema: deployment,
      apiVersion: "apps/v1",
      previous: stored(object, [granular]),
      next: stored(next, undefined),
    });
    expect(fieldsOf(entries, "x")).toEqual({ "f:spec": { "f:replicas": {}, "f:selector": {} } });
  });
});

describe("subresources", () => {
  const object: JsonObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: { nodeName: "n" },
    status: {},
  };
  const live = stored(object, track({ schema: pod, next: object, manager: "creator" }));
  const changed = {
    ...object,
    spec: { nodeName: "m" },
    status: { phase: "Running" },
  };

  test("a write of the status owns status and not spec", () => {
    const entries = track({
      schema: pod,
      previous: live,
      next: stored(changed, undefined),
      manager: "kubelet",
      subresource: "status",
    });
    expect(entries?.find((entry) => entry.manager === "kubelet")).toMatchObject({
      operation: "Update",
      subresource: "status",
      fieldsV1: { "f:status": { "f:phase": {} } },
    });
    expect(fieldsOf(entries, "creator")).toEqual({ "f:spec": { "f:nodeName": {} } });
  });

  test("a write of the main resource owns spec and not status", () => {
    const entries = track({
      schema: pod,
      previous: live,
      next: stored(changed, undefined),
      manager: "kubectl",
    });
    expect(entries?.map((entry) => [entry.manager, entry.fieldsV1])).toEqual([
      ["kubectl", { "f:spec": { "f:nodeName": {} } }],
    ]);
  });

  test("do not take managed fields from the client", () => {
    const forged = stored(changed, [
      {
        manager: "forged",
        operation: "Update",
        apiVersion: "v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:spec": {} },
      },
    ]);
    const entries = track({
      schema: pod,
      previous: live,
      next: forged,
      manager: "kubelet",
      subresource: "status",
    });
    expect(entries?.map((entry) => entry.manager).sort()).toEqual(["creator", "kubelet"]);
  });

  test("the conditions of a pod are owned one by one", () => {
    const next = { ...object, status: { conditions: [{ type: "Ready", status: "True" }] } };
    const entries = track({
      schema: pod,
      previous: live,
      next: stored(next, undefined),
      manager: "kubelet",
      subresource: "status",
    });
    expect(fieldsOf(entries, "kubelet")).toEqual({
      "f:status": {
        "f:conditions": {
          ".": {},
          'k:{"type":"Ready"}': { ".": {}, "f:status": {}, "f:type": {} },
        },
      },
    });
  });
});

describe("the number of managers", () => {
  function writeBy(schema: ObjectSchema, live: JsonObject, index: number): JsonObject {
    const data = { ...(live["data"] as Record<string, string>), [`k${index}`]: "1" };
    const next = configMapOf(data);
    const minute = String(index).padStart(2, "0");
    return stored(
      next,
      track({
        schema,
        previous: live,
        next: stored(next, undefined),
        manager: `m${minute}`,
        nowRfc3339: `2026-11-21T01:${minute}:00Z`,
      }),
    );
  }

  test("by update stays at ten: the oldest become ancient-changes", () => {
    const start = configMapOf({ k0: "1" });
    let live = stored(start, track({ next: start, manager: "m00" }));
    for (let index = 1; index < 15; index += 1) live = writeBy(configMap, live, index);
    const entries = (live["metadata"] as { managedFields: ManagedFieldsEntry[] }).managedFields;
    expect(entries).toHaveLength(10);
    expect(entries[0]).toMatchObject({
      manager: "ancient-changes",
      operation: "Update",
      apiVersion: "v1",
      time: "2026-11-21T01:05:00Z",
    });
    expect(Object.keys(entries[0]?.fieldsV1?.["f:data"] as object)).toEqual([
      ".",
      "f:k0",
      "f:k1",
      "f:k2",
      "f:k3",
      "f:k4",
      "f:k5",
    ]);
    expect(entries.slice(1).map((entry) => entry.manager)).toEqual([
      "m06",
      "m07",
      "m08",
      "m09",
      "m10",
      "m11",
      "m12",
      "m13",
      "m14",
    ]);
  });
});

test("items that share a key are owned together, until they no longer do", () => {
  const of = (...values: string[]): JsonObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "x" },
    spec: { containers: [{ name: "c", env: values.map((value) => ({ name: "A", value })) }] },
  });
  const created = track({ schema: pod, next: of("1", "2"), manager: "creator" });
  const env = (entries: typeof created, manager: string): unknown =>
    (
      fieldsOf(entries, manager) as Record<
        string,
        Record<string, Record<string, Record<string, unknown>>>
      >
    )?.["f:spec"]?.["f:containers"]?.['k:{"name":"c"}']?.["f:env"];
  expect(env(created, "creator")).toEqual({ ".": {}, 'k:{"name":"A"}': {} });
  const single = track({
    schema: pod,
    previous: stored(of("1", "2"), created),
    next: stored(of("1"), undefined),
  });
  expect(env(single, "test")).toEqual({
    'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} },
  });
});
