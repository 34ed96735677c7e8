import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  decodeYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import type { ServiceCIDR } from "../generated/networking-v1.generated.ts";
import type { KubernetesObject } from "../object.ts";
import type { ResourceDefinition } from "../resource.ts";
import { ingressResource } from "./ingress.ts";
import { ingressClassResource } from "./ingressclass.ts";
import { ipAddressResource } from "./ipaddress.ts";
import { networkPolicyResource } from "./networkpolicy.ts";
import { serviceCIDRResource } from "./servicecidr.ts";

const head = (kind: string, metadata = "name: a") =>
  `apiVersion: networking.k8s.io/v1, kind: ${kind}, metadata: {${metadata}}`;

const yaml = (kind: string, spec: string) => `{${head(kind)}, spec: ${spec}}`;

function cells<T extends KubernetesObject>(resource: ResourceDefinition<T>, object: T) {
  return Object.fromEntries(resource.columns.map(({ name, cell }) => [name, cell(object, 0)]));
}

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const wildcard =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

// ---- Ingress -----------------------------------------------------------------

const ingress = (spec: string) => createdFromYaml(ingressResource, yaml("Ingress", spec));
const web = "{service: {name: web, port: {number: 80}}}";
const at = "spec.rules[0].http.paths[0]";
const path = (rest: string) => `{rules: [{http: {paths: [${rest}]}}]}`;

describe("an Ingress is refused for", () => {
  test.each<[string, string[]]>([
    [`{defaultBackend: ${web}}`, []],
    [path(`{path: /, pathType: Prefix, backend: ${web}}`), []],
    [path(`{pathType: ImplementationSpecific, backend: ${web}}`), []],
    ["{}", ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]],
    [
      "{defaultBackend: {}}",
      ['spec.defaultBackend: Invalid value: "": resource or service backend is required'],
    ],
    [
      "{defaultBackend: {service: {name: web, port: {number: 80}}, resource: {kind: A, name: b}}}",
      ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
    ],
    [
      "{defaultBackend: {service: {name: '', port: {}}}}",
      [
        "spec.defaultBackend.service.name: Required value",
        "spec.defaultBackend: Required value: port name or number is required",
      ],
    ],
    [
      "{defaultBackend: {service: {name: web, port: {name: http, number: 80}}}}",
      ['spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
    ],
    [
      "{defaultBackend: {service: {name: 1web, port: {number: 70000}}}}",
      [
        "spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive",
      ],
    ],
    [
      "{defaultBackend: {service: {name: web, port: {name: '80'}}}}",
      [
        'spec.defaultBackend.service.port.name: Invalid value: "80": must contain at least one letter (a-z)',
      ],
    ],
    [
      "{defaultBackend: {resource: {apiGroup: A, kind: '', name: a/b}}}",
      [
        `spec.defaultBackend.resource.apiGroup: Invalid value: "A": ${subdomain}`,
        "spec.defaultBackend.resource.kind: Required value",
        `spec.defaultBackend.resource.name: Invalid value: "a/b": may not contain '/'`,
      ],
    ],
    ["{rules: [{http: {paths: []}}]}", ["spec.rules[0].http.paths: Required value"]],
    [
      "{rules: [{host: 10.0.0.1}, {host: 'a.*'}, {host: '*.example.com'}, {host: A}]}",
      [
        'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        `spec.rules[1].host: Invalid value: "a.*": ${wildcard}`,
        `spec.rules[3].host: Invalid value: "A": ${subdomain}`,
      ],
    ],
    [
      path(`{path: /, backend: ${web}}`),
      [`${at}.pathType: Required value: pathType must be specified`],
    ],
    [
      path(`{path: /, pathType: Regex, backend: ${web}}`),
      [
        `${at}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
      ],
    ],
    [
      path(`{pathType: Prefix, backend: ${web}}`),
      [`${at}.path: Invalid value: "": must be an absolute path`],
    ],
    [
      path(`{path: a//b/./c%2f/.., pathType: Exact, backend: ${web}}`),
      [
        "must be an absolute path",
        "must not contain '//'",
        "must not contain '/./'",
        "must not contain '%2f'",
        "cannot end with '/..'",
      ].map((why) => `${at}.path: Invalid value: "a//b/./c%2f/..": ${why}`),
    ],
    [
      path(`{path: a, pathType: ImplementationSpecific, backend: ${web}}`),
      [`${at}.path: Invalid value: "a": must be an absolute path`],
    ],
    [
      `{defaultBackend: ${web}, tls: [{hosts: ['*.a', A], secretName: B}], ingressClassName: C}`,
      [
        `spec.tls[0].hosts[1]: Invalid value: "A": ${subdomain}`,
        `spec.tls[0].secretName: Invalid value: "B": ${subdomain}`,
        `spec.ingressClassName: Invalid value: "C": ${subdomain}`,
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(ingressResource, ingress(spec))).toEqual(expected);
  });
});

describe("the class of an Ingress", () => {
  const annotated = (name: string) =>
    createdFromYaml(
      ingressResource,
      `{${head("Ingress", "name: a, annotations: {kubernetes.io/ingress.class: nginx}")}, spec: {${name}defaultBackend: ${web}}}`,
    );

  test("is not named twice, except by one name", () => {
    const other = annotated("ingressClassName: traefik, ");
    expect(refusalsOf(ingressResource, annotated("ingressClassName: nginx, "))).toEqual([]);
    expect(refusalsOf(ingressResource, other)).toEqual([
      'annotations.kubernetes.io/ingress.class: Invalid value: "nginx": must match `ingressClassName` when both are specified',
    ]);
    expect(ingressResource.validateUpdate?.(other, other) ?? []).toEqual([]);
  });

  test("is not to be named by an annotation any more", () => {
    const object = annotated("");
    expect(ingressResource.warnings?.(object, undefined)).toEqual([
      `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`,
    ]);
    expect(ingressResource.warnings?.(object, object)).toEqual([]);
  });
});

test("the addresses of an Ingress are addresses, and names are none", () => {
  const before = ingress(`{defaultBackend: ${web}}`);
  const withStatus = (entries: readonly object[]) => ({
    ...before,
    status: { loadBalancer: { ingress: entries } },
  });
  const old = withStatus([{ ip: "010.0.0.1" }]);
  const next = withStatus([{ ip: "010.0.0.1" }, { ip: "020.0.0.1" }, { hostname: "10.0.0.1" }]);
  expect(ingressResource.validateStatusUpdate?.(next, old)).toMatchObject([
    { path: "status.loadBalancer.ingress[1].ip", detail: "must not have leading 0s" },
    {
      path: "status.loadBalancer.ingress[2].hostname",
      detail: "must be a DNS name, not an IP address",
    },
  ]);
});

test("kubectl get shows hosts, addresses and ports of an Ingress", () => {
  const hosts = ["a.b", "", "c.d", "e.f", "g.h"].map((host) => `{host: '${host}'}`).join(", ");
  const made = ingress(`{ingressClassName: nginx, rules: [${hosts}], tls: [{hosts: [a.b]}]}`);
  const status = { loadBalancer: { ingress: [{ hostname: "lb" }, { ip: "10.0.0.1" }] } };
  expect(cells(ingressResource, { ...made, status })).toMatchObject({
    Class: "nginx",
    Hosts: "a.b,c.d,e.f + 2 more...",
    Address: "10.0.0.1,lb",
    Ports: "80, 443",
  });
  expect(cells(ingressResource, ingress(`{defaultBackend: ${web}}`))).toMatchObject({
    Class: "<none>",
    Hosts: "*",
    Address: "",
    Ports: "80",
  });
});

// ---- IngressClass ------------------------------------------------------------

const ingressClass = (spec: string) =>
  createdFromYaml(ingressClassResource, yaml("IngressClass", spec));

describe("an IngressClass is refused for", () => {
  const parameters = (rest: string) => `{controller: a.io/b, parameters: {${rest}}}`;
  const noDomain = 'must be a domain-prefixed path (such as "acme.io/foo")';
  test.each<[string, string[]]>([
    ["{controller: acme.io/foo}", []],
    [parameters("kind: K, name: nn"), []],
    [parameters("kind: K, name: nn, scope: Namespace, namespace: ns"), []],
    ["{}", ["spec.controller: Required value"]],
    ["{controller: foo}", [`spec.controller: Invalid value: "foo": ${noDomain}`]],
    ["{controller: foo/}", [`spec.controller: Invalid value: "foo/": ${noDomain}`]],
    [
      "{controller: 'A/b c'}",
      [
        `spec.controller: Invalid value: "A": ${subdomain}`,
        `spec.controller: Invalid value: "b c": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
      ],
    ],
    [
      `{controller: a/${"b".repeat(249)}}`,
      ["spec.controller: Too long: may not be more than 250 bytes"],
    ],
    [
      parameters("apiGroup: A, kind: '', name: ''"),
      [
        `spec.parameters.apiGroup: Invalid value: "A": ${subdomain}`,
        "spec.parameters.kind: Required value",
        "spec.parameters.name: Required value",
      ],
    ],
    [
      parameters("kind: K, name: nn, scope: Planet"),
      [
        'spec.parameters.scope: Unsupported value: "Planet": supported values: "Cluster", "Namespace"',
      ],
    ],
    [
      parameters("kind: K, name: nn, namespace: ns"),
      ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
    ],
    [
      parameters("kind: K, name: nn, scope: Namespace"),
      ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(ingressClassResource, ingressClass(spec))).toEqual(expected);
  });

  test("another controller", () => {
    const before = ingressClass("{controller: a.io/b}");
    const next = yaml("IngressClass", "{controller: a.io/c}");
    expect(updateRefusalsOf(ingressClassResource, before, next)).toEqual([
      'spec.controller: Invalid value: "a.io/c": field is immutable',
    ]);
  });
});

test("kubectl get shows whose an IngressClass is", () => {
  const made = ingressClass("{controller: a.io/b, parameters: {apiGroup: g, kind: K, name: nn}}");
  expect(made.spec.parameters?.scope).toBe("Cluster");
  expect(cells(ingressClassResource, made)).toMatchObject({
    Controller: "a.io/b",
    Parameters: "K.g/nn",
  });
});

// ---- NetworkPolicy -----------------------------------------------------------

const policy = (spec: string) =>
  createdFromYaml(networkPolicyResource, yaml("NetworkPolicy", spec));

test.each<[string, object]>([
  ["{podSelector: {}}", { policyTypes: ["Ingress"] }],
  ["{podSelector: {}, egress: [{}]}", { policyTypes: ["Ingress", "Egress"] }],
  ["{podSelector: {}, egress: [{}], policyTypes: [Egress]}", { policyTypes: ["Egress"] }],
  [
    "{podSelector: {}, ingress: [{ports: [{port: 80}, {port: 53, protocol: UDP}]}]}",
    {
      ingress: [
        {
          ports: [
            { port: 80, protocol: "TCP" },
            { port: 53, protocol: "UDP" },
          ],
        },
      ],
    },
  ],
])("the NetworkPolicy %s means %j", (spec, expected) => {
  expect(policy(spec).spec).toMatchObject(expected);
});

describe("a NetworkPolicy is refused for", () => {
  const from = (peer: string) => `{podSelector: {}, ingress: [{from: [${peer}]}]}`;
  const to = (port: string) => `{podSelector: {}, egress: [{ports: [${port}]}]}`;
  const port = "spec.egress[0].ports[0]";
  const peer = "spec.ingress[0].from[0]";
  test.each<[string, string[]]>([
    ["{podSelector: {matchLabels: {a: b}}}", []],
    [from("{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}"), []],
    [from("{podSelector: {}, namespaceSelector: {}}"), []],
    [to("{port: 80, endPort: 90}"), []],
    [to("{port: http}"), []],
    [
      "{podSelector: {matchExpressions: [{key: a, operator: Is}]}, policyTypes: [Sideways]}",
      [
        'spec.podSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
        'spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"',
      ],
    ],
    [
      "{podSelector: {}, policyTypes: [Ingress, Egress, Ingress]}",
      [
        'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
      ],
    ],
    [
      to("{protocol: ICMP, port: 0, endPort: 70000}"),
      [
        `${port}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`,
        `${port}.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
        `${port}.endPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
      ],
    ],
    [
      to("{port: 80, endPort: 79}"),
      [`${port}.endPort: Invalid value: 79: must be greater than or equal to \`port\``],
    ],
    [
      to("{port: '', endPort: 79}"),
      [
        `${port}.endPort: Invalid value: 79: may not be specified when \`port\` is non-numeric`,
        `${port}.port: Invalid value: "": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
        `${port}.port: Invalid value: "": must contain at least one letter (a-z)`,
      ],
    ],
    [
      to("{endPort: 79}"),
      [`${port}.endPort: Invalid value: 79: may not be specified when \`port\` is not specified`],
    ],
    [from("{}"), [`${peer}: Required value: must specify a peer`]],
    [
      from("{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}"),
      [`${peer}: Forbidden: may not specify both ipBlock and another peer`],
    ],
    [from("{ipBlock: {cidr: ''}}"), [`${peer}.ipBlock.cidr: Required value`]],
    [
      from("{ipBlock: {cidr: 10.0.0.0, except: [x]}}"),
      [
        `${peer}.ipBlock.cidr: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
      ],
    ],
    [
      from("{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8, 11.0.0.0/16, x, 10.1.1.1/16]}}"),
      [
        `${peer}.ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``,
        `${peer}.ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict subset of \`cidr\``,
        `${peer}.ipBlock.except[2]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
        `${peer}.ipBlock.except[3]: Invalid value: "10.1.1.1/16": must not have bits set beyond the prefix length`,
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(networkPolicyResource, policy(spec))).toEqual(expected);
  });

  test("no block that it had before", () => {
    const spec = from("{ipBlock: {cidr: 10.0.0.1/8}}");
    expect(
      updateRefusalsOf(networkPolicyResource, policy(spec), yaml("NetworkPolicy", spec)),
    ).toEqual([]);
    expect(networkPolicyResource.warnings?.(policy(spec), undefined)).toEqual([
      `${peer}.ipBlock.cidr: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)`,
    ]);
  });
});

test("a NetworkPolicy counts the changes of its spec", () => {
  const one = policy("{podSelector: {}}");
  const other = policy("{podSelector: {matchLabels: {a: b}}}");
  expect(networkPolicyResource.generationChanged?.(other, one)).toBe(true);
  expect(networkPolicyResource.generationChanged?.(one, one)).toBe(false);
  expect(cells(networkPolicyResource, one)).toMatchObject({ "Pod-Selector": "<none>" });
  expect(cells(networkPolicyResource, other)).toMatchObject({ "Pod-Selector": "a=b" });
});

// ---- IPAddress, ServiceCIDR --------------------------------------------------

describe("an IPAddress is refused for", () => {
  const address = (spec: string) => createdFromYaml(ipAddressResource, yaml("IPAddress", spec));
  test.each<[string, string[]]>([
    ["{parentRef: {resource: services, namespace: default, name: a}}", []],
    ["{}", ["spec.parentRef: Required value"]],
    [
      "{parentRef: {group: A, namespace: a/b}}",
      [
        `spec.parentRef.group: Invalid value: "A": ${subdomain}`,
        "spec.parentRef.resource: Required value",
        "spec.parentRef.name: Required value",
        `spec.parentRef.namespace: Invalid value: "a/b": may not contain '/'`,
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(ipAddressResource, address(spec))).toEqual(expected);
  });

  test("another parent", () => {
    const before = address("{parentRef: {resource: services, namespace: default, name: a}}");
    expect(cells(ipAddressResource, before)).toEqual({
      Name: "a",
      ParentRef: "services/default/a",
    });
    const next = yaml("IPAddress", "{parentRef: {resource: services, name: b}}");
    expect(updateRefusalsOf(ipAddressResource, before, next)).toEqual([
      'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"","Name":"b"}: field is immutable',
    ]);
  });
});

describe("a ServiceCIDR is refused for", () => {
  const block = (spec: string, name = "kubernetes") =>
    decodeYaml(
      serviceCIDRResource,
      `{${head("ServiceCIDR", `name: ${name}`)}, spec: ${spec}}`,
    ) as ServiceCIDR;
  const notUsed =
    "spec.cidrs: Forbidden: this server gives Services addresses of its --service-cidr only; a further block is refused rather than ignored";
  const one = "10.0.0.0/16";
  const twice =
    "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
  test.each<[string, string[]]>([
    [`{cidrs: [${one}]}`, []],
    [`{cidrs: [${one}, '2001:db8::/64']}`, []],
    ["{}", ["spec.cidrs: Required value: at least one CIDR required"]],
    [
      `{cidrs: [${one}, ${one}, ${one}]}`,
      [
        `spec.cidrs: Invalid value: {"CIDRs":["${one}","${one}","${one}"]}: may only hold up to 2 values`,
      ],
    ],
    [
      "{cidrs: ['2001:DB8::/64', x]}",
      [
        'spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")',
        'spec.cidrs[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
    [
      `{cidrs: [${one}, 10.1.0.0/16]}`,
      [`spec.cidrs: Invalid value: ["${one}","10.1.0.0/16"]: ${twice}`],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(serviceCIDRResource, block(spec))).toEqual(expected);
  });

  test("not being the one that the server was started with", () => {
    expect(refusalsOf(serviceCIDRResource, block(`{cidrs: [${one}]}`, "more"))).toEqual([notUsed]);
  });

  test.each<[string, string[]]>([
    [`{cidrs: [${one}]}`, []],
    [`{cidrs: [${one}, '2001:db8::/64']}`, [notUsed]],
    ["{cidrs: [10.1.0.0/16]}", ['spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable']],
    [
      `{cidrs: [10.1.0.0/16, ${one}]}`,
      [
        'spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable',
        `spec.cidrs: Invalid value: ["10.1.0.0/16","${one}"]: ${twice}`,
      ],
    ],
    ["{cidrs: []}", ["spec.cidrs: Invalid value: []: field is immutable"]],
  ])("the change to %s", (spec, expected) => {
    const before = block(`{cidrs: [${one}]}`);
    const refusals = updateRefusalsOf(serviceCIDRResource, before, yaml("ServiceCIDR", spec));
    expect(refusals).toEqual(expected);
  });
});
