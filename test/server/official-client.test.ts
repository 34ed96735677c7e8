import { PassThrough } from "node:stream";
import {
  ApiException,
  ApiextensionsV1Api,
  ApisApi,
  AppsV1Api,
  AuthorizationV1Api,
  CoordinationV1Api,
  CoreV1Api,
  Exec,
  Health,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  Metrics,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
  type V1Status,
  VersionApi,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

/** The JavaScript client that Kubernetes publishes: HTTP/1.1, as its users have it. */
let world: ApiWorld;
let config: KubeConfig;
let core: CoreV1Api;
let apps: AppsV1Api;

beforeAll(async () => {
  world = await startApiWorld();
  config = new KubeConfig();
  const base64 = (pem: string) => Buffer.from(pem).toString("base64");
  config.loadFromClusterAndUser(
    {
      name: "mini8s",
      server: `https://127.0.0.1:${world.port}`,
      caData: base64(world.authority.certificatePem),
      skipTLSVerify: false,
    },
    {
      name: "admin",
      certData: base64(world.admin.certificatePem),
      keyData: base64(world.admin.keyPem),
    },
  );
  core = config.makeApiClient(CoreV1Api);
  apps = config.makeApiClient(AppsV1Api);
});
afterAll(() => world[Symbol.asyncDispose]());

const namespace = "default";
const configMap = (name: string, data: Record<string, string> = {}) => ({
  metadata: { name },
  data,
});

function deployment(name: string, replicas: number) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "web", image: "nginx:1" }] },
      },
    },
  };
}

/** The Status that a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<V1Status> {
  try {
    await call;
  } catch (caught) {
    if (!(caught instanceof ApiException)) throw caught;
    return typeof caught.body === "string" ? JSON.parse(caught.body) : caught.body;
  }
  throw new Error("it was not refused");
}

describe("objects", () => {
  test("are created, read, replaced, listed and deleted", async () => {
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: configMap("a", { k: "1" }),
    });
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
    const read = await core.readNamespacedConfigMap({ name: "a", namespace });
    expect(read).toEqual(made);
    const replaced = await core.replaceNamespacedConfigMap({
      name: "a",
      namespace,
      body: { ...read, data: { k: "2" } },
    });
    expect(replaced.data).toEqual({ k: "2" });
    const listed = await core.listNamespacedConfigMap({
      namespace,
      fieldSelector: "metadata.name=a",
    });
    // The list says what its items are; they do not.
    const { apiVersion: _, kind: __, ...item } = replaced;
    expect(listed.items.map((each) => ({ ...each }))).toEqual([item]);
    const gone = await core.deleteNamespacedConfigMap({ name: "a", namespace });
    expect(gone.status).toBe("Success");
    expect(await refusal(core.readNamespacedConfigMap({ name: "a", namespace }))).toMatchObject({
      kind: "Status",
      code: 404,
      reason: "NotFound",
      details: { name: "a", kind: "configmaps" },
    });
  });

  test("are refused with a Status: a name taken, an old version, a wrong field", async () => {
    const first = await core.createNamespacedConfigMap({ namespace, body: configMap("b") });
    const again = core.createNamespacedConfigMap({ namespace, body: configMap("b") });
    expect(await refusal(again)).toMatchObject({ code: 409, reason: "AlreadyExists" });
    const body = { ...first, data: { k: "1" } };
    await core.replaceNamespacedConfigMap({ name: "b", namespace, body });
    const late = core.replaceNamespacedConfigMap({ name: "b", namespace, body });
    expect(await refusal(late)).toMatchObject({ code: 409, reason: "Conflict" });
    const service = core.createNamespacedService({
      namespace,
      body: { metadata: { name: "wrong" }, spec: { ports: [{ port: 70_000 }] } },
    });
    expect(await refusal(service)).toMatchObject({
      code: 422,
      reason: "Invalid",
      details: {
        causes: [{ field: "spec.ports[0].port" }, { field: "spec.ports[0].targetPort" }],
      },
    });
  });

  test("are listed page by page, and deleted by selector", async () => {
    for (const name of ["p1", "p2", "p3", "p4", "p5"]) {
      const body = { metadata: { name, labels: { page: "x" } } };
      await core.createNamespacedConfigMap({ namespace, body });
    }
    const labelSelector = "page=x";
    const names: (string | undefined)[] = [];
    let _continue: string | undefined;
    do {
      const page = await core.listNamespacedConfigMap({
        namespace,
        labelSelector,
        limit: 2,
        ...(_continue === undefined ? {} : { _continue }),
      });
      expect(page.items.length).toBeLessThanOrEqual(2);
      names.push(...page.items.map(({ metadata }) => metadata?.name));
      _continue = page.metadata?._continue;
    } while (_continue);
    expect(names).toEqual(["p1", "p2", "p3", "p4", "p5"]);
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector });
    const rest = await core.listNamespacedConfigMap({ namespace, labelSelector });
    expect(rest.items).toEqual([]);
  });

  test("take patches of every kind", async () => {
    await apps.createNamespacedDeployment({ namespace, body: deployment("patched", 1) });
    const patch = (strategy: PatchStrategy, body: object) =>
      apps.patchNamespacedDeployment(
        { name: "patched", namespace, body, fieldManager: "me", ...forced(strategy) },
        setHeaderOptions("Content-Type", strategy),
      );
    const forced = (strategy: PatchStrategy) =>
      strategy === PatchStrategy.ServerSideApply ? { force: true } : {};
    const json = await patch(PatchStrategy.JsonPatch, [
      { op: "replace", path: "/spec/replicas", value: 2 },
    ]);
    expect(json.spec?.replicas).toBe(2);
    const merged = await patch(PatchStrategy.MergePatch, { metadata: { labels: { m: "1" } } });
    expect(merged.metadata?.labels).toEqual({ m: "1" });
    const strategic = await patch(PatchStrategy.StrategicMergePatch, {
      spec: { template: { spec: { containers: [{ name: "side", image: "busybox" }] } } },
    });
    expect(strategic.spec?.template.spec?.containers.map(({ name }) => name)).toEqual([
      "side",
      "web",
    ]);
    const applied = await patch(PatchStrategy.ServerSideApply, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      spec: { replicas: 3 },
    });
    expect(applied.spec?.replicas).toBe(3);
    const owner = applied.metadata?.managedFields?.find(({ operation }) => operation === "Apply");
    expect(owner).toMatchObject({ manager: "me", fieldsV1: { "f:spec": { "f:replicas": {} } } });
  });

  test("are scaled, and their status is another's", async () => {
    await apps.createNamespacedDeployment({ namespace, body: deployment("scaled", 1) });
    const scale = await apps.readNamespacedDeploymentScale({ name: "scaled", namespace });
    const body = { ...scale, spec: { replicas: 7 } };
    await apps.replaceNamespacedDeploymentScale({ name: "scaled", namespace, body });
    const now = await apps.readNamespacedDeployment({ name: "scaled", namespace });
    expect(now.spec?.replicas).toBe(7);
    const status = await apps.replaceNamespacedDeploymentStatus({
      name: "scaled",
      namespace,
      body: { ...now, status: { replicas: 4 } },
    });
    expect([status.spec?.replicas, status.status?.replicas]).toEqual([7, 4]);
  });

  test("of any kind, found by discovery alone", async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const spec = deployment("dynamic", 1);
    const made = await objects.create(spec);
    expect(made.metadata.name).toBe("dynamic");
    const read = await objects.read<typeof spec>(spec);
    expect(read.spec.replicas).toBe(1);
    const patched = await objects.patch(
      { ...spec, spec: { replicas: 2 } } as unknown as typeof spec,
      undefined,
      undefined,
      "me",
      true,
      PatchStrategy.ServerSideApply,
    );
    expect(patched.spec.replicas).toBe(2);
    const listed = await objects.list("apps/v1", "Deployment", namespace);
    expect(listed.items.map(({ metadata }) => metadata?.name)).toContain("dynamic");
    await objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "dynamic" } });
    expect((await objects.delete(spec)).status).toBe("Success");
    await expect(
      objects.create({ apiVersion: "example.com/v1", kind: "Nothing", metadata: { name: "x" } }),
    ).rejects.toThrow();
  });
});

describe("watches", () => {
  test("tell of every change after a version", async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const events: string[] = [];
    const told = new PassThrough({ objectMode: true });
    const watch = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: metadata?.resourceVersion, labelSelector: "w=1" },
      (type, object) => {
        events.push(`${type} ${object.metadata.name}`);
        told.write(type);
      },
      () => told.end(),
    );
    const labels = { w: "1" };
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "w", labels } } });
    await core.replaceNamespacedConfigMap({
      name: "w",
      namespace,
      body: { metadata: { name: "w", labels }, data: { k: "v" } },
    });
    await core.deleteNamespacedConfigMap({ name: "w", namespace });
    for await (const type of told) if (type === "DELETED") break;
    expect(events).toEqual(["ADDED w", "MODIFIED w", "DELETED w"]);
    watch.abort();
  });

  test("end when their time is over, without a word where nothing happened", async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const done = Promise.withResolvers<unknown>();
    const types: string[] = [];
    await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: metadata?.resourceVersion, timeoutSeconds: 1 },
      (type) => types.push(type),
      done.resolve,
    );
    await done.promise;
    expect(types).toEqual([]);
  });

  test("feed an informer, which sees what comes and what goes", async () => {
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const informer = makeInformer(config, path, () => core.listNamespacedSecret({ namespace }));
    const seen = new PassThrough({ objectMode: true });
    for (const verb of ["add", "update", "delete"] as const) {
      informer.on(verb, (secret) => seen.write(`${verb} ${secret.metadata?.name}`));
    }
    const failed = Promise.withResolvers<never>();
    informer.on("error", failed.reject);
    await core.createNamespacedSecret({ namespace, body: { metadata: { name: "before" } } });
    await informer.start();
    await core.createNamespacedSecret({ namespace, body: { metadata: { name: "after" } } });
    await core.replaceNamespacedSecret({
      name: "after",
      namespace,
      body: { metadata: { name: "after" }, stringData: { k: "v" } },
    });
    await core.deleteNamespacedSecret({ name: "before", namespace });
    const told: string[] = [];
    for await (const line of seen) {
      told.push(line);
      if (line === "delete before") break;
    }
    expect(told).toEqual(["add before", "add after", "update after", "delete before"]);
    expect(informer.get("after", namespace)?.data).toEqual({ k: "dg==" });
    await informer.stop();
    failed.promise.catch(() => {});
  });
});

describe("what many want and one can have", () => {
  test("a Lease goes to the first of those who take it at the same version", async () => {
    const coordination = config.makeApiClient(CoordinationV1Api);
    const body = {
      metadata: { name: "leader" },
      spec: {
        holderIdentity: "",
        leaseDurationSeconds: 15,
        renewTime: new V1MicroTime("2026-11-21T02:00:00.000001Z"),
      },
    };
    const lease = await coordination.createNamespacedLease({ namespace, body });
    const outcomes = await Promise.allSettled(
      ["one", "two", "three", "four"].map((holderIdentity) =>
        coordination.replaceNamespacedLease({
          name: "leader",
          namespace,
          body: { ...lease, spec: { ...lease.spec, holderIdentity } },
        }),
      ),
    );
    const won = outcomes.filter(({ status }) => status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.code).toBe(409);
    }
    const now = await coordination.readNamespacedLease({ name: "leader", namespace });
    expect(["one", "two", "three", "four"]).toContain(now.spec?.holderIdentity);
  });
});

describe("what is not there", () => {
  const pod = { metadata: { name: "idle" }, spec: { containers: [{ name: "c", image: "i" }] } };
  beforeAll(() => core.createNamespacedPod({ namespace, body: pod }));

  test("logs of no pod, and of no container, are a Status", async () => {
    const log = (name: string, container?: string) =>
      core.readNamespacedPodLog({
        name,
        namespace,
        ...(container === undefined ? {} : { container }),
      });
    expect(await refusal(log("nobody"))).toMatchObject({ code: 404, reason: "NotFound" });
    expect(await refusal(log("idle", "other"))).toMatchObject({
      code: 400,
      message: "container other is not valid for pod idle",
    });
    await expect(
      new Log(config).log(namespace, "nobody", "c", new PassThrough()),
    ).rejects.toMatchObject({ code: 404 });
  });

  test("a command in a pod that is nowhere is refused before anything is upgraded", async () => {
    const exec = new Exec(config).exec(
      namespace,
      "idle",
      "c",
      ["true"],
      new PassThrough(),
      new PassThrough(),
      null,
      false,
    );
    await expect(exec).rejects.toMatchObject({ message: expect.stringContaining("400") });
    const nobody = new Exec(config).exec(namespace, "nobody", "c", "true", null, null, null, false);
    await expect(nobody).rejects.toMatchObject({ message: expect.stringContaining("404") });
  });

  test("metrics are NotFound; custom kinds may be there, and are none", async () => {
    await expect(new Metrics(config).getNodeMetrics()).rejects.toMatchObject({ code: 404 });
    const extensions = config.makeApiClient(ApiextensionsV1Api);
    expect((await extensions.listCustomResourceDefinition()).items).toEqual([]);
  });
});

describe("the server", () => {
  test("says what it is, that it is well, and what it serves", async () => {
    expect((await config.makeApiClient(VersionApi).getCode()).minor).toBe("36");
    expect(await new Health(config).readyz({})).toBe(true);
    const groups = await config.makeApiClient(ApisApi).getAPIVersions();
    expect(groups.groups.map(({ name }) => name)).toContain("apps");
    const { resources } = await core.getAPIResources();
    expect(resources.map(({ name }) => name)).toContain("pods/log");
  });

  test("says who may", async () => {
    const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: "delete", resource: "pods", namespace } } },
    });
    expect(review.status?.allowed).toBe(true);
  });

  test("gives tokens that it takes", async () => {
    const { status } = await core.createNamespacedServiceAccountToken({
      name: "default",
      namespace,
      body: { spec: { audiences: [], expirationSeconds: 600 } },
    });
    const bearer = new KubeConfig();
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new Error("no cluster");
    bearer.loadFromClusterAndUser(cluster, { name: "bot", token: status?.token ?? "" });
    expect(await refusal(bearer.makeApiClient(CoreV1Api).listNode())).toMatchObject({
      code: 403,
      message:
        'nodes is forbidden: User "system:serviceaccount:default:default" cannot list resource "nodes" in API group "" at the cluster scope',
    });
  });

  test("answers many at once on few connections, in HTTP/1.1 and HTTP/2 alike", async () => {
    const one = Array.from({ length: 50 }, () => core.listNamespace());
    const other = Array.from({ length: 50 }, () => world.request("GET", "/api/v1/namespaces"));
    const [listed, answered] = await Promise.all([Promise.all(one), Promise.all(other)]);
    for (const { items } of listed) expect(items.length).toBeGreaterThan(0);
    for (const { status } of answered) expect(status).toBe(200);
  });
});
