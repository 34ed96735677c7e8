import { afterAll, beforeAll, expect, test } from "vitest";
import { Kubectl, type KubectlOptions } from "../support/kubectl.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let kubectl: Kubectl;

beforeAll(async () => {
  host = await TestHost.create();
  await host.start("--disable-agent");
  kubectl = new Kubectl(host, "default");
  await eventually("the first objects", () => kubectl.ok(["get", "serviceaccount", "default"]));
});
afterAll(() => host?.destroy());

/** What kubectl remembers of another server, which had the same address before, is no concern of this one's. */
const fresh = ({ environment = {}, ...options }: KubectlOptions = {}): KubectlOptions => ({
  ...options,
  environment: { KUBECACHEDIR: `${host.dataDir}/kubectl-cache`, ...environment },
});
const k = (...args: readonly string[]) => kubectl.ok(args, fresh());
const apply = (input: string, ...args: readonly string[]) =>
  kubectl.ok(["apply", "-f", "-", ...args], fresh({ input }));
const refused = (args: readonly string[], input?: string) =>
  kubectl.refused(args, fresh(input === undefined ? {} : { input }));
const path = (what: string, jsonpath: string) =>
  k("get", ...what.split(" "), "-o", `jsonpath=${jsonpath}`);

const definition = (more = "") => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    schema:
      openAPIV3Schema:
        type: object
        description: Something to do again and again.
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, description: When to do it.}
              replicas: {type: integer, minimum: 0, default: 1}
          status: {type: object, properties: {replicas: {type: integer}}}
${more}`;
const cronTab = (replicas: number, more = "") => `apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: mine}
spec: {cronSpec: "* * * * */5", replicas: ${replicas}${more}}
`;

test("kubectl treats a custom kind as any other, from its definition to its end", async () => {
  expect(await apply(definition())).toBe(
    "customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created",
  );
  await k("wait", "--for=condition=established", "crd/crontabs.stable.example.com", "--timeout=5s");
  expect(await apply(cronTab(2))).toBe("crontab.stable.example.com/mine created");
  expect(await k("get", "ct")).toMatch(/^NAME +SPEC +REPLICAS\nmine +\* \* \* \* \*\/5 +2$/);
  expect(await k("get", "all", "-o", "name")).toContain("crontab.stable.example.com/mine");
  expect(await k("explain", "crontab.spec.cronSpec")).toContain("When to do it.");
  expect(await k("api-resources", "--api-group=stable.example.com", "--no-headers")).toMatch(
    /^crontabs +ct +stable.example.com\/v1 +true +CronTab$/,
  );

  expect(await apply(cronTab(3))).toBe("crontab.stable.example.com/mine configured");
  expect(await apply(cronTab(3))).toBe("crontab.stable.example.com/mine unchanged");
  const diff = await kubectl.run(["diff", "-f", "-"], fresh({ input: cronTab(4) }));
  expect(diff.exitCode).toBe(1);
  expect(diff.stdout).toContain("+  replicas: 4");
  expect(await apply(cronTab(3), "--server-side", "--force-conflicts")).toContain(
    "serverside-applied",
  );
  expect(await k("scale", "ct/mine", "--replicas=5")).toContain("scaled");
  await k("patch", "ct", "mine", "--type=merge", "-p", '{"spec":{"cronSpec":"0 * * * *"}}');
  await kubectl.ok(
    ["edit", "ct", "mine"],
    fresh({ environment: { KUBE_EDITOR: "sed -i /^..replicas/s/5/6/" } }),
  );
  expect(await path("ct mine", "{.spec}")).toBe('{"cronSpec":"0 * * * *","replicas":6}');

  expect(await refused(["apply", "-f", "-"], cronTab(3, ", colour: red"))).toContain(
    'strict decoding error: unknown field "spec.colour"',
  );
  expect(await refused(["apply", "-f", "-"], cronTab(-1))).toContain(
    "spec.replicas in body should be greater than or equal to 0",
  );

  await k("delete", "crd", "crontabs.stable.example.com");
  expect(await refused(["get", "crontabs.v1.stable.example.com"])).toContain(
    "the server could not find the requested resource",
  );
});

test("a second version is told at once to who asks what there is", async () => {
  await apply(definition());
  await k("wait", "--for=condition=established", "crd/crontabs.stable.example.com", "--timeout=5s");
  await apply(cronTab(2));
  const second = `  - name: v2
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
  expect(await apply(definition(second))).toContain("configured");
  expect((await k("api-versions")).split("\n")).toContain("stable.example.com/v2");
  expect(await path("crontabs.v2.stable.example.com mine", "{.apiVersion}")).toBe(
    "stable.example.com/v2",
  );
});
