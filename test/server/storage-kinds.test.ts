import { beforeAll, describe, expect, test } from "vitest";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
  return async () => {
    await world[Symbol.asyncDispose]();
  };
});

const core = "/api/v1/namespaces/default";
const claims = `${core}/persistentvolumeclaims`;
const claim = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
});
const warningsOf = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) =>
  [headers["warning"] ?? []].flat().map(String);

describe("claims and volumes", () => {
  test("a claim waits, and stays as it is", async () => {
    const made = await world.request("POST", claims, { body: claim("one") });
    expect([made.status, made.json.status]).toEqual([201, { phase: "Pending" }]);
    expect(made.json.metadata.generation).toBe(undefined);
    const changed = await world.request("PUT", `${claims}/one`, {
      body: claim("one", { accessModes: ["ReadOnlyMany"] }),
    });
    expect(changed.status).toBe(422);
    expect(changed.json.message).toMatch(
      /^PersistentVolumeClaim "one" is invalid: spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims\n@@ /,
    );
    const found = await world.request("GET", `${claims}?fieldSelector=name=one`);
    expect(found.json.message).toContain(
      '"name" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });

  test("a claim is bound by its status, and may then grow", async () => {
    await world.request("POST", "/apis/storage.k8s.io/v1/storageclasses", {
      body: { metadata: { name: "grows" }, provisioner: "a", allowVolumeExpansion: true },
    });
    const wanted = claim("bound", { storageClassName: "grows" });
    await world.request("POST", claims, { body: wanted });
    const path = `${claims}/bound`;
    const patch = (subresource: string, body: object) =>
      world.request("PATCH", `${path}${subresource}`, {
        body,
        headers: { "content-type": "application/merge-patch+json" },
      });
    const larger = { spec: { resources: { requests: { storage: "2Gi" } } } };
    expect((await patch("", larger)).status).toBe(422);
    const status = { phase: "Bound", capacity: { storage: "1Gi" } };
    expect(
      (await patch("/status", { status, spec: { volumeName: "v" } })).json.spec,
    ).not.toHaveProperty("volumeName");
    expect((await patch("", larger)).json.spec.resources.requests).toEqual({ storage: "2Gi" });
  });

  test("a volume says since when it is in its phase", async () => {
    const made = await world.request("POST", "/api/v1/persistentvolumes", {
      body: {
        metadata: { name: "one" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          capacity: { storage: "1Gi" },
          hostPath: { path: "/a" },
          persistentVolumeReclaimPolicy: "Recycle",
        },
      },
    });
    expect(made.json.status).toEqual({
      phase: "Pending",
      lastPhaseTransitionTime: made.json.metadata.creationTimestamp,
    });
    expect(warningsOf(made)).toEqual([expect.stringContaining("Recycle reclaim policy")]);
  });
});

describe("limits and quotas", () => {
  test("a LimitRange without a name gets one", async () => {
    const made = await world.request("POST", `${core}/limitranges`, {
      body: { spec: { limits: [{ type: "Pod", max: { cpu: "1" } }] } },
    });
    expect([made.status, made.json.metadata.name]).toEqual([
      201,
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
  });

  test("a ResourceQuota of nobody's making is not told of what is used", async () => {
    const made = await world.request("POST", `${core}/resourcequotas`, {
      body: {
        metadata: { name: "one" },
        spec: { hard: { cpu: "4", "limits.cpu": "2" } },
        status: { used: { cpu: "1" } },
      },
    });
    expect(made.json.status).toEqual({});
    expect(warningsOf(made)).toEqual([
      '299 - "ResourceQuota cpu (4) should be less than limits.cpu (2)"',
    ]);
  });
});

describe("classes", () => {
  test("a PriorityClass is of the first generation, and stays of it", async () => {
    const path = "/apis/scheduling.k8s.io/v1/priorityclasses";
    const made = await world.request("POST", path, { body: { metadata: { name: "a" }, value: 1 } });
    expect(made.json.metadata.generation).toBe(1);
    const changed = await world.request("PUT", `${path}/a`, {
      body: { metadata: { name: "a" }, value: 1, description: "b" },
    });
    expect([changed.status, changed.json.metadata.generation]).toEqual([200, 1]);
  });

  test("a RuntimeClass is created by PUT, and never replaced without its version", async () => {
    const path = "/apis/node.k8s.io/v1/runtimeclasses/a";
    const body = { metadata: { name: "a" }, handler: "runc" };
    expect((await world.request("PUT", path, { body })).status).toBe(201);
    const blind = await world.request("PUT", path, { body });
    expect(blind.json.message).toContain("metadata.resourceVersion: Invalid value: 0");
  });

  test("a DeviceClass counts the changes of its spec", async () => {
    const path = "/apis/resource.k8s.io/v1/deviceclasses";
    const body = { metadata: { name: "a" }, spec: {} };
    expect((await world.request("POST", path, { body })).json.metadata.generation).toBe(1);
    const spec = { extendedResourceName: "a.com/b" };
    const changed = await world.request("PUT", `${path}/a`, { body: { ...body, spec } });
    expect(changed.json.metadata.generation).toBe(2);
  });
});

describe("secrets and accounts", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const tls = (certificate: string, key: string) =>
    world.request("POST", `${core}/secrets`, {
      body: {
        metadata: { generateName: "tls-" },
        type: "kubernetes.io/tls",
        data: { "tls.crt": base64(certificate), "tls.key": base64(key) },
      },
    });

  test("who keeps a certificate with the key of another is told so", async () => {
    const other = world.certificateFor("other", []);
    const { certificatePem, keyPem } = world.admin;
    expect(warningsOf(await tls(certificatePem, keyPem))).toEqual([]);
    const mixed = await tls(certificatePem, other.keyPem);
    expect([mixed.status, warningsOf(mixed)]).toEqual([
      201,
      ['299 - "tls: private key does not match public key"'],
    ]);
  });

  test("an account has the names of its secrets, and may be replaced without its version", async () => {
    const path = `${core}/serviceaccounts`;
    const body = { metadata: { name: "a" }, secrets: [{ kind: "Secret", name: "b", uid: "c" }] };
    const made = await world.request("POST", path, { body });
    expect(made.json.secrets).toEqual([{ name: "b" }]);
    expect((await world.request("PUT", `${path}/a`, { body })).status).toBe(200);
  });

  test("a namespace is finalized by names that mean something", async () => {
    await world.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "held" } } });
    const refused = await world.request("PUT", "/api/v1/namespaces/held/finalize", {
      body: { metadata: { name: "held" }, spec: { finalizers: ["mine"] } },
    });
    expect([refused.status, refused.json.message]).toEqual([
      422,
      'Namespace "held" is invalid: spec.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ]);
  });
});

describe("componentstatuses", () => {
  const path = "/api/v1/componentstatuses";

  test("are made up on the spot, for whoever lists them or asks for one", async () => {
    const all = await world.request("GET", path);
    expect(all.json).toMatchObject({ kind: "ComponentStatusList", apiVersion: "v1" });
    expect(warningsOf(all)).toEqual(['299 - "v1 ComponentStatus is deprecated in v1.19+"']);
    expect(all.json.items.map(({ metadata }: { metadata: object }) => metadata)).toEqual([
      { name: "controller-manager" },
      { name: "etcd-0" },
      { name: "scheduler" },
    ]);
    const one = await world.request("GET", `${path}/scheduler`);
    expect(one.json).toEqual({
      kind: "ComponentStatus",
      apiVersion: "v1",
      metadata: { name: "scheduler" },
      conditions: [{ type: "Healthy", status: "True", message: "ok" }],
    });
    const few = await world.request("GET", `${path}?fieldSelector=metadata.name=etcd-0`);
    expect(few.json.items).toHaveLength(1);
    expect((await world.request("GET", `${path}/nobody`)).status).toBe(404);
    expect((await world.request("POST", path, { body: {} })).status).toBe(405);
    expect((await world.request("GET", `${path}?watch=true`)).status).toBe(405);
  });

  test("are shown in a table", async () => {
    const table = await world.request("GET", path, {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    expect(table.json.rows[0].cells).toEqual(["controller-manager", "Healthy", "ok", ""]);
  });
});

test("an object that is wrong a hundred thousand times is refused, and told of some of it", async () => {
  const labels = Object.fromEntries(
    Array.from({ length: 200_000 }, (_, index) => [`-${index}`, ""]),
  );
  const refused = await world.request("POST", `${core}/configmaps`, {
    body: { metadata: { name: "wrong", labels } },
  });
  expect([refused.status, refused.json.details.causes.length]).toEqual([422, 1_000]);
});
