import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import { endpointsResource } from "./endpoints.ts";
import { endpointSliceResource } from "./endpointslice.ts";

const noIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

// ---- Endpoints ---------------------------------------------------------------

const endpointsYaml = (subset: string, labels = "") =>
  `{apiVersion: v1, kind: Endpoints, metadata: {name: a, labels: {${labels}}}, subsets: [${subset}]}`;
const endpoints = (subset: string, labels = "") =>
  createdFromYaml(endpointsResource, endpointsYaml(subset, labels));

describe("Endpoints are refused for", () => {
  const at = "subsets[0]";
  test.each<[string, string[]]>([
    ["{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}", []],
    ["{}", [`${at}: Required value: must specify \`addresses\` or \`notReadyAddresses\``]],
    [
      "{addresses: [{ip: x}], notReadyAddresses: [{ip: 127.0.0.1, hostname: A.b, nodeName: A}]}",
      [
        `${at}.addresses[0].ip: Invalid value: "x": ${noIp}`,
        `${at}.addresses[0].ip: Invalid value: "x": must be a valid IP address`,
        expect.stringMatching(
          /^subsets\[0\]\.notReadyAddresses\[0\]\.hostname: Invalid value: "A\.b"/,
        ),
        expect.stringMatching(
          /^subsets\[0\]\.notReadyAddresses\[0\]\.nodeName: Invalid value: "A"/,
        ),
        `${at}.notReadyAddresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`,
      ],
    ],
    [
      "{addresses: [{ip: 10.0.0.1}], ports: [{port: 0, protocol: ICMP}, {name: b, port: 81}]}",
      [
        `${at}.ports[0].name: Required value`,
        `${at}.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive`,
        `${at}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
      ],
    ],
  ])("%s", (subset, expected) => {
    expect(refusalsOf(endpointsResource, endpoints(subset))).toEqual(expected);
  });

  test("nothing that was let pass before", () => {
    const old = endpoints("{addresses: [{ip: 127.0.0.1}]}");
    expect(
      updateRefusalsOf(endpointsResource, old, endpointsYaml("{addresses: [{ip: 127.0.0.1}]}")),
    ).toEqual([]);
    expect(
      updateRefusalsOf(endpointsResource, old, endpointsYaml("{addresses: [{ip: 127.0.0.2}]}")),
    ).toHaveLength(1);
  });
});

test("of an address that is not written as it should be is warned, where somebody wrote it", () => {
  const subset = "{addresses: [{ip: '2001:DB8::1'}]}";
  expect(endpointsResource.warnings?.(endpoints(subset), undefined)).toEqual([
    'subsets[0].addresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);
  const own = endpoints(subset, "endpoints.kubernetes.io/managed-by: endpoint-controller");
  expect(endpointsResource.warnings?.(own, undefined)).toEqual([]);
});

// ---- EndpointSlice -----------------------------------------------------------

const sliceYaml = (rest: string, labels = "") =>
  `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a, labels: {${labels}}}, ${rest}}`;
const slice = (rest: string, labels = "") =>
  createdFromYaml(endpointSliceResource, sliceYaml(rest, labels));
const v4 = "addressType: IPv4, endpoints: ";

describe("an EndpointSlice is refused for", () => {
  const at = "endpoints[0]";
  const hint = (names: string) => `${v4}[{addresses: [10.0.0.1], hints: {forZones: [${names}]}}]`;
  test.each<[string, string[]]>([
    [`${v4}[{addresses: [10.0.0.1]}], ports: [{port: 80}]`, []],
    ["addressType: FQDN, endpoints: [{addresses: [a.b.]}]", []],
    ["endpoints: []", ["addressType: Required value"]],
    [
      "addressType: IPv5",
      ['addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
    [`${v4}[{}]`, [`${at}.addresses: Required value: must contain at least 1 address`]],
    [
      `${v4}[{addresses: [x, '2001:db8::1', 127.0.0.1, 010.0.0.1]}]`,
      [
        `${at}.addresses[0]: Invalid value: "x": ${noIp}`,
        `${at}.addresses[1]: Invalid value: "2001:db8::1": must be an IPv4 address`,
        `${at}.addresses[2]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`,
        `${at}.addresses[3]: Invalid value: "010.0.0.1": must not have leading 0s`,
      ],
    ],
    [
      "addressType: FQDN, endpoints: [{addresses: [a, '']}]",
      [
        `${at}.addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots`,
        `${at}.addresses[1]: Required value`,
      ],
    ],
    [
      `${v4}[{addresses: [${Array.from({ length: 101 }, (_, index) => `10.0.1.${index}`).join(", ")}]}]`,
      [`${at}.addresses: Too many: 101: must have at most 100 items`],
    ],
    [
      hint("{name: a}, {name: a}, {name: 'a b'}"),
      [
        `${at}.hints.forZones[1].name: Duplicate value: "a"`,
        expect.stringMatching(/^endpoints\[0\]\.hints\.forZones\[2\]\.name: Invalid value: "a b"/),
      ],
    ],
    [
      hint(Array.from({ length: 9 }, (_, index) => `{name: z${index}}`).join(", ")),
      [`${at}.hints.forZones: Too many: 9: must have at most 8 items`],
    ],
    [
      `${v4}[], ports: [{name: a}, {name: a, protocol: ICMP}, {appProtocol: 'a b'}]`,
      [
        'ports[1].name: Duplicate value: "a"',
        'ports[1].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        expect.stringMatching(/^ports\[2\]\.appProtocol: Invalid value: "a b"/),
      ],
    ],
  ])("%s", (rest, expected) => {
    expect(refusalsOf(endpointSliceResource, slice(rest))).toEqual(expected);
  });

  test("addresses of another type than before", () => {
    const before = slice(`${v4}[]`);
    expect(
      updateRefusalsOf(
        endpointSliceResource,
        before,
        sliceYaml("addressType: IPv6, endpoints: []"),
      ),
    ).toEqual(['addressType: Invalid value: "IPv6": field is immutable']);
  });
});

test("an EndpointSlice counts the changes of what it says, its labels included", () => {
  const one = slice(`${v4}[{addresses: [10.0.0.1], deprecatedTopology: {zone: a}}]`);
  expect(one.endpoints?.[0]).not.toHaveProperty("deprecatedTopology");
  const { generationChanged } = endpointSliceResource;
  expect(generationChanged?.(one, one)).toBe(false);
  expect(generationChanged?.(slice(`${v4}[{addresses: [10.0.0.2]}]`), one)).toBe(true);
  expect(generationChanged?.(slice(`${v4}[{addresses: [10.0.0.1]}]`, "a: b"), one)).toBe(true);
});

test("of names in place of addresses is warned", () => {
  expect(
    endpointSliceResource.warnings?.(slice("addressType: FQDN, endpoints: []"), undefined),
  ).toEqual(["spec.addressType: FQDN endpoints are deprecated"]);
});
