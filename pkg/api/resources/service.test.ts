import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  decodeYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import type { Service } from "../generated/core-v1.generated.ts";
import { serviceResource } from "./service.ts";

function service(spec: string): Service {
  return createdFromYaml(
    serviceResource,
    `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: default}, spec: ${spec}}`,
  );
}

/** As the server stores it once it has given it addresses and ports. */
function allocated(spec: string, clusterIP: string, nodePort?: number): Service {
  const made = service(spec);
  const ports = (made.spec.ports ?? []).map((port) =>
    nodePort === undefined ? port : { ...port, nodePort },
  );
  return { ...made, spec: { ...made.spec, clusterIP, clusterIPs: [clusterIP], ports } };
}

function updated(previous: Service, spec: string): Service {
  const draft = decodeYaml(
    serviceResource,
    `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: ${spec}}`,
  );
  serviceResource.prepareUpdate?.(draft, previous);
  return draft as Service;
}

test("what a client leaves out is filled in", () => {
  expect(service("{selector: {app: web}, ports: [{port: 80}]}")).toMatchObject({
    spec: {
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
    },
    status: { loadBalancer: {} },
  });
  expect(
    service("{type: NodePort, sessionAffinity: ClientIP, ports: [{port: 80}]}").spec,
  ).toMatchObject({
    externalTrafficPolicy: "Cluster",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
  });
  expect(service("{type: ExternalName, externalName: a.b}").spec.internalTrafficPolicy).toBe(
    undefined,
  );
});

const dup = (port: number) =>
  `{"Name":"","Protocol":"TCP","AppProtocol":null,"Port":${port},"TargetPort":0,"NodePort":0}`;
const noIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const noCidr = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
const onlyBalancer = "may only be used when `type` is 'LoadBalancer'";

describe("what is wrong with a service is said in upstream's words", () => {
  const port = "ports: [{port: 80}]";
  test.each<[string, string[]]>([
    [`{${port}}`, []],
    ["{clusterIP: None}", []],
    ["{}", ["spec.ports: Required value"]],
    [
      "{ports: [{port: 70000, targetPort: 80}]}",
      ["spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ],
    [
      "{ports: [{port: 80}, {port: 81}]}",
      ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ],
    [
      "{ports: [{name: a, port: 80}, {name: a, port: 80}]}",
      ['spec.ports[1].name: Duplicate value: "a"', `spec.ports[1]: Duplicate value: ${dup(80)}`],
    ],
    [
      "{ports: [{port: 80, protocol: ICMP, targetPort: a-very-long-name-of-a-port, appProtocol: a/b/c}]}",
      [
        'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        'spec.ports[0].targetPort: Invalid value: "a-very-long-name-of-a-port": must be no more than 15 characters',
        expect.stringMatching(
          /^spec\.ports\[0\]\.appProtocol: Invalid value: "a\/b\/c": a qualified name/,
        ),
      ],
    ],
    [
      "{ports: [{port: 80, nodePort: 30000}]}",
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      "{type: NodePort, ports: [{name: a, port: 80, nodePort: 30000}, {name: b, port: 81, nodePort: 30000}]}",
      ["spec.ports[1].nodePort: Duplicate value: 30000"],
    ],
    [
      `{type: Best, ${port}}`,
      [
        'spec.type: Unsupported value: "Best": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    ["{type: ExternalName}", ["spec.externalName: Required value"]],
    ["{type: ExternalName, externalName: a.b.}", []],
    [
      "{type: ExternalName, externalName: a.b, clusterIP: 10.0.0.1, ipFamilies: [IPv4], ipFamilyPolicy: SingleStack}",
      ["clusterIPs", "ipFamilies", "ipFamilyPolicy"].map(
        (field) => `spec.${field}: Forbidden: may not be set for ExternalName services`,
      ),
    ],
    [
      `{type: NodePort, clusterIP: None, ${port}}`,
      [
        "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
      ],
    ],
    [`{clusterIP: 10.0.0, ${port}}`, [`spec.clusterIPs[0]: Invalid value: "10.0.0": ${noIp}`]],
    [
      `{clusterIPs: [10.0.0.1], ${port}}`,
      [
        'spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified',
      ],
    ],
    [
      `{clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2, 10.0.0.3], ipFamilies: [IPv6, IPv6, IPv5], ipFamilyPolicy: Any, ${port}}`,
      [
        'spec.clusterIPs: Invalid value: ["10.0.0.2","10.0.0.3"]: first value must match `clusterIP`',
        'spec.ipFamilies[1]: Duplicate value: "IPv6"',
        'spec.ipFamilies[2]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
        'spec.ipFamilyPolicy: Unsupported value: "Any": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
        'spec.clusterIPs: Invalid value: ["10.0.0.2","10.0.0.3"]: may specify no more than one IP for each IP family',
        'spec.clusterIPs[0]: Invalid value: "10.0.0.2": expected an IPv6 value as indicated by `ipFamilies[0]`',
        'spec.clusterIPs[1]: Invalid value: "10.0.0.3": expected an IPv6 value as indicated by `ipFamilies[1]`',
      ],
    ],
    [
      `{clusterIP: None, clusterIPs: [None, 10.0.0.1, '::1'], ${port}}`,
      [
        `spec.clusterIPs: Invalid value: ["None","10.0.0.1","::1"]: 'None' must be the first and only value`,
        'spec.clusterIPs: Invalid value: ["None","10.0.0.1","::1"]: may only hold up to 2 values',
      ],
    ],
    [
      `{sessionAffinity: Always, ${port}}`,
      ['spec.sessionAffinity: Unsupported value: "Always": supported values: "ClientIP", "None"'],
    ],
    [
      `{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 90000}}, ${port}}`,
      [
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400",
      ],
    ],
    [
      `{externalIPs: [x, 0.0.0.0, 127.0.0.1, 169.254.1.1, 224.0.0.5, 010.0.0.1, 1.2.3.4], ${port}}`,
      [
        `spec.externalIPs[0]: Invalid value: "x": ${noIp}`,
        'spec.externalIPs[1]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
        'spec.externalIPs[2]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'spec.externalIPs[3]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
        'spec.externalIPs[4]: Invalid value: "224.0.0.5": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
        'spec.externalIPs[5]: Invalid value: "010.0.0.1": must not have leading 0s',
      ],
    ],
    [
      `{loadBalancerSourceRanges: [10.0.0.0/8, x], loadBalancerClass: a, allocateLoadBalancerNodePorts: true, ${port}}`,
      [
        `spec.LoadBalancerSourceRanges: Forbidden: ${onlyBalancer}`,
        `spec.LoadBalancerSourceRanges[1]: Invalid value: "x": ${noCidr}`,
        `spec.allocateLoadBalancerNodePorts: Forbidden: ${onlyBalancer}`,
        `spec.loadBalancerClass: Forbidden: ${onlyBalancer}`,
      ],
    ],
    [
      `{externalTrafficPolicy: Local, healthCheckNodePort: 30000, internalTrafficPolicy: Near, trafficDistribution: Far, ${port}}`,
      [
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
        'spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
      ],
    ],
    [
      `{type: LoadBalancer, externalTrafficPolicy: Near, ${port}}`,
      [
        'spec.externalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
      ],
    ],
    [
      `{type: LoadBalancer, externalTrafficPolicy: Local, ${port}}`,
      ["spec.healthCheckNodePort: Required value"],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(serviceResource, service(spec))).toEqual(expected);
  });

  test.each<[string, string[]]>([
    ["service.kubernetes.io/topology-mode: a, service.kubernetes.io/topology-aware-hints: a", []],
    [
      "service.kubernetes.io/topology-mode: a, service.kubernetes.io/topology-aware-hints: b",
      [
        'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "a": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
      ],
    ],
    [
      "service.beta.kubernetes.io/load-balancer-source-ranges: '10.0.0.0/8, x'",
      [
        `metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden: ${onlyBalancer}`,
        `metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "x": ${noCidr}`,
      ],
    ],
  ])("the annotations %s", (annotations, expected) => {
    const made = createdFromYaml(
      serviceResource,
      `{apiVersion: v1, kind: Service, metadata: {name: web, annotations: {${annotations}}}, spec: {${port}}}`,
    );
    expect(refusalsOf(serviceResource, made)).toEqual(expected);
  });
});

describe("an update keeps what the server allocated", () => {
  const before = allocated("{type: NodePort, ports: [{port: 80}]}", "10.43.0.7", 30001);

  test("address and node port", () => {
    const { spec } = updated(before, "{type: NodePort, ports: [{port: 8080, targetPort: 81}]}");
    expect(spec).toMatchObject({
      clusterIP: "10.43.0.7",
      clusterIPs: ["10.43.0.7"],
      ports: [{ nodePort: 30001, port: 8080 }],
    });
  });

  test("each port its own, by name, unless another took it", () => {
    const two = allocated(
      "{type: NodePort, ports: [{name: a, port: 80, nodePort: 30001}, {name: b, port: 81, nodePort: 30002}]}",
      "10.43.0.7",
    );
    const swapped = updated(
      two,
      "{type: NodePort, ports: [{name: b, port: 80}, {name: a, port: 81}, {name: c, port: 82}]}",
    );
    expect(swapped.spec.ports?.map(({ nodePort }) => nodePort)).toEqual([30002, 30001, undefined]);
    const taken = updated(
      two,
      "{type: NodePort, ports: [{name: a, port: 80}, {name: c, port: 82, nodePort: 30001}]}",
    );
    expect(taken.spec.ports?.map(({ nodePort }) => nodePort)).toEqual([undefined, 30001]);
  });

  test("but not what the new type has not", () => {
    const internal = updated(before, "{ports: [{port: 80, nodePort: 30001}]}");
    expect(internal.spec).toMatchObject({
      clusterIP: "10.43.0.7",
      ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
    });
    expect(internal.spec.ports?.[0]?.nodePort).toBeUndefined();
    const external = updated(
      before,
      "{type: ExternalName, externalName: a.b, clusterIP: 10.43.0.7, clusterIPs: [10.43.0.7]}",
    );
    expect(external.spec).not.toHaveProperty("clusterIP");
    expect(external.spec).not.toHaveProperty("clusterIPs");
  });

  test("nor what belongs to a load balancer, its status included", () => {
    const balancer: Service = {
      ...allocated(
        "{type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30005, loadBalancerClass: a.b/c, ports: [{port: 80}]}",
        "10.43.0.7",
        30001,
      ),
      status: { loadBalancer: { ingress: [{ ip: "1.2.3.4", ipMode: "VIP" }] } },
    };
    const draft = decodeYaml(
      serviceResource,
      "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: ClusterIP, externalTrafficPolicy: Local, healthCheckNodePort: 30005, loadBalancerClass: a.b/c, allocateLoadBalancerNodePorts: true, ports: [{port: 80, nodePort: 30001}]}}",
    );
    draft.status = { loadBalancer: { ingress: [{ ip: "1.2.3.4", ipMode: "VIP" }] } };
    serviceResource.prepareUpdate?.(draft, balancer);
    expect(serviceResource.validateUpdate?.(draft as Service, balancer)).toEqual([]);
    for (const field of [
      "externalTrafficPolicy",
      "healthCheckNodePort",
      "loadBalancerClass",
      "allocateLoadBalancerNodePorts",
    ]) {
      expect(draft.spec).not.toHaveProperty(field);
    }
    expect(draft.status).toEqual({ loadBalancer: {} });
  });

  test("unless the client said something else, which is refused", () => {
    const text =
      "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80, nodePort: 30002}]}}";
    expect(updateRefusalsOf(serviceResource, before, text)).toEqual([
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ]);
  });
});

describe("an update is refused for", () => {
  const single = allocated("{ports: [{port: 80}], ipFamilies: [IPv4]}", "10.43.0.7");
  const dual: Service = {
    ...single,
    spec: {
      ...single.spec,
      clusterIPs: ["10.43.0.7", "2001:db8::7"],
      ipFamilies: ["IPv4", "IPv6"],
      ipFamilyPolicy: "RequireDualStack",
    },
  };
  const balancer = allocated(
    "{type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30005, loadBalancerClass: a.b/c, ports: [{port: 80}]}",
    "10.43.0.7",
    30001,
  );
  const once = "may not change once set";
  test.each<[string, Service, string, string[]]>([
    ["nothing", single, "ports: [{port: 81}], ipFamilies: [IPv4]", []],
    [
      "another address",
      single,
      "clusterIP: 10.43.0.8, ports: [{port: 80}], ipFamilies: [IPv4]",
      [
        "spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset",
        "spec.clusterIPs: Required value",
      ],
    ],
    [
      "another address, by a client that sends back the list of them",
      single,
      "clusterIP: 10.43.0.8, clusterIPs: [10.43.0.7], ports: [{port: 80}], ipFamilies: [IPv4]",
      [`spec.clusterIPs[0]: Invalid value: ["10.43.0.8"]: ${once}`],
    ],
    [
      "another family",
      single,
      "ports: [{port: 80}], ipFamilies: [IPv6]",
      [
        `spec.ipFamilies[0]: Invalid value: ["IPv6"]: ${once}`,
        'spec.clusterIPs[0]: Invalid value: "10.43.0.7": expected an IPv6 value as indicated by `ipFamilies[0]`',
      ],
    ],
    [
      "giving up the second address in silence",
      dual,
      "clusterIP: 10.43.0.7, clusterIPs: [10.43.0.7], ipFamilies: [IPv4], ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]",
      [
        "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary clusterIP",
        "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary ipFamily",
      ],
    ],
    [
      "another class of load balancers, and another port for health checks",
      balancer,
      "type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30006, loadBalancerClass: a.b/d, ports: [{port: 80}]",
      [
        `spec.loadBalancerClass: Invalid value: "a.b/d": ${once}`,
        "spec.healthCheckNodePort: Forbidden: field is immutable",
      ],
    ],
  ])("%s", (_what, previous, spec, expected) => {
    const text = `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {${spec}}}`;
    expect(updateRefusalsOf(serviceResource, previous, text)).toEqual(expected);
  });

  test("nothing that was there before: old addresses stay", () => {
    const old: Service = {
      ...single,
      spec: { ...single.spec, externalIPs: ["010.0.0.1"], externalTrafficPolicy: "Cluster" },
    };
    const text =
      "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {externalIPs: [010.0.0.1, 020.0.0.1], ports: [{port: 80}], ipFamilies: [IPv4]}}";
    expect(updateRefusalsOf(serviceResource, old, text)).toEqual([
      'spec.externalIPs[1]: Invalid value: "020.0.0.1": must not have leading 0s',
    ]);
  });
});

test.each<[string, object, string[]]>([
  [
    "ClusterIP",
    { ip: "1.2.3.4" },
    ["status.loadBalancer.ingress: may only be used when `spec.type` is 'LoadBalancer'"],
  ],
  ["LoadBalancer", { ip: "1.2.3.4", ipMode: "Proxy" }, []],
  [
    "LoadBalancer",
    { ip: "x", hostname: "10.0.0.1" },
    [
      `status.loadBalancer.ingress[0].ip: ${noIp}`,
      "status.loadBalancer.ingress[0].ipMode: must be specified when `ip` is set",
      "status.loadBalancer.ingress[0].hostname: must be a DNS name, not an IP address",
    ],
  ],
  [
    "LoadBalancer",
    { hostname: "a.b", ipMode: "VIP" },
    ["status.loadBalancer.ingress[0].ipMode: may not be specified when `ip` is not set"],
  ],
  [
    "LoadBalancer",
    { ip: "1.2.3.4", ipMode: "Vip" },
    ['status.loadBalancer.ingress[0].ipMode: supported values: "Proxy", "VIP"'],
  ],
])("the status of a %s with %j is refused for %j", (type, ingress, expected) => {
  const before = service(`{type: ${type}, ports: [{port: 80}]}`);
  const next = { ...before, status: { loadBalancer: { ingress: [ingress] } } } as Service;
  const errors = serviceResource.validateStatusUpdate?.(next, before) ?? [];
  expect(errors.map(({ path, detail }) => `${path}: ${detail}`)).toEqual(expected);
});

test.each<[string, string[]]>([
  ["{ports: [{port: 80}]}", []],
  [
    "{clusterIP: None, loadBalancerIP: 1.2.3.4, externalIPs: [1.2.3.4], sessionAffinity: ClientIP}",
    [
      "spec.loadBalancerIP is ignored for headless services",
      "spec.externalIPs is ignored for headless services",
      "spec.SessionAffinity is ignored for headless services",
    ],
  ],
  [
    "{externalIPs: [1.2.3.4], externalName: a.b, trafficDistribution: PreferClose}",
    [
      "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
      'spec.externalName is ignored when spec.type is not "ExternalName"',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ],
  [
    "{type: ExternalName, externalName: a.b, externalIPs: [1.2.3.4]}",
    ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
  ],
  [
    "{type: LoadBalancer, loadBalancerIP: '2001:DB8::1', loadBalancerSourceRanges: [10.0.0.1/8]}",
    [
      'spec.loadBalancerIP: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
    ],
  ],
])("of the service %s is warned: %j", (spec, expected) => {
  expect(serviceResource.warnings?.(service(spec), undefined)).toEqual(expected);
});

test("kubectl get services", () => {
  const object: Service = {
    ...allocated(
      "{type: NodePort, ports: [{port: 80}], selector: {b: c, a: b}}",
      "10.43.0.7",
      30001,
    ),
    metadata: {
      name: "web",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
  };
  const nowMs = Date.parse("2026-01-03T00:00:00Z");
  expect(serviceResource.columns.map((column) => column.cell(object, nowMs))).toEqual([
    "web",
    "NodePort",
    "10.43.0.7",
    "<none>",
    "80:30001/TCP",
    "2d",
    "a=b,b=c",
  ]);
});

test("as many families as a body has room for are looked through once", () => {
  const object = service("{ports: [{port: 80, protocol: TCP}]}");
  const distinct = Array.from({ length: 300_000 }, (_, index) => `IPv${index}`);
  const ipFamilies = [...distinct, "IPv4"] as NonNullable<Service["spec"]["ipFamilies"]>;
  const errors = serviceResource.validateCreate?.({
    ...object,
    spec: { ...object.spec, ipFamilies },
  });
  expect(errors?.filter(({ type }) => type === "Duplicate value")).toEqual([
    expect.objectContaining({ path: "spec.ipFamilies[300000]", value: "IPv4" }),
  ]);
});
