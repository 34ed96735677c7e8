import { expect, test } from "vitest";
import { ManualClock } from "../../../../../test/support/manual-clock.ts";
import { ObjectWorld } from "../../../../../test/support/object-world.ts";
import type { Namespace, Pod } from "../../../../api/generated/core-v1.generated.ts";
import { deploymentResource } from "../../../../api/resources/deployment.ts";
import { namespaceResource } from "../../../../api/resources/namespace.ts";
import { podResource } from "../../../../api/resources/pod.ts";
import { type AskedWrite, passThrough } from "../admission-request.fixture.ts";
import type { PodSecurityConfiguration } from "./configuration.ts";
import { createPodSecurity } from "./pod-security.ts";
import { privilegedPolicy } from "./policy.ts";

type Labels = Readonly<Record<string, string>>;

function namespace(labels: Labels, name = "shop"): Namespace {
  const prefixed = Object.entries(labels).map(([key, value]) => [
    `pod-security.kubernetes.io/${key}`,
    value,
  ]);
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: Object.fromEntries(prefixed) as Labels,
    },
    spec: {},
    status: {},
  };
}

function setUp(labels: Labels, configuration?: PodSecurityConfiguration) {
  const world = new ObjectWorld();
  world.put(namespaceResource, namespace(labels));
  const plugin = createPodSecurity(world, new ManualClock(), configuration);
  return { world, run: (asked: AskedWrite) => passThrough(plugin, asked) };
}

const pod = (spec: object = {}, metadata: object = {}) =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "shop", uid: "u", ...metadata },
    spec: { containers: [{ name: "c", image: "i" }], ...spec },
  }) as unknown as Pod;

const hostPid = "host namespaces (hostPID=true)";

test("a pod that breaks what is enforced is refused, and the audit log is told", async () => {
  const { run } = setUp({ enforce: "baseline", "enforce-version": "v1.30", audit: "baseline" });
  const auditAnnotations = new Map<string, string>();
  const object = pod({ hostPID: true });
  const asked = { resource: podResource, name: "web", object, auditAnnotations };
  await expect(run(asked)).rejects.toMatchObject({
    code: 403,
    message: `pods "web" is forbidden: violates PodSecurity "baseline:v1.30": ${hostPid}`,
    details: { name: "web", kind: "pods" },
  });
  expect(Object.fromEntries(auditAnnotations)).toEqual({
    "pod-security.kubernetes.io/enforce-policy": "baseline:v1.30",
    "pod-security.kubernetes.io/audit-violations": `would violate PodSecurity "baseline:latest": ${hostPid}`,
  });
});

test("a pod that breaks what is only warned of is created with a warning", async () => {
  const { run } = setUp({ warn: "baseline" });
  const { warnings } = await run({ resource: podResource, object: pod({ hostPID: true }) });
  expect(warnings).toEqual([`would violate PodSecurity "baseline:latest": ${hostPid}`]);
});

test("a workload is never refused: its author is warned of what is enforced on its pods", async () => {
  const { run } = setUp({ enforce: "baseline", "enforce-version": "v1.30" });
  const object = { metadata: { name: "web" }, spec: { template: pod({ hostPID: true }) } };
  const { warnings } = await run({ resource: deploymentResource, object });
  expect(warnings).toEqual([`would violate PodSecurity "baseline:v1.30": ${hostPid}`]);
});

test("labels that cannot be read refuse as the strictest would, and warn of nothing", async () => {
  const { run } = setUp({ enforce: "strict", warn: "strict" });
  await expect(run({ resource: podResource, object: pod({ hostPID: true }) })).rejects.toThrow(
    'violates PodSecurity "restricted:latest"',
  );
});

test("of an update, only images and new containers are looked at", async () => {
  const { run } = setUp({ enforce: "baseline" });
  const previous = pod({ hostPID: true });
  const update = (object: Pod, subresource = "") =>
    run({ operation: "UPDATE", resource: podResource, subresource, name: "web", object, previous });
  await update(pod({ hostPID: true }, { labels: { a: "b" } }));
  await update(pod({ hostPID: true, containers: [{ name: "c", image: "other" }] }), "status");
  const image = pod({ hostPID: true, containers: [{ name: "c", image: "other" }] });
  await expect(update(image)).rejects.toThrow(hostPid);
  const debug = pod({ hostPID: true, ephemeralContainers: [{ name: "debug", image: "i" }] });
  await expect(update(debug, "ephemeralcontainers")).rejects.toThrow(hostPid);
});

const exempting: PodSecurityConfiguration = {
  defaults: { ...privilegedPolicy, enforce: { level: "baseline", minor: "latest" } },
  exemptions: { usernames: ["root"], runtimeClasses: ["sandboxed"], namespaces: ["system"] },
};

test.each([
  ["user", { user: { username: "root", groups: [] } }, {}],
  ["runtimeClass", {}, { runtimeClassName: "sandboxed" }],
  ["namespace", { namespace: "system" }, {}],
])("what is exempt by its %s passes, and the audit log is told why", async (why, asked, spec) => {
  const { run } = setUp({}, exempting);
  const object = pod({ hostPID: true, ...spec });
  const { auditAnnotations } = await run({ resource: podResource, object, ...asked });
  expect(auditAnnotations?.get("pod-security.kubernetes.io/exempt")).toBe(why);
  await expect(run({ resource: podResource, object: pod({ hostPID: true }) })).rejects.toThrow(
    "violates",
  );
});

test("a namespace with labels that say nothing valid is refused", async () => {
  const { run } = setUp({});
  const object = namespace({ enforce: "strict", "warn-version": "1.30", audit: "baseline" }, "new");
  await expect(
    run({ resource: namespaceResource, namespace: undefined, name: "new", object }),
  ).rejects.toMatchObject({
    code: 422,
    message:
      'Namespace "new" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.30": must be "latest" or "v1.x"]',
  });
});

test("who makes a namespace stricter is told of the pods that break it", async () => {
  const { world, run } = setUp({});
  const owner = {
    kind: "ReplicaSet",
    name: "rs",
    uid: "rs",
    apiVersion: "apps/v1",
    controller: true,
  };
  for (const name of ["b", "a", "d"]) {
    world.put(podResource, pod({ hostPID: true }, { name, uid: name, ownerReferences: [owner] }));
  }
  world.put(podResource, pod({ hostNetwork: true, hostIPC: true }, { name: "n", uid: "n" }));
  world.put(podResource, pod({}, { name: "good", uid: "good" }));
  const relabel = async (before: Labels, after: Labels) =>
    (
      await run({
        operation: "UPDATE",
        resource: namespaceResource,
        namespace: undefined,
        name: "shop",
        previous: namespace(before),
        object: namespace(after),
      })
    ).warnings;
  expect(await relabel({}, { enforce: "baseline" })).toEqual([
    'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
    "a (and 3 other pods): host namespaces",
  ]);
  expect(await relabel({ enforce: "restricted" }, { enforce: "baseline" })).toEqual([]);
  expect(
    await relabel({ enforce: "baseline" }, { enforce: "baseline", warn: "restricted" }),
  ).toEqual([]);
  expect(
    await relabel({ enforce: "baseline" }, { enforce: "baseline", "enforce-version": "v1.30" }),
  ).toHaveLength(2);
});

test("who labels a namespace that is exempt is told that it has no effect", async () => {
  const { run } = setUp({}, exempting);
  const { warnings } = await run({
    resource: namespaceResource,
    namespace: undefined,
    name: "system",
    object: namespace(
      { enforce: "restricted", "warn-version": "v1.20", warn: "baseline" },
      "system",
    ),
  });
  expect(warnings).toEqual([
    'namespace "system" is exempt from Pod Security, and the policy (enforce=restricted:latest, warn=baseline:v1.20) will be ignored',
  ]);
});
