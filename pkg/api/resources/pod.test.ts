import { describe, expect, test } from "vitest";
import { createdFromYaml, decodeYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import type { ContainerStatus, Pod, PodStatus } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { podResource } from "./pod.ts";

const minimal = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - name: web
    image: nginx
`;

/** A pod of one container, with more in the container or in the spec, both in flow style. */
function pod({ container = "{}", spec = "{}" }: { container?: string; spec?: string }): Pod {
  const containers = `{containers: [${joined("{name: web, image: nginx}", container)}]}`;
  return createdFromYaml(
    podResource,
    `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: ${joined(containers, spec)}}`,
  );
}

/** Two maps as one; where both have a key, the second has it. */
function joined(first: string, second: string): string {
  return second === "{}" ? first : `{${first.slice(1, -1)}, ${second.slice(1, -1)}}`;
}

test("what a client leaves out of a pod is filled in as Kubernetes does", () => {
  expect(createdFromYaml(podResource, minimal)).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default" },
    spec: {
      containers: [
        {
          name: "web",
          image: "nginx",
          imagePullPolicy: "Always",
          resources: {},
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
        },
      ],
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      restartPolicy: "Always",
      schedulerName: "default-scheduler",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    },
    status: { phase: "Pending", qosClass: "BestEffort" },
  });
});

test("defaults reach into every corner of the spec", () => {
  const { spec } = decodeYaml(
    podResource,
    `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  hostNetwork: true
  serviceAccount: robot
  volumes:
  - {name: empty}
  - {name: secret, secret: {secretName: s}}
  - {name: host, hostPath: {path: /var}}
  - name: token
    projected:
      sources:
      - serviceAccountToken: {path: token}
      - downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}
  containers:
  - name: web
    image: registry:5000/web:1.0
    ports: [{containerPort: 80}]
    resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: 0.25}}
    env:
    - name: POD
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    - name: CPU
      valueFrom: {resourceFieldRef: {resource: limits.cpu}}
    readinessProbe: {httpGet: {port: 80}}
    lifecycle: {preStop: {httpGet: {port: 80}}}
`,
  );
  expect(spec.serviceAccountName).toBe("robot");
  expect(spec.volumes).toEqual([
    { name: "empty", emptyDir: {} },
    { name: "secret", secret: { secretName: "s", defaultMode: 420 } },
    { name: "host", hostPath: { path: "/var", type: "" } },
    {
      name: "token",
      projected: {
        defaultMode: 420,
        sources: [
          { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
          {
            downwardAPI: {
              items: [{ path: "name", fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } }],
            },
          },
        ],
      },
    },
  ]);
  const [container] = spec.containers;
  expect(container?.imagePullPolicy).toBe("IfNotPresent");
  expect(container?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: "TCP" }]);
  expect(container?.resources).toEqual({
    limits: { cpu: "1", memory: "1Gi" },
    requests: { cpu: "250m", memory: "1Gi" },
  });
  expect(container?.env).toEqual([
    { name: "POD", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
    { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } } },
  ]);
  expect(container?.readinessProbe).toEqual({
    httpGet: { path: "/", port: 80, scheme: "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  expect(container?.lifecycle?.preStop?.httpGet).toEqual({ path: "/", port: 80, scheme: "HTTP" });
});

describe("an image is pulled anew only where its tag may move", () => {
  test.each([
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["nginx:1.27", "IfNotPresent"],
    ["host:5000/nginx", "Always"],
    ["host:5000/nginx:1", "IfNotPresent"],
    [`nginx@sha256:${"a".repeat(64)}`, "IfNotPresent"],
    ["not an image", "IfNotPresent"],
  ])("%s: %s", (image, policy) => {
    const made = pod({ container: `{image: "${image}"}` });
    expect(made.spec.containers[0]?.imagePullPolicy).toBe(policy);
  });
});

describe("what is wrong with a pod is said in upstream's words", () => {
  test.each<[string, { container?: string; spec?: string }, string[]]>([
    ["nothing", {}, []],
    [
      "a port of 70000",
      { container: "{ports: [{containerPort: 70000}]}" },
      [
        "spec.containers[0].ports[0].containerPort: Invalid value: must be between 1 and 65535, inclusive",
      ],
    ],
    [
      "an image with spaces around it",
      { container: '{image: " nginx "}' },
      ["spec.containers[0].image: Invalid value: must not have leading or trailing whitespace"],
    ],
    ["no image", { container: '{image: ""}' }, ["spec.containers[0].image: Required value"]],
    [
      "a port's name twice",
      { container: "{ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]}" },
      ["spec.containers[0].ports[1].name: Duplicate value"],
    ],
    [
      "a mount without a volume",
      { container: "{volumeMounts: [{name: data, mountPath: /data}]}" },
      ["spec.containers[0].volumeMounts[0].name: Not found"],
    ],
    [
      "requests above limits",
      { container: "{resources: {requests: {cpu: 2}, limits: {cpu: 1}}}" },
      [
        "spec.containers[0].resources.requests: Invalid value: must be less than or equal to cpu limit of 1",
      ],
    ],
    [
      "an unknown resource",
      { container: "{resources: {requests: {disk: 2}}}" },
      [
        "spec.containers[0].resources.requests[disk]: Invalid value: must be a standard resource type or fully qualified",
        "spec.containers[0].resources.requests[disk]: Invalid value: must be a standard resource for containers",
      ],
    ],
    [
      "a negative amount",
      { container: "{resources: {requests: {cpu: -1}}}" },
      [
        "spec.containers[0].resources.requests[cpu]: Invalid value: must be greater than or equal to 0",
      ],
    ],
    [
      "an environment variable from nowhere",
      { container: "{env: [{name: A, valueFrom: {}}]}" },
      [
        "spec.containers[0].env[0].valueFrom: Invalid value: must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
      ],
    ],
    [
      "a field that an environment cannot have",
      { container: "{env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.x}}}]}" },
      [
        "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: error converting fieldPath: field label not supported: spec.x",
      ],
    ],
    [
      "a path out of the volume",
      {
        container: "{volumeMounts: [{name: a, mountPath: /a, subPath: ../b}]}",
        spec: "{volumes: [{name: a}]}",
      },
      ["spec.containers[0].volumeMounts.subPath: Invalid value: must not contain '..'"],
    ],
    [
      "a divisor that divides nothing",
      {
        container:
          "{env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 2}}}]}",
      },
      [
        "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: only divisor's values 1m and 1 are supported with the cpu resource",
      ],
    ],
    [
      "a token without an account",
      { spec: "{volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]}" },
      [
        "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set",
      ],
    ],
    [
      "another port of the node on the node's own network",
      {
        container: "{ports: [{containerPort: 80, hostPort: 81}]}",
        spec: "{hostNetwork: true}",
      },
      [
        "spec.containers[0].ports[0].hostPort: Invalid value: must match `containerPort` when `hostNetwork` is true",
      ],
    ],
    [
      "less for the pod than for its containers",
      {
        container: "{resources: {requests: {cpu: 2}}}",
        spec: "{resources: {requests: {cpu: 1}, limits: {cpu: 4}}}",
      },
      [
        "spec.resources.requests[cpu]: Invalid value: must be greater than or equal to aggregate container requests of 2",
      ],
    ],
    [
      "users of its own among the node's processes",
      { spec: "{hostUsers: false, hostPID: true}" },
      ["spec.HostPID: Forbidden: when `hostUsers` is false"],
    ],
    [
      "a probe without an action",
      { container: "{livenessProbe: {periodSeconds: 3}}" },
      ["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    ],
    [
      "a liveness probe that wants two successes",
      { container: "{livenessProbe: {exec: {command: [a]}, successThreshold: 2}}" },
      ["spec.containers[0].livenessProbe.successThreshold: Invalid value: must be 1"],
    ],
    [
      "an unknown restart policy",
      { spec: "{restartPolicy: Sometimes}" },
      ['spec.restartPolicy: Unsupported value: supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      "two sources of one volume",
      { spec: "{volumes: [{name: a, emptyDir: {}, hostPath: {path: /a}}]}" },
      ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
    ],
    [
      "a volume twice",
      { spec: "{volumes: [{name: a}, {name: a}]}" },
      ["spec.volumes[1].name: Duplicate value"],
    ],
    [
      "a probe on an init container",
      {
        spec: "{initContainers: [{name: i, image: x, readinessProbe: {exec: {command: [a]}}}]}",
      },
      [
        "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
      ],
    ],
    [
      "a probe on a sidecar",
      {
        spec: "{initContainers: [{name: i, image: x, restartPolicy: Always, readinessProbe: {exec: {command: [a]}}}]}",
      },
      [],
    ],
    [
      "an init container with a container's name",
      { spec: "{initContainers: [{name: web, image: x}]}" },
      ["spec.initContainers[0].name: Duplicate value"],
    ],
    [
      "a toleration of nothing",
      { spec: "{tolerations: [{effect: NoSchedule}]}" },
      [
        'spec.tolerations[0].operator: Invalid value: operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      "no node selector term",
      {
        spec: "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}}",
      },
      [
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
      ],
    ],
    [
      "nodes by a name and values that none can have, where only preferred",
      {
        spec: "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: ['!']}]}, {matchFields: [{key: metadata.name, operator: In, values: ['a b']}]}]}, preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: In, values: ['!']}]}}]}}}",
      },
      [
        `spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
        `spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchFields[0].values[0]: Invalid value: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      ],
    ],
    [
      "keys of labels that are asked for twice",
      {
        spec: "{affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, matchLabelKeys: [a]}, {topologyKey: zone, labelSelector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: Exists}]}, matchLabelKeys: [a, c], mismatchLabelKeys: [c]}]}}}",
      },
      [
        "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
        "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1][0]: Invalid value: exists in both matchLabelKeys and labelSelector",
        "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1].matchLabelKeys[1]: Invalid value: exists in both matchLabelKeys and mismatchLabelKeys",
      ],
    ],
    [
      "a spread of nothing",
      {
        spec: "{topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, minDomains: 2, nodeTaintsPolicy: Maybe}, {maxSkew: 0, topologyKey: '', whenUnsatisfiable: ''}, {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]}",
      },
      [
        "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value",
        "spec.topologySpreadConstraints[0].minDomains: Invalid value: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
        'spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: supported values: "Honor", "Ignore"',
        "spec.topologySpreadConstraints[1].maxSkew: Invalid value: must be greater than zero",
        "spec.topologySpreadConstraints[1].topologyKey: Required value: can not be empty",
        'spec.topologySpreadConstraints[1].whenUnsatisfiable: Unsupported value: supported values: "DoNotSchedule", "ScheduleAnyway"',
      ],
    ],
    [
      "privileged without escalation",
      { container: "{securityContext: {privileged: true, allowPrivilegeEscalation: false}}" },
      [
        "spec.containers[0].securityContext: Invalid value: cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
      ],
    ],
    [
      "a device that is a file system",
      {
        container: "{volumeDevices: [{name: a, devicePath: /dev/a}, {name: b, devicePath: /../b}]}",
        spec: "{volumes: [{name: a}]}",
      },
      [
        "spec.containers[0].volumeDevices[0].name: Invalid value: can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
        "spec.containers[0].volumeDevices[1].name: Not found",
        "spec.containers[0].volumeDevices[1].devicePath: Invalid value: can not contain backsteps ('..')",
      ],
    ],
    [
      "claims on devices that it has not",
      {
        container: "{resources: {claims: [{name: gpu}, {name: gpu, request: one}]}}",
        spec: "{resourceClaims: [{name: net, resourceClaimName: a}, {name: net}]}",
      },
      [
        "spec.resourceClaims[1].name: Duplicate value",
        "spec.resourceClaims[1]: Invalid value: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
        "spec.containers[0].resources.claims[0]: Not found: must be one of the names in pod.spec.resourceClaims: net",
        "spec.containers[0].resources.claims[1]: Duplicate value",
        "spec.containers[0].resources.claims[1]: Not found: must be one of the names in pod.spec.resourceClaims: net",
      ],
    ],
    [
      "rules for a restart without a policy",
      {
        container:
          "{restartPolicyRules: [{action: Restart}, {action: Stop, exitCodes: {operator: Is, values: [1]}}]}",
      },
      [
        "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
        "spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified",
        'spec.containers[0].restartPolicyRules[1].action: Unsupported value: supported values: "Restart", "RestartAllContainers"',
        'spec.containers[0].restartPolicyRules[1].exitCodes.operator: Unsupported value: supported values: "In", "NotIn"',
      ],
    ],
    [
      "a resize that restarts what never restarts",
      {
        container: "{resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]}",
        spec: "{restartPolicy: Never}",
      },
      [
        "spec.containers[0].resizePolicy: Invalid value: must be 'NotRequired' when pod `restartPolicy` is 'Never'",
      ],
    ],
    [
      "a variable from a file that is not there",
      {
        container:
          "{env: [{name: A, valueFrom: {fileKeyRef: {key: A, path: a.env, volumeName: v}}}, {name: B, valueFrom: {fileKeyRef: {key: B, path: ../b, volumeName: s}}}]}",
        spec: "{volumes: [{name: s, secret: {secretName: s}}]}",
      },
      [
        "spec.containers[0].env[1].valueFrom.fileKeyRef.path: Invalid value: must not contain '..'",
        "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Not found",
        "spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Invalid value: referenced volume must be of type emptyDir",
      ],
    ],
    [
      "a hostname for the node's network",
      { spec: "{hostnameOverride: My_Host, hostNetwork: true, setHostnameAsFQDN: true}" },
      [
        "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true",
        "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true",
        "spec.hostnameOverride: Invalid value: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    [
      "what Linux alone has, on Windows",
      {
        container: "{securityContext: {privileged: true, runAsUser: 1}}",
        spec: "{os: {name: windows}, hostPID: true, securityContext: {fsGroup: 1}}",
      },
      [
        "spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod",
        "spec.hostPID: Forbidden: cannot be set for a windows pod",
        "spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod",
        "spec.containers[0].securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
      ],
    ],
    [
      "what Windows alone has, on Linux",
      {
        container: "{securityContext: {windowsOptions: {runAsUserName: ''}}}",
        spec: "{os: {name: linux}}",
      },
      [
        "spec.containers[0].securityContext.windowsOptions.runAsUserName: Invalid value: runAsUserName cannot be an empty string",
        "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
      ],
    ],
    [
      "a profile without a file, a user that is too large, and a /proc unmasked",
      {
        container:
          "{securityContext: {appArmorProfile: {type: Localhost}, runAsUser: 2147483648, procMount: Unmasked}}",
      },
      [
        "spec.containers[0].securityContext.runAsUser: Invalid value: must be between 0 and 2147483647, inclusive",
        "spec.containers[0].securityContext.procMount: Invalid value: `hostUsers` must be false to use `Unmasked`",
        "spec.containers[0].securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost",
      ],
    ],
    [
      "DNS policy None without servers",
      { spec: "{dnsPolicy: None}" },
      ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ],
  ])("%s", (_, parts, expected) => {
    expect(problemsOf(podResource, pod(parts))).toEqual(expected);
  });

  test("no containers at all", () => {
    const made = decodeYaml(
      podResource,
      "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}",
    );
    expect(problemsOf(podResource, made as Pod)).toContain("spec.containers: Required value");
  });

  test("ephemeral containers from the start", () => {
    const made = pod({ spec: "{ephemeralContainers: [{name: debug, image: x}]}" });
    expect(podResource.validateCreate?.(made)).toMatchObject([
      { path: "spec.ephemeralContainers", detail: "cannot be set on create" },
    ]);
  });
});

describe("of a pod that exists, only little may change", () => {
  const before = pod({ spec: "{activeDeadlineSeconds: 100}" });
  const update = (parts: { container?: string; spec?: string }) =>
    podResource.validateUpdate?.(pod(parts), before) ?? [];

  test("its images may", () => {
    expect(update({ container: "{image: other}", spec: "{activeDeadlineSeconds: 100}" })).toEqual(
      [],
    );
    expect(
      update({ container: "{image: ' other'}", spec: "{activeDeadlineSeconds: 100}" })[0]?.path,
    ).toBe("spec.containers[0].image");
  });

  test("its deadline may only come nearer", () => {
    expect(update({ spec: "{activeDeadlineSeconds: 50}" })).toEqual([]);
    expect(update({ spec: "{activeDeadlineSeconds: 200}" })).toMatchObject([
      { detail: "must be less than or equal to previous value" },
    ]);
    expect(update({})).toMatchObject([
      { detail: "must not update from a positive integer to nil value" },
    ]);
  });

  test("tolerations may be added", () => {
    expect(
      update({ spec: "{activeDeadlineSeconds: 100, tolerations: [{operator: Exists}]}" }),
    ).toEqual([]);
  });

  test("nothing else may, and the answer shows what did", () => {
    const [error, ...more] = update({
      spec: "{activeDeadlineSeconds: 100, hostNetwork: true}",
    });
    expect(more).toEqual([]);
    expect(error).toMatchObject({ type: "Forbidden", path: "spec" });
    expect(error?.detail).toMatch(
      /^pod updates may not change fields other than `spec\.containers/,
    );
    expect(error?.detail).toContain('\n+ "hostNetwork": true,\n');
  });

  test("containers neither come nor go", () => {
    const next = { ...before, spec: { ...before.spec, containers: [] } };
    expect(podResource.validateUpdate?.(next, before)).toMatchObject([
      { path: "spec.containers", detail: "pod updates may not add or remove containers" },
    ]);
  });

  test("being placed is no new generation", () => {
    const placed = { ...before, spec: { ...before.spec, nodeName: "a" } };
    expect(podResource.generationChanged?.(placed, before)).toBe(false);
    expect(podResource.generationChanged?.(pod({}), before)).toBe(true);
  });
});

describe("a pod gets as long to end as it needs", () => {
  const running: Pod = {
    ...pod({ spec: "{nodeName: a}" }),
    status: { phase: "Running" },
  };
  test.each<[string, Pod, number | undefined, number]>([
    ["its own grace period", running, undefined, 30],
    ["what the client asks", running, 5, 5],
    ["none before it is placed", { ...running, spec: pod({}).spec }, undefined, 0],
    ["none once it is over", { ...running, status: { phase: "Failed" } }, undefined, 0],
    ["the least for a negative wish", running, -1, 1],
  ])("%s", (_, object, requested, seconds) => {
    expect(podResource.deletionGraceSeconds?.(object, requested)).toBe(seconds);
  });
});

describe("kubectl get pods", () => {
  const nowMs = Date.parse("2026-01-01T00:10:00Z");
  const status = (fields: Partial<ContainerStatus>): ContainerStatus => ({
    name: "web",
    image: "",
    imageID: "",
    ready: false,
    restartCount: 0,
    state: {},
    lastState: {},
    ...fields,
  });
  const row = (state: PodStatus, metadata = {}, spec = "{}") => {
    const object: Pod = {
      ...pod({ spec }),
      metadata: {
        name: "web",
        uid: "u",
        resourceVersion: "1",
        creationTimestamp: "2026-01-01T00:00:00Z",
        ...metadata,
      },
      status: state,
    };
    return podResource.columns
      .filter(({ priority = 0 }) => priority === 0)
      .map((column) => column.cell(object, nowMs));
  };

  test("one that runs", () => {
    expect(
      row({
        phase: "Running",
        containerStatuses: [status({ ready: true, state: { running: {} } })],
      }),
    ).toEqual(["web", "1/1", "Running", "0", "10m"]);
  });

  test("one that keeps crashing", () => {
    expect(
      row({
        phase: "Running",
        containerStatuses: [
          status({
            restartCount: 3,
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:05:00Z" } },
          }),
        ],
      }),
    ).toEqual(["web", "0/1", "CrashLoopBackOff", "3 (5m ago)", "10m"]);
  });

  test("one that is still starting", () => {
    expect(
      row(
        {
          phase: "Pending",
          initContainerStatuses: [status({ name: "i", state: { running: {} } })],
          containerStatuses: [status({ state: { waiting: { reason: "PodInitializing" } } })],
        },
        {},
        "{initContainers: [{name: i, image: x}]}",
      ),
    ).toEqual(["web", "0/1", "Init:0/1", "0", "10m"]);
  });

  test("one with a sidecar", () => {
    expect(
      row(
        {
          phase: "Running",
          initContainerStatuses: [
            status({ name: "i", started: true, ready: true, state: { running: {} } }),
          ],
          containerStatuses: [status({ ready: true, state: { running: {} } })],
        },
        {},
        "{initContainers: [{name: i, image: x, restartPolicy: Always}]}",
      ),
    ).toEqual(["web", "2/2", "Running", "0", "10m"]);
  });

  test("one that ended", () => {
    expect(
      row({
        phase: "Succeeded",
        containerStatuses: [
          status({ state: { terminated: { exitCode: 0, reason: "Completed" } } }),
        ],
      }),
    ).toEqual(["web", "0/1", "Completed", "0", "10m"]);
  });

  test("one that was killed by a signal", () => {
    expect(
      row({
        phase: "Failed",
        containerStatuses: [status({ state: { terminated: { exitCode: 137, signal: 9 } } })],
      })[2],
    ).toBe("Signal:9");
  });

  test("one that is being deleted", () => {
    const deleted = { deletionTimestamp: "2026-01-01T00:09:00Z" };
    expect(row({ phase: "Running" }, deleted)[2]).toBe("Terminating");
    expect(row({ phase: "Running", reason: "NodeLost" }, deleted)[2]).toBe("Unknown");
    expect(row({ phase: "Succeeded" }, deleted)[2]).toBe("Succeeded");
  });
});

test("kubectl's users are warned of what will not do what they mean", () => {
  const made = pod({
    container:
      '{env: [{name: A, value: "1"}, {name: A, value: "2"}], resources: {limits: {memory: 100m}}}',
  });
  expect(podResource.warnings?.(made, undefined)).toEqual([
    'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
    'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ]);
});

test("what a pod says of others by the keys of its labels is written out when it is made", () => {
  const made = createdFromYaml(
    podResource,
    `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web, hash: a1}}
spec:
  containers: [{name: web, image: nginx}]
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {}, matchLabelKeys: [hash, none]}
  affinity:
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - {topologyKey: zone, labelSelector: {matchLabels: {app: web}}, mismatchLabelKeys: [hash]}
`,
  );
  const required = { key: "hash", operator: "In", values: ["a1"] };
  expect(made.spec.topologySpreadConstraints?.[0]?.labelSelector).toEqual({
    matchExpressions: [required],
  });
  const { podAntiAffinity } = made.spec.affinity ?? {};
  expect(
    podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0]?.labelSelector,
  ).toEqual({
    matchLabels: { app: "web" },
    matchExpressions: [{ ...required, operator: "NotIn" }],
  });
});

describe("profiles in annotations", () => {
  const appArmor = "container.apparmor.security.beta.kubernetes.io";
  const seccomp = "seccomp.security.alpha.kubernetes.io";
  const made = (annotations: string, container = "", spec = "") =>
    createdFromYaml(
      podResource,
      `
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {${annotations}}}
spec: {containers: [{name: web, image: nginx, ${container}}], serviceAccountName: a, ${spec}}
`,
    );
  const deprecated = `metadata.annotations[${appArmor}/web]: deprecated since v1.30; use the "appArmorProfile" field instead`;

  test.each([
    [`${appArmor}/web: localhost/mine`, { type: "Localhost", localhostProfile: "mine" }],
    [`${appArmor}/web: runtime/default`, { type: "RuntimeDefault" }],
    [`${appArmor}/web: unconfined`, { type: "Unconfined" }],
    [`${appArmor}/web: localhost/`, undefined],
  ])("%s is what the container's field says", (annotation, profile) => {
    const pod = made(annotation);
    expect(pod.spec.containers[0]?.securityContext?.appArmorProfile).toEqual(profile);
    expect(podResource.warnings?.(pod, undefined)).toEqual([deprecated]);
  });

  test("a field, and the pod's own, go before", () => {
    const own = made(
      `${appArmor}/web: unconfined`,
      "",
      "securityContext: {appArmorProfile: {type: Unconfined}}",
    );
    expect(own.spec.containers[0]?.securityContext).toBeUndefined();
    expect(podResource.warnings?.(own, undefined)).toEqual([]);
  });

  test.each([
    [
      `${appArmor}/web: a, ${appArmor}/db: '', ${seccomp}/pod: b, container.${seccomp}/web: localhost//c`,
      "",
      [
        `metadata.annotations.${seccomp}/pod: must be a valid seccomp profile`,
        `metadata.annotations.container.${seccomp}/web: must be a relative path`,
        `metadata.annotations[${appArmor}/web]: invalid AppArmor profile name: "a"`,
        `metadata.annotations[${appArmor}/db]: container not found`,
      ],
    ],
    [
      `${appArmor}/web: unconfined, container.${seccomp}/web: localhost/a`,
      "securityContext: {appArmorProfile: {type: RuntimeDefault}, seccompProfile: {type: Localhost, localhostProfile: b}}",
      [
        "spec.containers[0].securityContext.seccompProfile.localhostProfile: seccomp profile in annotation and field must match",
        "spec.containers[0].securityContext.appArmorProfile.type: apparmor type in annotation and field must match",
      ],
    ],
  ])("%s", (annotations, container, expected) => {
    const pod = made(annotations, container);
    const errors = [
      ...(podResource.validate?.(pod) ?? []),
      ...(podResource.validateCreate?.(pod) ?? []),
    ];
    expect(errors.map(({ path, detail }) => `${path}: ${detail}`)).toEqual(expected);
  });
});

describe("a pod that waits behind a gate", () => {
  const gated = (spec: string) => pod({ spec: `{schedulingGates: [{name: a.io/wait}], ${spec}}` });
  const update = (next: string, previous: string) =>
    (podResource.validateUpdate?.(gated(next), gated(previous)) ?? []).map(
      ({ path, detail }) => `${path}: ${detail}`,
    );
  const terms = (...expressions: string[]) =>
    `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [${expressions
      .map((each) => `{matchExpressions: [${each}]}`)
      .join(", ")}]}}}`;
  const has = (key: string) => `{key: ${key}, operator: Exists}`;

  test.each<[string, string, string[]]>([
    ["nodeSelector: {a: b, c: d}", "nodeSelector: {a: b}", []],
    [
      "nodeSelector: {a: c}",
      "nodeSelector: {a: b}",
      [
        "spec.nodeSelector: only additions to spec.nodeSelector are allowed (no mutations or deletions)",
      ],
    ],
    [terms(has("a")), "hostname: a", []],
    [terms(`${has("a")}, ${has("b")}`), terms(has("a")), []],
    [
      terms(has("b")),
      terms(has("a")),
      [
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]: only additions are allowed (no mutations or deletions)",
      ],
    ],
    [
      terms(has("a"), has("b")),
      terms(has("a")),
      [
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: no additions/deletions to non-empty NodeSelectorTerms list are allowed",
      ],
    ],
  ])("{%s} after {%s}", (next, previous, expected) => {
    const same = next.startsWith("affinity") && previous === "hostname: a";
    expect(update(same ? `hostname: a, ${next}` : next, previous)).toEqual(expected);
  });
});

describe("annotations that Kubernetes reads", () => {
  const annotated = (annotations: Readonly<Record<string, string>>): Pod => {
    const made = pod({});
    return { ...made, metadata: { ...made.metadata, annotations } };
  };
  const mirror = { "kubernetes.io/config.mirror": "a" };

  test("say something that can be read", () => {
    expect(problemsOf(podResource, annotated(mirror))).toEqual([
      "metadata.annotations[kubernetes.io/config.mirror]: Invalid value: must set spec.nodeName if mirror pod annotation is set",
    ]);
    const cost = (value: string) =>
      problemsOf(podResource, annotated({ "controller.kubernetes.io/pod-deletion-cost": value }));
    expect(cost("-10")).toEqual([]);
    for (const wrong of ["+1", "08", "2147483648", "a", ""]) {
      expect(cost(wrong)).toEqual([
        "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: must be a 32bit integer",
      ]);
    }
  });

  test("stay", () => {
    const update = (next: Pod, previous: Pod) => podResource.validateUpdate?.(next, previous);
    expect(update(annotated({}), annotated(mirror))).toMatchObject([
      { detail: "may not remove or update mirror pod annotation" },
    ]);
    expect(update(annotated(mirror), annotated({}))).toMatchObject([
      { detail: "may not add mirror pod annotation" },
    ]);
  });
});

describe("a container to look into a pod with", () => {
  const { ephemeralcontainers: part } = podResource.subresources.parts ?? {};
  const debug = { name: "debug", image: "busybox" };
  const withDebug = (...containers: object[]): Pod => {
    const made = pod({ spec: "{ephemeralContainers: [{name: debug, image: busybox}]}" });
    const [first] = made.spec.ephemeralContainers ?? [];
    return {
      ...made,
      spec: {
        ...made.spec,
        ephemeralContainers: containers.map((each) => ({ ...first, ...each })) as never,
      },
    };
  };
  const update = (next: Pod, previous: Pod) =>
    (part?.validateUpdate(next, previous) ?? []).map(({ path, detail }) => `${path}: ${detail}`);

  test("may come, and stays as it is", () => {
    expect(update(withDebug(debug), pod({}))).toEqual([]);
    expect(update(withDebug(), withDebug(debug))).toEqual([
      'spec.ephemeralContainers: existing ephemeral containers "debug" may not be removed\n',
    ]);
    const [changed] = update(withDebug({ ...debug, image: "nginx" }), withDebug(debug));
    expect(changed).toContain(
      'existing ephemeral containers "debug" may not be changed\n@@ -1,5 +1,5 @@\n {\n- "image": "busybox",\n+ "image": "nginx",\n',
    );
  });

  test("is all that is written", () => {
    const previous = pod({});
    const draft = structuredClone(withDebug(debug)) as never as Draft<Pod>;
    draft.spec.hostNetwork = true;
    draft.metadata.labels = { a: "b" };
    part?.prepareUpdate(draft, previous, 0);
    expect(draft.spec.hostNetwork).toBe(undefined);
    expect(draft.metadata.labels).toBe(undefined);
    expect(draft.spec.ephemeralContainers).toHaveLength(1);
  });

  test("is not for the kubelet's own pods", () => {
    const made = pod({ spec: "{nodeName: a}" });
    const own: Pod = {
      ...made,
      metadata: { ...made.metadata, annotations: { "kubernetes.io/config.mirror": "a" } },
    };
    expect(update(own, own)).toEqual([": static pods do not support ephemeral containers"]);
  });
});

describe("a resize", () => {
  const { resize: part } = podResource.subresources.parts ?? {};
  const asking = (resources: string, more = "") =>
    pod({ container: `{resources: ${resources}${more}}` });
  const before = asking("{requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 2}}");
  const resize = (next: Pod, previous = before) => {
    const draft = structuredClone(next) as never as Draft<Pod>;
    part?.prepareUpdate(draft, previous, 0);
    return (part?.validateUpdate(draft as Pod, previous) ?? []).map(
      ({ path, detail }) => `${path}: ${detail}`,
    );
  };

  test("changes how much CPU and memory a container has", () => {
    expect(resize(asking("{requests: {cpu: 1500m, memory: 2Gi}, limits: {cpu: 3}}"))).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    [
      "{limits: {cpu: 2}}",
      "",
      ["spec.containers[0].resources.requests: resource requests cannot be removed"],
    ],
    [
      "{requests: {cpu: 1, memory: 1Gi}}",
      "",
      ["spec.containers[0].resources.limits: resource limits cannot be removed"],
    ],
    [
      "{requests: {cpu: 2, memory: 1Gi}, limits: {cpu: 2, memory: 1Gi}}",
      "",
      ["spec: Pod QOS Class may not change as a result of resizing"],
    ],
    [
      "{requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}, limits: {cpu: 2}}",
      "",
      ["spec: only cpu and memory resources are mutable"],
    ],
    [
      "{requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 2}}",
      ", resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]",
      ["spec: only cpu and memory resources are mutable"],
    ],
  ])("to %s%s", (resources, more, expected) => {
    expect(resize(asking(resources, more))).toEqual(expected);
  });

  test("is all that is written", () => {
    const draft = structuredClone(before) as never as Draft<Pod>;
    draft.spec.hostNetwork = true;
    const [container] = draft.spec.containers;
    if (container !== undefined) container.image = "other";
    part?.prepareUpdate(draft, before, 0);
    expect(draft.spec).toEqual(before.spec);
  });

  test("neither adds nor renames a container", () => {
    const renamed = { ...before, spec: { ...before.spec, containers: [] } };
    expect(resize(renamed)).toContain(
      "spec.containers: containers may not be added or removed on resize",
    );
  });

  test("needs a node that can", () => {
    const running: Pod = {
      ...before,
      status: {
        ...before.status,
        containerStatuses: [
          {
            name: "web",
            image: "nginx",
            imageID: "",
            lastState: {},
            ready: true,
            restartCount: 0,
            state: { running: {} },
          },
        ],
      },
    };
    expect(resize(before, running)).toEqual([
      "spec: Pod running on node without support for resize",
    ]);
  });
});

describe("what is said of a pod's state", () => {
  const placed = (spec: string, status: PodStatus): Pod => ({ ...pod({ spec }), status });
  const say = (next: PodStatus, previous: PodStatus = {}, spec = "{restartPolicy: Never}") =>
    (podResource.validateStatusUpdate?.(placed(spec, next), placed(spec, previous)) ?? []).map(
      ({ path, detail }) => `${path}: ${detail}`,
    );
  const status = (state: ContainerStatus["state"]): ContainerStatus => ({
    name: "web",
    image: "nginx",
    imageID: "",
    lastState: {},
    ready: false,
    restartCount: 0,
    state,
  });
  const ended = (exitCode: number) => ({
    containerStatuses: [status({ terminated: { exitCode } })],
  });
  const running = { containerStatuses: [status({ running: {} })] };

  test.each<[string, string, number, boolean]>([
    ["never", "{restartPolicy: Never}", 1, false],
    ["on failure, after one", "{restartPolicy: OnFailure}", 1, true],
    ["on failure, after success", "{restartPolicy: OnFailure}", 0, false],
    ["always", "{restartPolicy: Always}", 0, true],
  ])("a container that ended runs again: %s", (_, spec, exitCode, allowed) => {
    expect(say(running, ended(exitCode), spec)).toEqual(
      allowed
        ? []
        : ["status.containerStatuses[0].state: may not be transitioned to non-terminated state"],
    );
  });

  test("is held to a few rules", () => {
    expect(say({ podIPs: [{ ip: "10.0.0.256" }] })).toEqual([
      "status.podIPs[0]: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
    ]);
    expect(say({ podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] })).toEqual([
      "status.podIPs: may specify no more than one IP for each IP family",
    ]);
    expect(say({ hostIP: "10.0.0.1", hostIPs: [{ ip: "10.0.0.2" }] })).toEqual([
      "status.hostIPs[0].ip: must be equal to `hostIP`",
    ]);
    expect(say({ nominatedNodeName: "a" }, {}, "{nodeName: b}")).toEqual([
      "status.nominatedNodeName: may not be set on pods that are already bound to a node",
    ]);
    expect(say({ conditions: [{ type: "not a name", status: "True" }] })[0]).toMatch(
      /^status\.conditions\[0\]\.Type: name part must consist of/,
    );
    expect(say({ resourceClaimStatuses: [{ name: "gpu" }] })).toEqual([
      "status.resourceClaimStatuses[0].name: must match the name of an entry in `spec.resourceClaims`",
    ]);
  });
});

describe("a write of the status", () => {
  const stored: Pod = {
    ...pod({}),
    status: {
      phase: "Running",
      qosClass: "BestEffort",
      observedGeneration: 2,
      conditions: [{ type: "Ready", status: "True", observedGeneration: 2 }],
    },
  };

  test("leaves what it does not speak of", () => {
    const draft = structuredClone({
      ...stored,
      status: { phase: "Running", conditions: [{ type: "Ready", status: "False" }] },
    });
    podResource.prepareStatusUpdate?.(draft as never, stored, 0);
    expect(draft.status).toEqual({
      ...stored.status,
      conditions: [{ type: "Ready", status: "False", observedGeneration: 2 }],
    });
  });

  test("does not change the quality of service", () => {
    const next: Pod = { ...stored, status: { ...stored.status, qosClass: "Guaranteed" } };
    expect(podResource.validateStatusUpdate?.(next, stored)).toMatchObject([
      { path: "status.qosClass", detail: "field is immutable" },
    ]);
    expect(podResource.validateStatusUpdate?.(stored, stored)).toEqual([]);
  });
});
