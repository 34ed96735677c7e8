import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packOciArchive } from "../../pkg/agent/containerd/oci-archive.ts";
import { busyboxImage } from "../support/images.ts";
import { officialClients } from "../support/official-clients.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let scratch: string;

const setUp = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: fleets.test.example.com}
spec:
  group: test.example.com
  scope: Namespaced
  names: {plural: fleets, singular: fleet, kind: Fleet, shortNames: [fl]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
    additionalPrinterColumns:
    - {name: Wanted, type: integer, jsonPath: .spec.replicas}
    - {name: Running, type: integer, jsonPath: .status.replicas}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec: {type: object, properties: {replicas: {type: integer, minimum: 0, default: 1}}}
          status:
            type: object
            properties: {replicas: {type: integer}, selector: {type: string}, operator: {type: string}, observedGeneration: {type: integer}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: operator, namespace: default}
rules:
- {apiGroups: [test.example.com], resources: [fleets, fleets/status, fleets/finalizers], verbs: ["*"]}
- {apiGroups: [""], resources: [pods, configmaps], verbs: [get, list, watch, create, delete]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: operator, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator}
subjects: [{kind: ServiceAccount, name: operator, namespace: default}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: operator}}
  template:
    metadata: {labels: {app: operator}}
    spec:
      serviceAccountName: operator
      terminationGracePeriodSeconds: 1
      containers:
      - name: operator
        image: localhost/operator:1
        env:
        - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
`;

beforeAll(async () => {
  const { operator } = await officialClients();
  scratch = await mkdtemp("/var/tmp/mini8s-operator-");
  const archive = join(scratch, "operator.tar");
  await writeFile(
    archive,
    await packOciArchive({
      name: "localhost/operator:1",
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      files: [
        {
          path: "operator",
          content: { type: "file", body: await readFile(operator), mode: 0o755 },
        },
      ],
      config: { Entrypoint: ["/operator"] },
    }),
  );
  host = await TestHost.create();
  await host.addImage(archive);
  await host.addImage(await busyboxImage());
  await host.start();
  await host.ready();
  await host.apply(setUp);
  await host.k("wait", "--for=condition=Available", "deployment/operator", "--timeout=60s");
}, 1_200_000);
afterAll(async () => {
  await host?.destroy();
  await rm(scratch, { recursive: true, force: true });
});

interface Fleet {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly replicas: number;
    readonly operator: string;
    readonly observedGeneration: number;
  };
}

/** The fleet, once its operator says that so many of it run. */
async function runs(replicas: number, by?: string): Promise<Fleet> {
  return await eventually(`${replicas} run`, async () => {
    const fleet: Fleet = JSON.parse(await host.k("get", "fleet", "f", "-o", "json"));
    const { status, metadata } = fleet;
    const isDone =
      status?.replicas === replicas &&
      status.observedGeneration === metadata.generation &&
      (by === undefined || status.operator === by);
    if (isDone) return fleet;
    throw new Error(JSON.stringify(fleet));
  });
}

test("an operator in two pods keeps its custom objects true", async () => {
  await host.apply(
    "apiVersion: test.example.com/v1\nkind: Fleet\nmetadata: {name: f}\nspec: {replicas: 2}\n",
  );
  await runs(2);
  expect(await host.k("get", "fl")).toMatch(/^NAME\s+WANTED\s+RUNNING\s*\nf\s+2\s+2\s*$/);

  await host.k("scale", "fleet/f", "--replicas=4");
  const before = await runs(4);
  expect(await host.k("get", "pods", "-l", "fleet=f", "-o", "name")).toBe(
    ["pod/f-0", "pod/f-1", "pod/f-2", "pod/f-3"].join("\n"),
  );

  await host.k("delete", "pod", "f-1", "--now");
  await runs(4);

  // Whoever leads goes; the other one carries on.
  const leader = await host.k(
    ...["get", "lease", "fleet-operator", "-o", "jsonpath={.spec.holderIdentity}"],
  );
  expect(before.status?.operator).toBe(leader);
  await host.k("delete", "pod", leader, "--grace-period=0", "--force");
  await host.k("scale", "fleet/f", "--replicas=1");
  const after = await runs(1);
  expect(after.status?.operator).not.toBe(leader);

  // What it made goes with it, and its last word is said before.
  await host.k("delete", "fleet", "f", "--timeout=30s");
  expect(await host.k("get", "configmap", "farewell-f", "-o", "jsonpath={.data.uid}")).not.toBe("");
  await eventually("its pods are gone", async () =>
    (await host.k("get", "pods", "-l", "fleet=f", "-o", "name")) === "" ? true : undefined,
  );
});
