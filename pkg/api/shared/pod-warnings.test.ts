import { describe, expect, test } from "vitest";
import { decodeYaml } from "../../../test/support/decode-yaml.ts";
import { podTemplateResource } from "../resources/podtemplate.ts";
import { podWarnings } from "./pod-warnings.ts";

/** What is said of a pod's spec, whose first container may say more. */
function warningsOf(spec: string, container = "", metadata = "{}", path = ""): readonly string[] {
  const { template } = decodeYaml(
    podTemplateResource,
    `{apiVersion: v1, kind: PodTemplate, metadata: {name: a}, template: {metadata: ${metadata}, spec: {containers: [{name: web, image: nginx${container}}]${spec}}}}`,
  );
  return podWarnings(template, path);
}

describe("what will probably not do what was meant is said", () => {
  test.each<[string, string[]]>([
    ["", []],
    [
      ", nodeSelector: {beta.kubernetes.io/os: linux}",
      [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
      ],
    ],
    [
      ", topologySpreadConstraints: [{maxSkew: 1, topologyKey: failure-domain.beta.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule}]",
      [
        'spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
        "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
      ],
    ],
    [
      ", affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: a}}]}}",
      [
        "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod",
      ],
    ],
    [
      ", affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: In, values: ['-']}]}}]}}",
      [
        "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values[0]: - is invalid, a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
    ],
    [
      ", volumes: [{name: a, glusterfs: {endpoints: e, path: p}}]",
      ["spec.volumes[0].glusterfs: deprecated in v1.25, non-functional in v1.26+"],
    ],
    [
      ", volumes: [{name: a, configMap: {name: c, items: [{key: a, path: p}, {key: b, path: p/q}]}}]",
      ['volume "a" (ConfigMap "c"): overlapping paths: "p/q" with "p"'],
    ],
    [
      ", volumes: [{name: a, projected: {sources: [{secret: {name: s, items: [{key: a, path: token}]}}, {serviceAccountToken: {path: token}}]}}]",
      [
        'volume "a" (Projected): overlapping paths: "token" (ServiceAccountToken) with "token" (Secret "s")',
      ],
    ],
    [
      ", hostAliases: [{ip: 10.0.0.1}, {ip: 10.0.0.1}], imagePullSecrets: [{name: a}, {name: a}, {}]",
      [
        'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
        'spec.imagePullSecrets[1].name: duplicate name "a"',
        'spec.imagePullSecrets[2].name: invalid empty name ""',
      ],
    ],
    [
      ", overhead: {memory: 100m}",
      ['spec.overhead[memory]: fractional byte value "100m" is invalid, must be an integer'],
    ],
    [
      ", terminationGracePeriodSeconds: -1",
      [
        "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
      ],
    ],
  ])("of a spec%s", (spec, expected) => {
    expect(warningsOf(spec)).toEqual(expected);
  });

  test.each<[string, string[]]>([
    [
      ", resources: {limits: {memory: 1500m}}",
      [
        'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
      ],
    ],
    [
      ", env: [{name: A, value: a}, {name: A, value: '$(A)b'}, {name: A, value: '$(A)'}]",
      [
        'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
      ],
    ],
    [
      ", ports: [{containerPort: 80, hostIP: 10.0.0.1}]",
      [
        "spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}",
      ],
    ],
    [
      ", ports: [{containerPort: 80}, {containerPort: 80}, {containerPort: 80, hostPort: 8080}]",
      [
        "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]",
        "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]",
      ],
    ],
    [
      ", ports: [{containerPort: 80, name: a}, {containerPort: 81, name: a}]",
      [
        'spec.containers[0].ports[1]: duplicate port name "a" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
      ],
    ],
  ])("of a container%s", (container, expected) => {
    expect(warningsOf("", container)).toEqual(expected);
  });

  test("of annotations that do nothing any more", () => {
    const metadata =
      "{annotations: {scheduler.alpha.kubernetes.io/critical-pod: '', container.apparmor.security.beta.kubernetes.io/web: runtime/default, seccomp.security.alpha.kubernetes.io/pod: a}}";
    expect(warningsOf("", "", metadata, "spec.template")).toEqual([
      'spec.template.metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
      'spec.template.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/web]: deprecated since v1.30; use the "appArmorProfile" field instead',
    ]);
  });
});
