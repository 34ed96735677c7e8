import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { namespaceResource } from "../../../api/resources/namespace.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { replicaSetResource } from "../../../api/resources/replicaset.ts";
import { roleResource } from "../../../api/resources/role.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { createRbacAuthorizer } from "../authz/rbac-authorizer.ts";
import { createRbacPolicy } from "../authz/rbac-policy.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { type AdmissionConfiguration, admissionPlugins } from "./admission-configuration.ts";
import { createAdmissionChain } from "./chain.ts";

const meta = (name: string, namespace?: string) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...(namespace === undefined ? {} : { namespace }),
});

const everything: AdmissionConfiguration = { enabled: new Set(admissionPlugins) };

/** Time that only goes on when somebody sleeps. */
function setUp(onSleep: () => void = () => {}, configuration: AdmissionConfiguration = everything) {
  const world = new ObjectWorld();
  const clock: Clock = {
    ...systemClock,
    sleep: () => {
      onSleep();
      return Promise.resolve();
    },
  };
  const policy = createRbacPolicy(world, world);
  const serviceAllocation: AdmissionPlugin = { name: "ServiceAllocation" };
  const chain = createAdmissionChain({
    reader: world,
    clock,
    policy,
    authorizer: createRbacAuthorizer(policy),
    resourceOfKind: (_apiVersion, kind) => (kind === "ReplicaSet" ? replicaSetResource : undefined),
    storedResources: () => [],
    writeQuotaUsed: () => Promise.resolve(false),
    configuration,
    serviceAllocation,
  });
  const namespace = (name: string, phase: "Active" | "Terminating" = "Active") =>
    world.put(namespaceResource, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: meta(name),
      spec: {},
      status: { phase },
    });
  namespace("shop");
  const run = async (request: Partial<AdmissionRequest> & { resource: unknown }) => {
    const full = {
      operation: "CREATE" as const,
      subresource: "",
      namespace: "shop",
      name: "",
      object: undefined,
      previous: undefined,
      user: { username: "jane", groups: [] },
      dryRun: false,
      warnings: [],
      ...request,
      resource: request.resource as ResourceDefinition,
    };
    for (const plugin of chain) await plugin.admit?.(full);
    for (const plugin of chain) await plugin.validate?.(full);
    return full.object;
  };
  const account = (changes: object = {}) =>
    world.put(serviceAccountResource, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: meta("default", "shop"),
      ...changes,
    });
  return { world, run, namespace, account, names: chain.map(({ name }) => name) };
}

const newPod = (spec: object = {}, metadata: object = { name: "web", namespace: "shop" }) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata,
  spec: { containers: [{ name: "c" }], initContainers: [{ name: "i" }], ...spec },
});

test("a pod gets its account, a token volume in each container, tolerations and a priority", async () => {
  const { run, account } = setUp();
  account({ imagePullSecrets: [{ name: "registry" }] });
  const pod = (await run({ resource: podResource, object: newPod() })) as Pod;
  const [volume] = pod.spec?.volumes ?? [];
  expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
  const mount = {
    name: volume?.name,
    readOnly: true,
    mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
  };
  expect(pod.spec).toEqual({
    containers: [{ name: "c", volumeMounts: [mount] }],
    initContainers: [{ name: "i", volumeMounts: [mount] }],
    serviceAccountName: "default",
    serviceAccount: "default",
    imagePullSecrets: [{ name: "registry" }],
    priority: 0,
    preemptionPolicy: "PreemptLowerPriority",
    tolerations: [
      {
        key: "node.kubernetes.io/not-ready",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      },
      {
        key: "node.kubernetes.io/unreachable",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      },
    ],
    volumes: [
      {
        name: volume?.name,
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
            { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
            {
              downwardAPI: {
                items: [
                  {
                    path: "namespace",
                    fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
                  },
                ],
              },
            },
          ],
        },
      },
    ],
  });
});

test.each([
  ["the pod", { automountServiceAccountToken: false }, {}],
  ["the account", {}, { automountServiceAccountToken: false }],
])("no token where %s says no", async (_who, spec, changes) => {
  const { run, account } = setUp();
  account(changes);
  const pod = (await run({ resource: podResource, object: newPod(spec) })) as Pod;
  expect(pod.spec?.volumes).toBeUndefined();
});

test("the default account of a new namespace is waited for", async () => {
  let sleeps = 0;
  const fixture = setUp(() => {
    sleeps += 1;
    if (sleeps === 3) fixture.account();
  });
  await fixture.run({ resource: podResource, object: newPod() });
  expect(sleeps).toBe(3);
});

test.each([
  [
    { serviceAccountName: "bot" },
    'pods "web" is forbidden: error looking up service account shop/bot: serviceaccount "bot" not found',
  ],
  [
    { priorityClassName: "high" },
    'pods "web" is forbidden: no PriorityClass with name high was found',
  ],
  [
    { priority: 7 },
    'pods "web" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
  ],
])("a pod with %j is refused", async (spec, message) => {
  const { run, account } = setUp();
  account();
  await expect(run({ resource: podResource, object: newPod(spec) })).rejects.toThrow(message);
});

test("the system's priority classes are known", async () => {
  const { run, account } = setUp();
  account();
  const object = newPod({ priorityClassName: "system-node-critical" });
  expect(((await run({ resource: podResource, object })) as Pod).spec?.priority).toBe(
    2_000_001_000,
  );
});

test("nothing is created where a namespace is not, or ends", async () => {
  const { run, namespace } = setUp();
  const object = newPod({}, { generateName: "web-" });
  await expect(run({ resource: podResource, namespace: "gone", object })).rejects.toMatchObject({
    code: 404,
    message: 'namespaces "gone" not found',
  });
  namespace("ending", "Terminating");
  await expect(run({ resource: podResource, namespace: "ending", object })).rejects.toMatchObject({
    code: 403,
    message:
      'pods "web-" is forbidden: unable to create new content in namespace ending because it is being terminated',
    details: {
      causes: [
        {
          reason: "NamespaceTerminating",
          message: "namespace ending is being terminated",
          field: "metadata.namespace",
        },
      ],
    },
  });
});

test("three namespaces cannot be deleted", async () => {
  const { run } = setUp();
  const remove = (name: string) =>
    run({ operation: "DELETE", resource: namespaceResource, namespace: undefined, name });
  await expect(remove("kube-system")).rejects.toThrow(
    'namespaces "kube-system" is forbidden: this namespace may not be deleted',
  );
  await expect(remove("shop")).resolves.toBeUndefined();
});

test("a new node takes no pods before it is ready", async () => {
  const { run } = setUp();
  const object = { metadata: { name: "n1" } };
  expect(await run({ resource: nodeResource, namespace: undefined, object })).toMatchObject({
    spec: { taints: [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }] },
  });
});

test("nobody blocks an owner's deletion without power over its finalizers", async () => {
  const { run } = setUp();
  const owner = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: "web",
    uid: "u",
    blockOwnerDeletion: true,
  };
  const object = {
    metadata: { name: "r", namespace: "shop", ownerReferences: [owner] },
    rules: [],
  };
  await expect(run({ resource: roleResource, object })).rejects.toThrow(
    'roles.rbac.authorization.k8s.io "r" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set finalizers on: , <nil>',
  );
  const free = {
    ...object,
    metadata: { ...object.metadata, ownerReferences: [{ ...owner, blockOwnerDeletion: false }] },
  };
  await expect(run({ resource: roleResource, object: free })).resolves.toBeDefined();
});

test("nobody makes a role with more than they hold", async () => {
  const { run } = setUp();
  const object = {
    kind: "Role",
    metadata: { name: "r", namespace: "shop" },
    rules: [{ verbs: ["get"], apiGroups: [""], resources: ["secrets"] }],
  };
  await expect(run({ resource: roleResource, object })).rejects.toThrow(
    'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=[]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  );
  const root = { username: "root", groups: ["system:masters"] };
  await expect(run({ resource: roleResource, object, user: root })).resolves.toBeDefined();
});

test("pods of an account that says which secrets they may use, use no others", async () => {
  const { run, account } = setUp();
  account({
    metadata: {
      ...meta("default", "shop"),
      annotations: { "kubernetes.io/enforce-mountable-secrets": "true" },
    },
    secrets: [{ name: "own" }],
    imagePullSecrets: [{ name: "pull" }],
  });
  const env = (name: string) => [{ name: "E", valueFrom: { secretKeyRef: { name, key: "k" } } }];
  const create = (spec: object) => run({ resource: podResource, object: newPod(spec) });
  await create({ containers: [{ name: "c", env: env("own") }] });
  for (const [spec, why] of [
    [
      { volumes: [{ name: "v", secret: { secretName: "s" } }] },
      'volume with secret.secretName="s" is not allowed because service account default does not reference that secret',
    ],
    [
      { initContainers: [{ name: "i", env: env("s") }] },
      'init container i with envVar E referencing secret.secretName="s" is not allowed because service account default does not reference that secret',
    ],
    [
      { containers: [{ name: "c", envFrom: [{ secretRef: { name: "s" } }] }] },
      'container c with envFrom referencing secret.secretName="s" is not allowed',
    ],
    [
      { imagePullSecrets: [{ name: "s" }] },
      'imagePullSecrets[0].name="s" is not allowed because service account default does not reference that imagePullSecret',
    ],
  ] as const) {
    await expect(create(spec)).rejects.toThrow(why);
  }
  const debug = {
    ephemeralContainers: [{ name: "d", env: env("s") }],
    serviceAccountName: "default",
  };
  await expect(
    run({
      operation: "UPDATE",
      resource: podResource,
      subresource: "ephemeralcontainers",
      object: newPod(debug),
      previous: newPod() as unknown as KubernetesObject,
    }),
  ).rejects.toThrow("ephemeral container d with envVar E referencing");
});

test("a Scale of what has an owner changes no owner", async () => {
  const { run } = setUp();
  const ownerReferences = [{ apiVersion: "apps/v1", kind: "Deployment", name: "d", uid: "u" }];
  await run({
    operation: "UPDATE",
    resource: replicaSetResource,
    subresource: "scale",
    name: "rs",
    object: { metadata: { name: "rs" }, spec: { replicas: 2 } },
    previous: {
      metadata: { ...meta("rs", "shop"), ownerReferences },
    } as unknown as KubernetesObject,
  });
});

test("upstream's rules come in upstream's order, and what gives comes last; each can be left out", () => {
  const { names } = setUp();
  expect(names.filter((name) => admissionPlugins.includes(name))).toEqual(admissionPlugins);
  expect(names.at(-1)).toBe("ResourceQuota");
  const without = ["OwnerReferencesPermissionEnforcement", "Priority", "ResourceQuota"];
  const configuration = { disabled: new Set(["Priority", "ResourceQuota"]) };
  expect(setUp(undefined, configuration).names).toEqual(
    names.filter((name) => !without.includes(name)),
  );
});

test("a rule that upstream leaves off is off until it is asked for", () => {
  const name = "OwnerReferencesPermissionEnforcement";
  const both = new Set([name]);
  expect(setUp(undefined, {}).names).not.toContain(name);
  expect(setUp(undefined, { disabled: both, enabled: both }).names).toContain(name);
});
