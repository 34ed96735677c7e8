import fc from "fast-check";
import { encodeProtobuf } from "../../pkg/api/codec/protobuf.ts";
import { allResources } from "../../pkg/api/registry.generated.ts";
import type { ResourceDefinition } from "../../pkg/api/resource.ts";
import { objectOf } from "./fuzz-objects.ts";

const containers = [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }];
const podSpec = { containers, volumes: [{ name: "v", emptyDir: {} }] };
const inFuzz = (group: string, plural: string) => `/${group}/namespaces/fuzz/${plural}`;
export const samples: Readonly<Record<string, object>> = {
  [inFuzz("api/v1", "pods")]: {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", labels: { a: "b" }, finalizers: ["example.com/f"] },
    spec: podSpec,
  },
  [inFuzz("api/v1", "configmaps")]: {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", generateName: "g-", annotations: { a: "b" } },
    data: { k: "v" },
    binaryData: { b: "AAE=" },
  },
  [inFuzz("api/v1", "services")]: {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "a" },
    spec: { selector: { a: "b" }, ports: [{ name: "p", port: 80, targetPort: "http" }] },
  },
  [inFuzz("api/v1", "secrets")]: {
    metadata: { name: "a" },
    type: "Opaque",
    stringData: { a: "b" },
  },
  [inFuzz("apis/apps/v1", "deployments")]: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "a" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { a: "b" } },
      strategy: { rollingUpdate: { maxSurge: "25%", maxUnavailable: 1 } },
      template: { metadata: { labels: { a: "b" } }, spec: podSpec },
    },
  },
  [inFuzz("apis/coordination.k8s.io/v1", "leases")]: {
    metadata: { name: "a" },
    spec: { holderIdentity: "h", leaseDurationSeconds: 5, renewTime: "2026-11-21T02:03:04.5Z" },
  },
  [inFuzz("apis/discovery.k8s.io/v1", "endpointslices")]: {
    metadata: { name: "a" },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
    ports: [{ name: "p", port: 80, protocol: "TCP" }],
  },
  [inFuzz("apis/rbac.authorization.k8s.io/v1", "roles")]: {
    metadata: { name: "a" },
    rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }],
  },
  [inFuzz("apis/rbac.authorization.k8s.io/v1", "rolebindings")]: {
    metadata: { name: "a" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "a" },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace: "fuzz" }],
  },
  [inFuzz("apis/events.k8s.io/v1", "events")]: {
    metadata: { name: "a" },
    regarding: { kind: "Pod", name: "a", namespace: "fuzz" },
  },
  "/api/v1/nodes": {
    metadata: { name: "a" },
    spec: { taints: [{ key: "k", effect: "NoSchedule" }] },
  },
  "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": {
    spec: { resourceAttributes: { verb: "get", resource: "pods" } },
  },
  "/apis/authentication.k8s.io/v1/tokenreviews": { spec: { token: "a.b.c" } },
  "/api/v1/namespaces/fuzz/serviceaccounts/default/token": {
    spec: { audiences: ["a"], expirationSeconds: 600 },
  },
  "/api/v1/namespaces/fuzz/pods/a/eviction": { metadata: { name: "a" } },
  "/apis/apps/v1/namespaces/fuzz/deployments/a/scale": { spec: { replicas: 3 } },
};

/** With something in every corner that is looked into. */
export const richSamples: Readonly<Record<string, object>> = {
  [inFuzz("api/v1", "pods")]: {
    metadata: {
      name: "rich",
      labels: { a: "b" },
      annotations: { a: "b" },
      finalizers: ["example.com/f"],
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "o", uid: "u" }],
    },
    spec: {
      nodeSelector: { a: "b" },
      tolerations: [{ key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: "k", operator: "In", values: ["v"] }] },
            ],
          },
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              preference: {
                matchFields: [{ key: "metadata.name", operator: "In", values: ["n"] }],
              },
            },
          ],
        },
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: "k", labelSelector: { matchLabels: { a: "b" } }, namespaces: ["n"] },
          ],
        },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              podAffinityTerm: {
                topologyKey: "k",
                labelSelector: {
                  matchExpressions: [{ key: "k", operator: "NotIn", values: ["v"] }],
                },
              },
            },
          ],
        },
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "k",
          whenUnsatisfiable: "DoNotSchedule",
          labelSelector: { matchLabels: { a: "b" } },
          matchLabelKeys: ["a"],
        },
      ],
      securityContext: {
        runAsUser: 1,
        supplementalGroups: [1],
        sysctls: [{ name: "a.b", value: "1" }],
        seccompProfile: { type: "RuntimeDefault" },
      },
      hostAliases: [{ ip: "10.0.0.1", hostnames: ["h"] }],
      dnsConfig: { nameservers: ["10.0.0.1"], searches: ["a"], options: [{ name: "n" }] },
      readinessGates: [{ conditionType: "a/b" }],
      schedulingGates: [{ name: "a/b" }],
      imagePullSecrets: [{ name: "s" }],
      resources: { limits: { cpu: "1" } },
      overhead: { cpu: "1" },
      initContainers: [{ name: "i", image: "i", restartPolicy: "Always" }],
      containers: [
        {
          name: "c",
          image: "i",
          command: ["c"],
          args: ["a"],
          ports: [{ name: "p", containerPort: 80, hostPort: 80, protocol: "TCP" }],
          env: [
            { name: "A", value: "v" },
            { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
            { name: "C", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            { name: "D", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
          ],
          envFrom: [{ prefix: "p", configMapRef: { name: "c" } }],
          resources: { requests: { cpu: "100m", memory: "1Gi" }, limits: { cpu: "1" } },
          resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }],
          volumeMounts: [{ name: "v", mountPath: "/v", subPath: "s" }],
          volumeDevices: [{ name: "w", devicePath: "/d" }],
          livenessProbe: {
            httpGet: { port: "p", path: "/", httpHeaders: [{ name: "n", value: "v" }] },
          },
          readinessProbe: { exec: { command: ["c"] } },
          startupProbe: { grpc: { port: 1 } },
          lifecycle: { preStop: { sleep: { seconds: 1 } }, postStart: { tcpSocket: { port: 1 } } },
          securityContext: { capabilities: { add: ["A"], drop: ["B"] } },
        },
      ],
      volumes: [
        { name: "v", configMap: { name: "c", items: [{ key: "k", path: "p" }] } },
        { name: "w", persistentVolumeClaim: { claimName: "c" } },
        { name: "s", secret: { secretName: "c", items: [{ key: "k", path: "p", mode: 1 }] } },
        { name: "h", hostPath: { path: "/h", type: "Directory" } },
        {
          name: "p",
          projected: {
            sources: [
              { serviceAccountToken: { path: "t", expirationSeconds: 600 } },
              { configMap: { name: "c", items: [{ key: "k", path: "q" }] } },
              {
                downwardAPI: {
                  items: [{ path: "d", fieldRef: { fieldPath: "metadata.labels" } }],
                },
              },
            ],
          },
        },
        { name: "e", ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["a"] } } } },
        { name: "i", image: { reference: "r" } },
      ],
    },
  },
  [inFuzz("api/v1", "services")]: {
    metadata: { name: "rich" },
    spec: {
      type: "LoadBalancer",
      clusterIPs: ["10.43.0.99"],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      externalIPs: ["1.2.3.4"],
      loadBalancerSourceRanges: ["10.0.0.0/8"],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } },
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 30100,
      ports: [{ name: "p", port: 80, nodePort: 30101, appProtocol: "http" }],
    },
  },
  [inFuzz("api/v1", "endpoints")]: {
    metadata: { name: "rich" },
    subsets: [
      {
        addresses: [{ ip: "10.0.0.1", targetRef: { kind: "Pod", name: "a" } }],
        notReadyAddresses: [{ ip: "10.0.0.2" }],
        ports: [{ name: "p", port: 80 }],
      },
    ],
  },
  [inFuzz("apis/discovery.k8s.io/v1", "endpointslices")]: {
    metadata: { name: "rich" },
    addressType: "IPv4",
    endpoints: [
      {
        addresses: ["10.0.0.1"],
        conditions: { ready: true },
        deprecatedTopology: { a: "b" },
        hints: { forZones: [{ name: "z" }] },
        targetRef: { kind: "Pod", name: "a" },
      },
    ],
    ports: [{ name: "p", port: 80, protocol: "TCP" }],
  },
  [inFuzz("apis/apps/v1", "replicasets")]: {
    metadata: { name: "rich" },
    spec: {
      selector: { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] },
      template: { metadata: { labels: { a: "b" } }, spec: podSpec },
    },
  },
  [inFuzz("apis/apps/v1", "controllerrevisions")]: {
    metadata: { name: "rich" },
    revision: 1,
    data: { a: 1 },
  },
  [inFuzz("api/v1", "events")]: {
    metadata: { name: "rich" },
    involvedObject: { kind: "Pod", name: "a", namespace: "fuzz" },
    source: { component: "c" },
    series: { count: 1, lastObservedTime: "2026-11-21T02:03:04.5Z" },
  },
  [inFuzz("api/v1", "serviceaccounts")]: {
    metadata: { name: "rich" },
    secrets: [{ name: "a" }],
    imagePullSecrets: [{ name: "b" }],
  },
  [inFuzz("api/v1", "bindings")]: { metadata: { name: "a" }, target: { kind: "Node", name: "n" } },
  "/api/v1/namespaces": { metadata: { name: "rich" }, spec: { finalizers: ["kubernetes"] } },
  "/api/v1/nodes": {
    metadata: { name: "rich" },
    spec: {
      podCIDR: "10.42.0.0/24",
      podCIDRs: ["10.42.0.0/24"],
      taints: [{ key: "k", value: "v", effect: "NoSchedule" }],
      configSource: { configMap: { name: "a" } },
    },
    status: {
      capacity: { cpu: "1" },
      conditions: [{ type: "Ready", status: "True" }],
      addresses: [{ type: "InternalIP", address: "1.2.3.4" }],
      images: [{ names: ["a"] }],
    },
  },
  "/apis/rbac.authorization.k8s.io/v1/clusterroles": {
    metadata: { name: "rich" },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] },
    rules: [{ verbs: ["get"], nonResourceURLs: ["/a"] }],
  },
  "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings": {
    metadata: { name: "rich" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "a" },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "u" }],
  },
  "/apis/authorization.k8s.io/v1/subjectaccessreviews": {
    spec: { user: "u", groups: ["g"], nonResourceAttributes: { path: "/", verb: "get" } },
  },
  [inFuzz("apis/authorization.k8s.io/v1", "localsubjectaccessreviews")]: {
    spec: { user: "u", resourceAttributes: { namespace: "fuzz", verb: "get", resource: "pods" } },
  },
  "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews": { spec: { namespace: "fuzz" } },
  "/apis/authentication.k8s.io/v1/selfsubjectreviews": { metadata: { labels: { a: "b" } } },
};

// ---- the grammar -------------------------------------------------------------

/** Words that mean something to JavaScript, to paths, to Kubernetes, or are just awkward. */
const awkward = [
  "constructor",
  "__proto__",
  "hasOwnProperty",
  "toString",
  "prototype",
  "..",
  ".",
  "%2e%2e",
  "%2F",
  "a%2Fb",
  "%00",
  "%zz",
  "%",
  "%E2%98%83",
  "*",
  "~",
  "@",
  ":",
  "a b".replace(" ", "%20"),
  "a".repeat(300),
  "-1",
  "0",
  "null",
  "undefined",
  "NaN",
  "",
];
const awkwardWord = fc.constantFrom(...awkward);
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "fuzz", "default") },
  { weight: 1, arbitrary: awkwardWord },
);
const subresource = fc.oneof(
  fc.constantFrom("status", "scale", "log", "exec", "attach", "portforward", "binding"),
  fc.constantFrom("eviction", "token", "finalize", "ephemeralcontainers", "resize", "proxy"),
  awkwardWord,
);
const kindPath = fc
  .tuple(fc.constantFrom(...allResources), name, fc.boolean())
  .map(([{ group, version, plural }, namespace, isPlaced]) => {
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    return `${root}${isPlaced ? `/namespaces/${namespace}` : ""}/${plural}`;
  });
const fuzzPath = fc.constantFrom(...Object.keys(samples));
const path = fc.oneof(
  { weight: 4, arbitrary: kindPath },
  { weight: 6, arbitrary: fuzzPath },
  { weight: 3, arbitrary: fc.tuple(fuzzPath, name).map((parts) => parts.join("/")) },
  { weight: 3, arbitrary: fc.tuple(kindPath, name).map((parts) => parts.join("/")) },
  { weight: 3, arbitrary: fc.tuple(fuzzPath, name, subresource).map((parts) => parts.join("/")) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.oneof(awkwardWord, fc.constantFrom("api", "apis", "v1", "apps")), {
        maxLength: 7,
      })
      .map((parts) => `/${parts.join("/")}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "/",
      "/api",
      "/apis/",
      "/apis/apps",
      "/openapi/v3",
      "/openapi/v3/apis/apps/v1?hash=x",
      "/openapi/v2?hash=%zz",
      "/healthz?exclude=ping",
      "/metrics",
      "/version/",
    ),
  },
);

/** A list at a version that is yet to come is answered late, as a Timeout: that is another test's. */
const value = fc.oneof(
  fc.constantFrom("", "0", "1", "-1", "true", "false", "All", "Strict", "Warn", "Exact"),
  fc.constantFrom("NotOlderThan", "Foreground", "Orphan", "a=b", "a!=b,c", "a in (b,c)", "!a"),
  fc.constantFrom(
    "metadata.name=a",
    "spec.nodeName=a",
    "status.phase!=Running",
    "a=b\\,c",
    "=",
    ",",
  ),
  fc.constantFrom(
    "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0",
    "e30",
    "(((((",
    "a in (",
  ),
  awkwardWord.map((word) => word.replace(/%/g, "%25")),
  fc.string({ maxLength: 20 }),
);
const parameter = fc.constantFrom(
  "labelSelector",
  "fieldSelector",
  "limit",
  "continue",
  "resourceVersion",
  "resourceVersionMatch",
  "watch",
  "allowWatchBookmarks",
  "sendInitialEvents",
  "timeoutSeconds",
  "dryRun",
  "fieldManager",
  "fieldValidation",
  "force",
  "pretty",
  "includeObject",
  "propagationPolicy",
  "gracePeriodSeconds",
  "orphanDependents",
  "container",
  "tailLines",
  "stdout",
  "command",
  "__proto__",
);
const query = fc
  .array(fc.tuple(parameter, value), { maxLength: 4 })
  .map((pairs) => new URLSearchParams(pairs).toString());

const word = fc.oneof(
  fc.constantFrom("a", "b", "metadata", "name", "spec", "data", "kind", "-", "0", "$patch"),
  fc.constantFrom(
    "replicas",
    "labels",
    "finalizers",
    "managedFields",
    "$setElementOrder/containers",
  ),
  fc.constantFrom("constructor", "__proto__", "toString", "hasOwnProperty", ""),
  fc.string({ maxLength: 8 }),
);
const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    0,
    -1,
    0.5,
    1e21,
    70_000,
    9007199254740993n,
    "",
    "a",
    "1Gi",
  ),
  fc.constantFrom("2026-11-21T02:03:04Z", "delete", "replace", "100%", "AAE=", "\u0000", "\ud800"),
  word,
  fc.integer(),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalar,
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(word, tie("json"), { maxKeys: 5 }),
  ),
}));

/** A good object with some of its values exchanged, or away, at any depth. */
const mutantOf = (sample: object) =>
  fc.array(fc.tuple(fc.nat(), json), { maxLength: 3 }).map((changes) => {
    const copy = JSON.parse(JSON.stringify(sample)) as object;
    for (const [at, next] of changes) {
      const places = placesIn(copy);
      const place = places[at % places.length];
      if (place !== undefined) Reflect.set(place.holder, place.key, next);
    }
    return copy;
  });
const mutant = fc.constantFrom(...Object.values(samples)).chain(mutantOf);

export function placesIn(holder: object): { readonly holder: object; readonly key: string }[] {
  return Object.entries(holder).flatMap(([key, child]) => [
    { holder, key },
    ...(typeof child === "object" && child !== null ? placesIn(child) : []),
  ]);
}

const pointer = fc
  .array(word, { maxLength: 4 })
  .map((parts) => parts.map((part) => `/${part}`).join(""));
const jsonPatch = fc.array(
  fc.record(
    {
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "other"),
      path: fc.oneof(pointer, json),
      from: pointer,
      value: json,
    },
    { requiredKeys: ["op"] },
  ),
  { maxLength: 5 },
);

function textOf(body: unknown): string {
  return JSON.stringify(body, (_, each) => (typeof each === "bigint" ? Number(each) : each)) ?? "";
}

const yamlBomb = `a: &a [x,x,x,x,x,x,x,x]\n${"bcdefghij"
  .split("")
  .map((letter, at) => `${letter}: &${letter} [${`*${"abcdefghi"[at]},`.repeat(9)}]\n`)
  .join("")}`;
const body: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    { weight: 8, arbitrary: mutant.map(textOf) },
    { weight: 3, arbitrary: json.map(textOf) },
    { weight: 3, arbitrary: jsonPatch.map(textOf) },
    { weight: 1, arbitrary: fc.string() },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "",
        "[".repeat(100_000),
        `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
        '{"__proto__":{"a":1},"metadata":{"name":"a","__proto__":{"x":1}}}',
        '{"metadata":{"name":"a"},"metadata":{"name":"b"}}',
        "\ufeff{}",
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: y}\ndata: {a: 0644, b: yes}\n",
        "--- a\n--- b\n",
        "? [a]\n: b\n",
        yamlBomb,
        `x: ${"&a ".repeat(10)}`,
        `"${"a".repeat(500_000)}"`,
      ),
    },
  )
  .map((text) => Buffer.from(text))
  .chain((bytes) =>
    fc.oneof(
      { weight: 9, arbitrary: fc.constant(bytes) },
      {
        weight: 1,
        arbitrary: fc
          .uint8Array({ maxLength: 200 })
          .map((noise) => Buffer.concat([Buffer.from("k8s\0"), noise])),
      },
    ),
  );

const mediaType = fc.constantFrom(
  "application/json",
  "application/json",
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
  "application/cbor",
  "*/*;q=0",
  ";;;,,,",
  "text/html",
  "",
);
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const patchTypes = ["json-patch+json", "merge-patch+json", "strategic-merge-patch+json"];
/** Most bodies come as what they are; else nothing would get far. */
const contentType = (method: string) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary:
        method === "PATCH"
          ? fc.constantFrom(...patchTypes, "apply-patch+yaml").map((type) => `application/${type}`)
          : fc.constantFrom("application/json", "application/yaml"),
    },
    { weight: 1, arbitrary: mediaType },
  );
const headersOf = (method: string) =>
  fc
    .record({
      accept: fc.option(mediaType, { nil: undefined, freq: 1 }),
      "content-type": contentType(method),
      "accept-encoding": rarely(fc.constantFrom("gzip", "br", "gzip;q=0", ";")),
      "user-agent": rarely(fc.constantFrom("curl/8", "kubectl/v1.36.0", "\u00e9\u00e9", "/")),
      "if-none-match": rarely(fc.constantFrom("*", '"x"')),
      identity: rarely(identity),
    })
    .map(({ identity, ...rest }) => definedOnly({ ...rest, ...identity }));
const identity = fc.oneof(
  fc.constantFrom("Bearer x", "Bearer a.b.c", "Basic eDp5", "Bearer", " ").map((authorization) => ({
    authorization,
  })),
  fc
    .constantFrom("jane", "system:node:a", "system:serviceaccount:fuzz:default")
    .map((user) => ({ "impersonate-user": user })),
);

function definedOnly(all: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const pairs = Object.entries(all).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return Object.fromEntries(pairs);
}

const method = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("GET", "POST", "PUT", "PATCH", "PATCH", "DELETE") },
  { weight: 1, arbitrary: fc.constantFrom("HEAD", "OPTIONS", "TRACE", "BREW") },
);
const anyRequest = method.chain((chosen) =>
  fc.record({
    method: fc.constant(chosen),
    path,
    query,
    headers: headersOf(chosen),
    body: fc.option(body, { nil: undefined, freq: 3 }),
  }),
);
/** Nearly right: of the kind that the path is about. */
const nearRequest = fc.constantFrom(...Object.entries(samples)).chain(([collection, sample]) =>
  fc.constantFrom("POST", "PUT", "PATCH").chain((chosen) =>
    fc.record({
      method: fc.constant(chosen),
      path: fc.constantFrom(
        ...(chosen === "POST"
          ? [collection]
          : [`${collection}/a`, `${collection}/a/status`, `${collection}/b`]),
      ),
      query: fc.constantFrom("", "dryRun=All", "fieldManager=x&force=true", "fieldManager=y"),
      headers: contentType(chosen).map((type) => ({ "content-type": type })),
      body: fc.oneof(
        { weight: 5, arbitrary: mutantOf(sample).map((text) => Buffer.from(textOf(text))) },
        { weight: 1, arbitrary: jsonPatch.map((text) => Buffer.from(textOf(text))) },
      ),
    }),
  ),
);
/** Of the kind that the path is about, made from what the kind's fields are: built-in and custom kinds alike. */
const madeRequest = (kinds: readonly ResourceDefinition[]) =>
  fc
    .record({
      resource: fc.constantFrom(...kinds),
      seed: fc.nat(),
      how: fc.constantFrom<How>("POST", "POST", "PUT", "merge", "apply", "status"),
      form: fc.constantFrom<Form>("json", "json", "protobuf"),
      query: fc.constantFrom("", "dryRun=All", "fieldValidation=Strict"),
    })
    .map(made);

type How = "POST" | "PUT" | "merge" | "apply" | "status";
type Form = "json" | "protobuf";

interface Made {
  readonly resource: ResourceDefinition;
  readonly seed: number;
  readonly how: How;
  readonly form: Form;
  readonly query: string;
}

function made({ resource, seed, how, form, query }: Made): FuzzRequest {
  const { group, version, plural, kind, scope, schema } = resource;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const root = `${group === "" ? "/api" : "/apis"}/${apiVersion}`;
  const collection = `${root}${scope === "namespace" ? "/namespaces/fuzz" : ""}/${plural}`;
  const object = { ...objectOf(schema.object, seed), apiVersion, kind };
  const path = how === "POST" ? collection : `${collection}/a${how === "status" ? "/status" : ""}`;
  const patchType = patchTypeOf[how];
  const bytes =
    patchType === undefined && form === "protobuf" ? protobufOf(schema.object, object) : undefined;
  return {
    method: patchType === undefined ? (how === "POST" ? "POST" : "PUT") : "PATCH",
    path,
    query: how === "apply" ? `${query}&fieldManager=f&force=true` : query,
    headers: {
      "content-type":
        patchType ??
        (bytes === undefined ? "application/json" : "application/vnd.kubernetes.protobuf"),
    },
    body: bytes ?? Buffer.from(textOf(object)),
  };
}

const patchTypeOf: Readonly<Partial<Record<How, string>>> = {
  merge: "application/merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Undefined where the object has no such form. */
function protobufOf(
  schema: ResourceDefinition["schema"]["object"],
  object: Readonly<Record<string, unknown>>,
): Uint8Array | undefined {
  try {
    return encodeProtobuf(schema, object);
  } catch {
    return undefined;
  }
}

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** Any request, as nobody should make it; about `kinds`, where it is about one at all. */
export function requestAbout(kinds: readonly ResourceDefinition[]): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(anyRequest, nearRequest, madeRequest(kinds));
}
