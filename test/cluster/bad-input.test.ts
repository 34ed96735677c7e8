import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rawClient, statusOf } from "../support/api-request.ts";
import { busyboxImage } from "../support/images.ts";
import { Kubectl } from "../support/kubectl.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let kubectl: Kubectl;
let send: ReturnType<typeof rawClient>;
let pid: number;
let kept: string;

beforeAll(async () => {
  host = await TestHost.create();
  await host.addImage(await busyboxImage());
  await host.start();
  await host.ready();
  kubectl = new Kubectl(host, "bad");
  await kubectl.ok(["create", "namespace", "bad"]);
  await kubectl.ok(["create", "configmap", "kept", "--from-literal=a=b"]);
  await kubectl.ok(["create", "service", "clusterip", "web", "--tcp=80:80"]);
  await kubectl.ok(["apply", "-f", "-"], { input: yamlDeployment });
  kept = await kubectl.ok(["get", "configmap", "kept", "-o", "yaml"]);
  send = rawClient(host.kubeconfig, host.address);
  pid = host.pid;
});
afterAll(() => host?.destroy());

/** Whatever was sent: the same process answers, and what was stored is as it was. */
afterEach(async () => {
  process.kill(pid, 0);
  expect(host.pid).toBe(pid);
  expect(await kubectl.ok(["get", "--raw", "/readyz"])).toBe("ok");
  expect(await kubectl.ok(["get", "configmap", "kept", "-o", "yaml"])).toBe(kept);
});

const yamlDeployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 0
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: c, image: "busybox:1"}]}
`;

const core = "/api/v1/namespaces/bad";
const configMaps = `${core}/configmaps`;
const deployments = "/apis/apps/v1/namespaces/bad/deployments";

const configMap = (metadata: object = {}, more: object = {}) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x", ...metadata },
    ...more,
  });
const pod = (container: object, spec: object = {}) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "x" },
    spec: { containers: [{ name: "c", image: "busybox:1", ...container }], ...spec },
  });
const deployment = (spec: object) =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "x" },
    spec: {
      selector: { matchLabels: { a: "b" } },
      template: {
        metadata: { labels: { a: "b" } },
        spec: { containers: [{ name: "c", image: "i" }] },
      },
      ...spec,
    },
  });
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const as = (type: string) => ({ "content-type": type });
const merge = as("application/merge-patch+json");
const query = (name: string, value: string) => `?${name}=${encodeURIComponent(value)}`;

interface BadRequestCase {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly code: number;
  readonly reason: string;
  readonly message: string | RegExp;
}

const invalid = { code: 422, reason: "Invalid" };
const bad = { code: 400, reason: "BadRequest" };
const conflict = { code: 409, reason: "Conflict" };
const notFound = {
  code: 404,
  reason: "NotFound",
  message: "the server could not find the requested resource",
};

const texts: readonly BadRequestCase[] = [
  {
    what: "JSON that ends early",
    body: '{"a": ',
    ...bad,
    message:
      'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"a": )',
  },
  {
    what: "malformed YAML",
    body: "a: b\n  c: d\n - x",
    headers: as("application/yaml"),
    ...bad,
    message:
      /^the object provided is unrecognized \(must be of type ConfigMap\): error converting YAML to JSON: yaml: line 2: /,
  },
  {
    what: "an empty body",
    body: "",
    ...bad,
    message: /unexpected end of JSON input \(<empty>\)$/,
  },
  {
    what: "unknown fields, strictly",
    path: `${configMaps}?fieldValidation=Strict`,
    body: configMap({ foo: 1 }, { dta: {} }),
    ...bad,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.foo", unknown field "dta"',
  },
  {
    what: "doubled keys, strictly",
    path: `${configMaps}?fieldValidation=Strict`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","name":"x"},"data":{"a":"b","a":"c"}}',
    ...bad,
    message: /strict decoding error: duplicate field "metadata\.name", duplicate field "data\.a"$/,
  },
  {
    what: "20,000 levels of JSON",
    body: `{"metadata":${nested(20_000)}}`,
    ...bad,
    message: /json parse error: exceeded max depth/,
  },
  {
    what: "20,000 levels of YAML",
    body: `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`,
    headers: as("application/yaml"),
    ...bad,
    message: /^the object provided is unrecognized \(must be of type ConfigMap\): /,
  },
  {
    what: "a body of 4 MB",
    body: configMap({}, { data: { a: "x".repeat(4 << 20) } }),
    code: 413,
    reason: "RequestEntityTooLarge",
    message: "Request entity too large: limit is 3145728",
  },
  {
    what: "a ConfigMap of 2 MB",
    body: configMap({}, { data: { a: "x".repeat(2 << 20) } }),
    ...invalid,
    message: 'ConfigMap "x" is invalid: []: Too long: may not be more than 1048576 bytes',
  },
  {
    what: "another kind",
    body: pod({}),
    ...bad,
    message:
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
  },
  {
    what: "a kind that nobody knows",
    body: '{"apiVersion":"v1","kind":"Foo","metadata":{"name":"x"}}',
    ...bad,
    message: /^Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered/,
  },
  {
    what: "a number for a text",
    body: configMap({}, { data: { a: 1 } }),
    ...bad,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  },
];

const values: readonly BadRequestCase[] = [
  {
    what: "a container port of 70000",
    path: `${core}/pods`,
    body: pod({ ports: [{ containerPort: 70_000 }] }),
    ...invalid,
    message:
      'Pod "x" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  },
  {
    what: "a service port of 70000",
    path: `${core}/services`,
    body: '{"apiVersion":"v1","kind":"Service","metadata":{"name":"x"},"spec":{"ports":[{"port":70000,"targetPort":80}]}}',
    ...invalid,
    message:
      'Service "x" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
  },
  {
    what: "a quantity of lots",
    path: `${core}/pods`,
    body: pod({ resources: { limits: { cpu: "lots" } } }),
    ...bad,
    message:
      "Pod in version \"v1\" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  },
  {
    what: "an image name with spaces around it",
    path: `${core}/pods`,
    body: pod({ image: " busybox " }),
    ...invalid,
    message:
      'Pod "x" is invalid: spec.containers[0].image: Invalid value: " busybox ": must not have leading or trailing whitespace',
  },
  {
    what: "a name of 254 letters",
    body: configMap({ name: "a".repeat(254) }),
    ...invalid,
    message: /metadata\.name: Invalid value: "a+": must be no more than 253 bytes$/,
  },
  {
    what: "no name",
    body: configMap({ name: "" }),
    ...invalid,
    message:
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  },
  {
    what: "a label that cannot be one",
    body: configMap({ labels: { ok: "no good!" } }),
    ...invalid,
    message:
      /^ConfigMap "x" is invalid: metadata\.labels: Invalid value: "no good!": a valid label must be an empty string or consist of alphanumeric characters/,
  },
  {
    what: "300,000 bytes of annotations",
    body: configMap({ annotations: { a: "x".repeat(300_000) } }),
    ...invalid,
    message:
      'ConfigMap "x" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes',
  },
  {
    what: "a selector that does not match the template",
    path: deployments,
    body: deployment({ selector: { matchLabels: { a: "c" } } }),
    ...invalid,
    message:
      'Deployment.apps "x" is invalid: spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  },
  {
    what: "fewer replicas than none",
    path: deployments,
    body: deployment({ replicas: -1 }),
    ...invalid,
    message:
      'Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  },
  {
    what: "another selector for what is there",
    method: "PATCH",
    path: `${deployments}/app`,
    headers: merge,
    body: '{"spec":{"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}}}}}',
    ...invalid,
    message:
      'Deployment.apps "app" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable',
  },
  {
    what: "another cluster address for what has one",
    method: "PATCH",
    path: `${core}/services/web`,
    headers: merge,
    body: '{"spec":{"clusterIP":"10.43.1.1"}}',
    ...invalid,
    message:
      'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["10.43.1.1"]: may not change once set',
  },
  {
    what: "a ServiceAccount that is not there",
    path: `${core}/pods`,
    body: pod({}, { serviceAccountName: "nope" }),
    code: 403,
    reason: "Forbidden",
    message:
      'pods "x" is forbidden: error looking up service account bad/nope: serviceaccount "nope" not found',
  },
];

const requests: readonly BadRequestCase[] = [
  {
    what: "a selector that cannot be read",
    method: "GET",
    path: `${core}/pods${query("labelSelector", "a in (")}`,
    ...bad,
    message: "unable to parse requirement: found '', expected: ',', ')' or identifier",
  },
  {
    what: "a field that nobody selects by",
    method: "GET",
    path: `${core}/pods${query("fieldSelector", "spec.foo=bar")}`,
    ...bad,
    message: "field label not supported: spec.foo",
  },
  { what: "an unknown path", method: "GET", path: "/foo/bar", ...notFound },
  { what: "an unknown group", method: "GET", path: "/apis/foo/v1", ...notFound },
  { what: "an unknown resource", method: "GET", path: `${core}/foos`, ...notFound },
  {
    what: "a method that is not for it",
    method: "PUT",
    body: configMap(),
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
  },
  {
    what: "a content type that nobody reads",
    body: configMap(),
    headers: as("text/plain"),
    code: 415,
    reason: "UnsupportedMediaType",
    message:
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  },
  {
    what: "a patch in no language of patches",
    method: "PATCH",
    path: `${configMaps}/kept`,
    body: "{}",
    code: 415,
    reason: "UnsupportedMediaType",
    message:
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
  },
  {
    what: "an answer that nobody writes",
    method: "GET",
    headers: { accept: "image/png" },
    code: 406,
    reason: "NotAcceptable",
    message:
      "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  },
  {
    what: "an old resourceVersion",
    method: "PUT",
    path: `${configMaps}/kept`,
    body: configMap({ name: "kept", resourceVersion: "1" }),
    ...conflict,
    message:
      'Operation cannot be fulfilled on configmaps "kept": the object has been modified; please apply your changes to the latest version and try again',
  },
  {
    what: "a delete of another incarnation",
    method: "DELETE",
    path: `${configMaps}/kept`,
    body: '{"preconditions":{"uid":"x"}}',
    ...conflict,
    message: /the UID in the precondition \(x\) does not match the UID in record/,
  },
  {
    what: "a JSON patch of what is not there",
    method: "PATCH",
    path: `${configMaps}/kept`,
    headers: as("application/json-patch+json"),
    body: '[{"op":"replace","path":"/data/zz/y","value":1}]',
    ...invalid,
    message: "the server rejected our request due to an error in our request",
  },
  {
    what: "a JSON patch that is no list",
    method: "PATCH",
    path: `${configMaps}/kept`,
    headers: as("application/json-patch+json"),
    body: '{"a":1}',
    ...bad,
    message:
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  },
  {
    what: "a strategic merge patch of another type",
    method: "PATCH",
    path: `${deployments}/app`,
    headers: as("application/strategic-merge-patch+json"),
    body: '{"spec":{"replicas":"x"}}',
    ...invalid,
    message:
      ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32',
  },
  {
    what: "an apply by nobody",
    method: "PATCH",
    path: `${configMaps}/kept`,
    headers: as("application/apply-patch+yaml"),
    body: "{}",
    ...invalid,
    message:
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  },
  {
    what: "a delete of kube-system",
    method: "DELETE",
    path: "/api/v1/namespaces/kube-system",
    code: 403,
    reason: "Forbidden",
    message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
  },
  {
    what: "a namespace that is not there",
    path: "/api/v1/namespaces/nope/configmaps",
    body: configMap(),
    code: 404,
    reason: "NotFound",
    message: 'namespaces "nope" not found',
  },
];

describe.each([
  ["a text", texts],
  ["a value", values],
  ["a request", requests],
] as const)("%s that is wrong is refused with a Status:", (_, cases) => {
  test.each(cases)("$what", async (each) => {
    const method = each.method ?? "POST";
    const answer = await send(method, each.path ?? configMaps, each.body, each.headers);
    const { code, reason, message } = statusOf(answer);
    expect({ http: answer.status, code, reason }).toEqual({
      http: each.code,
      code: each.code,
      reason: each.reason,
    });
    if (typeof each.message === "string") expect(message).toBe(each.message);
    else expect(message).toMatch(each.message);
  });
});

test("20,000 labels are many, but allowed", async () => {
  const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`l${at}`, "v"]));
  expect((await send("POST", configMaps, configMap({ name: "many", labels }))).status).toBe(201);
  expect(await kubectl.ok(["get", "configmap", "-l", "l19999=v", "-o", "name"])).toBe(
    "configmap/many",
  );
});

test("an image name with a space inside is a pod that says so", async () => {
  const spaced = pod({ image: "busy box" }).replace('"x"', '"spaced"');
  await kubectl.ok(["create", "-f", "-"], { input: spaced });
  await kubectl.ok([
    "wait",
    "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=InvalidImageName",
    "pod/spaced",
    "--timeout=20s",
  ]);
  expect(
    await kubectl.path("pod spaced", "{.status.containerStatuses[0].state.waiting.message}"),
  ).toBe(
    'Failed to apply default image tag "busy box": couldn\'t parse image name "busy box": invalid reference format',
  );
  await kubectl.ok(["delete", "pod", "spaced", "--grace-period=1"]);
});

test("kubectl tells a refusal as it tells those of Kubernetes", async () => {
  const typo = yamlDeployment.replace("replicas: 0", "replcas: 0");
  expect(await kubectl.refused(["apply", "-f", "-"], { input: typo })).toMatch(
    /^The request is invalid: patch: Invalid value: "map\[.*\]": strict decoding error: unknown field "spec\.replcas"$/,
  );
  const other = typo.replace("{name: app}", "{name: other}");
  expect(await kubectl.refused(["apply", "-f", "-"], { input: other })).toBe(
    'Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replcas"',
  );
  const wide = other.replace("replcas: 0", "replicas: -1");
  expect(await kubectl.refused(["apply", "-f", "-"], { input: wide })).toBe(
    'The Deployment "other" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
});

test("a namespace that is deleted while in use takes nothing new, and goes when its content has gone", async () => {
  await kubectl.ok(["create", "namespace", "doomed"]);
  const doomed = new Kubectl(host, "doomed");
  await doomed.ok(["apply", "-f", "-"], {
    input:
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/hold]}\n",
  });
  await doomed.ok(["run", "p", "--image=busybox:1", "--command", "--", "sleep", "1000"]);
  await doomed.ok(["wait", "--for=condition=Ready", "pod/p", "--timeout=20s"]);
  await doomed.ok(["delete", "namespace", "doomed", "--wait=false"]);

  expect(await doomed.ok(["get", "namespace", "doomed", "--no-headers"])).toMatch(/Terminating/);
  const answer = await send("POST", "/api/v1/namespaces/doomed/configmaps", configMap());
  expect(statusOf(answer)).toMatchObject({
    code: 403,
    reason: "Forbidden",
    message:
      'configmaps "x" is forbidden: unable to create new content in namespace doomed because it is being terminated',
    details: {
      causes: [
        {
          reason: "NamespaceTerminating",
          message: "namespace doomed is being terminated",
          field: "metadata.namespace",
        },
      ],
    },
  });
  await doomed.ok(["delete", "pod", "p", "--grace-period=1"]);
  await eventually("what holds it is named", async () => {
    const conditions = await doomed.path("namespace doomed", "{.status.conditions[*].message}");
    return conditions.includes(
      "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    )
      ? true
      : undefined;
  });
  await doomed.ok([
    "patch",
    "configmap",
    "held",
    "--type=merge",
    '-p={"metadata":{"finalizers":null}}',
  ]);
  await doomed.ok(["wait", "--for=delete", "namespace/doomed", "--timeout=30s"]);
  expect(await doomed.refused(["get", "namespace", "doomed"])).toBe(
    'Error from server (NotFound): namespaces "doomed" not found',
  );
});
