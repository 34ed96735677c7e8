import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  decodeYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import { ApiError } from "../api-error.ts";
import type { ResourceClaim, ResourceClaimStatus } from "../generated/resource-v1.generated.ts";
import { deviceClassResource } from "./deviceclass.ts";
import { resourceClaimResource } from "./resourceclaim.ts";
import { resourceClaimTemplateResource } from "./resourceclaimtemplate.ts";
import { resourceSliceResource } from "./resourceslice.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");
const yaml = (kind: string, spec: string) =>
  `{apiVersion: resource.k8s.io/v1, kind: ${kind}, metadata: {name: a}, spec: ${spec}}`;
const matching = (shape: RegExp) => expect.stringMatching(shape) as unknown as string;

describe("a DeviceClass", () => {
  const deviceClass = (spec: string) =>
    createdFromYaml(deviceClassResource, yaml("DeviceClass", spec));

  test.each<[string, string[]]>([
    [
      "{selectors: [{cel: {expression: 'device.driver == \"a\"'}}], extendedResourceName: a.com/b}",
      [],
    ],
    [
      `{selectors: [{}, {cel: {expression: ${"x".repeat(10_241)}}}], extendedResourceName: cpu}`,
      [
        "spec.selectors[0].cel: Required value",
        "spec.selectors[1].cel.expression: Too long: may not be more than 10240 bytes",
        'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
      ],
    ],
    [
      `{selectors: [${"{},".repeat(33)}]}`,
      ["spec.selectors: Too many: 33: must have at most 32 items"],
    ],
    [
      "{config: [{}, {opaque: {driver: '', parameters: null}}, {opaque: {driver: a, parameters: [1]}}]}",
      [
        "spec.config[0].opaque: Required value",
        "spec.config[1].opaque.driver: Required value",
        "spec.config[1].opaque.parameters: Required value",
        'spec.config[2].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
      ],
    ],
  ])("case %#", (spec, expected) => {
    expect(refusalsOf(deviceClassResource, deviceClass(spec))).toEqual(expected);
  });
});

const claimYaml = (devices: string) => yaml("ResourceClaim", `{devices: ${devices}}`);
const claim = (devices: string) => createdFromYaml(resourceClaimResource, claimYaml(devices));

describe("a ResourceClaim", () => {
  test("asks for one device unless it says otherwise", () => {
    const made = claim(
      "{requests: [{name: a, exactly: {deviceClassName: b, tolerations: [{key: c}]}}, {name: b, firstAvailable: [{name: c, deviceClassName: d, allocationMode: All}]}]}",
    );
    expect(made.spec.devices.requests).toEqual([
      {
        name: "a",
        exactly: {
          allocationMode: "ExactCount",
          count: 1,
          deviceClassName: "b",
          tolerations: [{ key: "c", operator: "Equal" }],
        },
      },
      {
        name: "b",
        firstAvailable: [{ name: "c", deviceClassName: "d", allocationMode: "All" }],
      },
    ]);
    expect(made.status).toEqual({});
  });

  test.each<[string, string[]]>([
    [
      "{requests: [{name: a, exactly: {deviceClassName: b}}], constraints: [{requests: [a], matchAttribute: a.com/b}]}",
      [],
    ],
    [
      "{requests: [{name: A}, {name: b, exactly: {deviceClassName: ''}, firstAvailable: [{name: c}]}]}",
      [
        matching(/^spec\.devices\.requests\[0\]\.name: Invalid value: "A": a lowercase RFC 1123/),
        "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
        "spec.devices.requests[1]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set",
      ],
    ],
    [
      "{requests: [{name: a, exactly: {deviceClassName: b, count: -1}}, {name: a, exactly: {deviceClassName: b, allocationMode: All, count: 2}}, {name: c, exactly: {deviceClassName: b, allocationMode: Some}}]}",
      [
        "spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero",
        "spec.devices.requests[1].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
        'spec.devices.requests[2].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"',
        'spec.devices.requests[1]: Duplicate value: "a"',
      ],
    ],
    [
      "{requests: [{name: a, exactly: {deviceClassName: b, tolerations: [{operator: Exists, value: c}, {operator: Near, effect: Sometimes}]}}]}",
      [
        'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "c": must be empty for operator `Exists`',
        'spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Near": supported values: "Equal", "Exists"',
        'spec.devices.requests[0].exactly.tolerations[1].effect: Unsupported value: "Sometimes": supported values: "NoExecute", "NoSchedule", "None"',
      ],
    ],
    [
      "{requests: [{name: a, firstAvailable: [{name: b, deviceClassName: c}]}], config: [{requests: [a/b, a/d, x/y/z], opaque: {driver: d, parameters: {}}}]}",
      [
        "spec.devices.config[0].requests[1]: Invalid value: \"a/d\": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
        "spec.devices.config[0].requests[2]: Invalid value: \"x/y/z\": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
      ],
    ],
    [
      "{constraints: [{}, {matchAttribute: b}, {distinctAttribute: a.com/1}]}",
      [
        'spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
        'spec.devices.constraints[1].matchAttribute: Invalid value: "b": a fully qualified name must be a domain and a name separated by a slash',
        matching(
          /^spec\.devices\.constraints\[2\]\.distinctAttribute: Invalid value: "1": a valid C identifier must start with/,
        ),
      ],
    ],
  ])("case %#", (devices, expected) => {
    expect(refusalsOf(resourceClaimResource, claim(devices))).toEqual(expected);
  });

  test("asks once", () => {
    const before = claim("{requests: [{name: a, exactly: {deviceClassName: b}}]}");
    expect(updateRefusalsOf(resourceClaimResource, before, claimYaml("{}"))).toEqual([
      matching(/^spec: Invalid value: \{.*\}: field is immutable$/),
    ]);
  });

  const asking = claim("{requests: [{name: a, exactly: {deviceClassName: b}}]}");
  const allocated: ResourceClaimStatus = {
    allocation: { devices: { results: [{ request: "a", driver: "d", pool: "p", device: "x" }] } },
  };
  const problems = (status: ResourceClaimStatus, previous: ResourceClaimStatus = {}) => {
    const errors = resourceClaimResource.validateStatusUpdate?.(
      { ...asking, status },
      { ...asking, status: previous },
    );
    const causes = ApiError.invalid(resourceClaimResource, "", errors ?? []).details?.causes ?? [];
    return causes.map(({ field, message }) => `${field}: ${message}`);
  };

  test("gets its devices once, and is reserved when it has them", () => {
    const consumer = { resource: "pods", name: "web", uid: "1" };
    expect(problems(allocated)).toEqual([]);
    expect(problems({ ...allocated, reservedFor: [consumer] }, allocated)).toEqual([]);
    expect(problems({ reservedFor: [consumer] })).toEqual([
      "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
    ]);
    expect(problems({ allocation: { devices: {} } }, allocated)).toEqual([
      'status.allocation: Invalid value: {"devices":{}}: field is immutable',
    ]);
    expect(
      problems({ ...allocated, reservedFor: [consumer, { ...consumer, name: "" }] }, allocated),
    ).toEqual([
      "status.reservedFor[1].name: Required value",
      'status.reservedFor[1]: Duplicate value: "1"',
    ]);
  });

  test("gets devices that it has asked for", () => {
    const result = {
      request: "b",
      driver: "d",
      pool: "A/b",
      device: "x",
      shareID: "1",
      bindingConditions: ["a"],
    };
    expect(problems({ allocation: { devices: { results: [result] } } })).toEqual([
      "status.allocation.devices.results[0].request: Invalid value: \"b\": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
      matching(/^status\.allocation\.devices\.results\[0\]\.pool: Invalid value: "A": /),
      "status.allocation.devices.results[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions",
      'status.allocation.devices.results[0].shareID: Invalid value: "1": error validating uid: invalid UUID length: 1',
    ]);
  });

  test("is told of the devices that it has", () => {
    const device = { driver: "d", pool: "p", device: "x" };
    const told = { ...allocated, devices: [{ ...device, data: { a: 1 } }] };
    expect(problems(told, allocated)).toEqual([]);
    const other = {
      ...device,
      device: "y",
      conditions: [
        {
          type: "Ready",
          status: "Maybe" as "True",
          reason: "",
          message: "",
          lastTransitionTime: "",
        },
      ],
      networkData: { ips: ["10.0.0.1", "10.0.0.1/24", "010.0.0.1/24"] },
    };
    expect(problems({ ...allocated, devices: [other] }, allocated)).toEqual([
      'status.devices[0]: Invalid value: {"Driver":"d","Pool":"p","Device":"y","ShareID":""}: must be an allocated device in the claim',
      'status.devices[0].conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      "status.devices[0].conditions[0].lastTransitionTime: Required value",
      "status.devices[0].conditions[0].reason: Required value",
      'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
      'status.devices[0].networkData.ips[2]: Invalid value: "010.0.0.1/24": must be in canonical form ("10.0.0.1/24")',
    ]);
  });

  test("forgets what was said of devices that it has no longer", () => {
    const draft = decodeYaml(resourceClaimResource, claimYaml("{}"));
    draft.status = { devices: [{ driver: "d", pool: "p", device: "x" }] };
    const previous = { ...asking, status: allocated };
    resourceClaimResource.prepareStatusUpdate?.(draft, previous, nowMs);
    expect(draft.status).toEqual({});
  });

  test.each<[Partial<ResourceClaim["metadata"]>, ResourceClaimStatus, string]>([
    [{}, {}, "pending"],
    [{}, allocated, "allocated"],
    [
      {},
      { ...allocated, reservedFor: [{ resource: "a", name: "b", uid: "c" }] },
      "allocated,reserved",
    ],
    [{ deletionTimestamp: "2026-01-01T00:00:00Z" }, {}, "deleted"],
    [{ deletionTimestamp: "2026-01-01T00:00:00Z" }, allocated, "deleted,allocated"],
  ])("is shown with its state: %j %j", (metadata, status, expected) => {
    const made = { ...asking, metadata: { ...asking.metadata, ...metadata }, status };
    expect(resourceClaimResource.columns[1]?.cell(made, nowMs)).toBe(expected);
  });
});

describe("a ResourceClaimTemplate", () => {
  const template = (spec: string) =>
    createdFromYaml(resourceClaimTemplateResource, yaml("ResourceClaimTemplate", spec));

  test("is of a claim, with labels and annotations only", () => {
    const made = template(
      "{metadata: {labels: {a: b}}, spec: {devices: {requests: [{name: a, exactly: {deviceClassName: b}}]}}}",
    );
    expect(refusalsOf(resourceClaimTemplateResource, made)).toEqual([]);
    expect(made.spec.spec.devices.requests?.[0]?.exactly?.count).toBe(1);
    expect(
      refusalsOf(
        resourceClaimTemplateResource,
        template("{metadata: {name: a}, spec: {devices: {requests: [{name: a}]}}}"),
      ),
    ).toEqual([
      "spec.metadata.name: Forbidden: cannot be set",
      "spec.spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
    ]);
    expect(refusalsOf(resourceClaimTemplateResource, template("{}"))).toEqual([]);
  });

  test("stays as it is", () => {
    const next = yaml("ResourceClaimTemplate", "{metadata: {labels: {a: b}}}");
    expect(updateRefusalsOf(resourceClaimTemplateResource, template("{}"), next)).toEqual([
      matching(/^spec: Invalid value: \{.*\}: field is immutable$/),
    ]);
  });
});

describe("a ResourceSlice", () => {
  const sliceYaml = (spec: string) =>
    yaml("ResourceSlice", `{driver: d, pool: {name: p, resourceSliceCount: 1}, ${spec}}`);
  const slice = (spec: string) => createdFromYaml(resourceSliceResource, sliceYaml(spec));
  const device = (rest: string) => slice(`nodeName: node, devices: [{name: x, ${rest}}]`);

  test.each<[string, string[]]>([
    ["nodeName: node", []],
    ["allNodes: true", []],
    [
      "devices: []",
      [
        "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required",
      ],
    ],
    [
      "nodeName: node, allNodes: true, perDeviceNodeSelection: false",
      [
        "spec.perDeviceNodeSelection: Invalid value: false: must be either unset or set to true",
        'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
      ],
    ],
    [
      "nodeName: node, devices: [{name: x}], sharedCounters: [{name: a, counters: {}}]",
      [
        'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
        "spec.sharedCounters[0].counters: Required value",
      ],
    ],
    [
      `nodeName: node, devices: [${Array.from({ length: 129 }, (_, index) => `{name: x${index}}`).join(", ")}]`,
      ["spec.devices: Too many: 129: must have at most 128 items"],
    ],
    [
      `nodeName: node, devices: [${Array.from({ length: 65 }, (_, index) => `{name: x${index}, taints: [{key: a, effect: NoSchedule}]}`).join(", ")}]`,
      ["spec.devices: Too many: 65: must have at most 64 items"],
    ],
    [
      "perDeviceNodeSelection: true, devices: [{name: x}, {name: x, nodeName: node, allNodes: true}]",
      [
        "spec.devices[0]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
        'spec.devices[1]: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
        'spec.devices[1]: Duplicate value: "x"',
      ],
    ],
  ])("is of the devices of some nodes: case %#", (spec, expected) => {
    expect(refusalsOf(resourceSliceResource, slice(spec))).toEqual(expected);
  });

  test.each<[string, string[]]>([
    [
      "attributes: {model: {string: a}, a.com/index: {int: 1}, version: {version: 1.2.3-a.1+b}}, capacity: {memory: {value: 1Gi}}",
      [],
    ],
    [
      "attributes: {a: {}, b: {string: a, int: 1}, c: {version: one}, 1x: {bool: true}}",
      [
        'spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified',
        'spec.devices[0].attributes[b]: Invalid value: {"IntValue":1,"BoolValue":null,"StringValue":"a","VersionValue":null,"IntValues":null,"BoolValues":null,"StringValues":null,"VersionValues":null}: exactly one value must be specified',
        'spec.devices[0].attributes[c].version: Invalid value: "one": must be a string compatible with semver.org spec 2.0.0',
        matching(/^spec\.devices\[0\]\.attributes: Invalid value: "1x": a valid C identifier/),
      ],
    ],
    [
      `attributes: {a: {string: ${"x".repeat(65)}}, /b: {int: 1}, c/: {int: 1}}`,
      [
        "spec.devices[0].attributes[a].string: Too long: may not be more than 64 bytes",
        'spec.devices[0].attributes: Invalid value: "": the domain must not be empty',
        'spec.devices[0].attributes: Invalid value: "": the name must not be empty',
      ],
    ],
    [
      `attributes: {${Array.from({ length: 33 }, (_, index) => `a${index}: {int: 1}`).join(", ")}}`,
      [
        "spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32",
      ],
    ],
    [
      "taints: [{key: '', effect: ''}, {key: a, value: '-', effect: Never}]",
      [
        'spec.devices[0].taints[0].key: Invalid value: "": name part must be non-empty',
        matching(
          /^spec\.devices\[0\]\.taints\[0\]\.key: Invalid value: "": name part must consist/,
        ),
        "spec.devices[0].taints[0].effect: Required value",
        matching(/^spec\.devices\[0\]\.taints\[1\]\.value: Invalid value: "-": a valid label/),
        'spec.devices[0].taints[1].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
      ],
    ],
    [
      "nodeName: node, consumesCounters: [{counterSet: '', counters: {}}]",
      [
        "spec.devices[0].consumesCounters[0].counterSet: Required value",
        "spec.devices[0].consumesCounters[0].counters: Required value",
        "spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
      ],
    ],
    [
      "bindingConditions: [a, a, b, c, d], bindingFailureConditions: [a]",
      [
        "spec.devices[0].bindingConditions: Too many: 5: must have at most 4 items",
        'spec.devices[0].bindingConditions[1]: Duplicate value: "a"',
        'spec.devices[0].bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions',
      ],
    ],
    [
      "capacity: {memory: {value: 1Gi, requestPolicy: {}}}",
      [
        "spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true",
      ],
    ],
    [
      "allowMultipleAllocations: true, capacity: {memory: {value: 8, requestPolicy: {default: 3, validValues: [4, 2, 16, 2]}}}",
      [
        'spec.devices[0].capacity[memory].requestPolicy.validValues[1]: Invalid value: "2": values must be sorted in ascending order',
        'spec.devices[0].capacity[memory].requestPolicy.validValues[3]: Invalid value: "2": values must be sorted in ascending order',
        'spec.devices[0].capacity[memory].requestPolicy.validValues[2]: Invalid value: "16": option is larger than capacity value: 8',
        'spec.devices[0].capacity[memory].requestPolicy.validValues[3]: Duplicate value: "2"',
        'spec.devices[0].capacity[memory].requestPolicy.validValues: Invalid value: "3": default value is not valid according to the requestPolicy',
      ],
    ],
    [
      "allowMultipleAllocations: true, capacity: {memory: {value: 8, requestPolicy: {default: 4, validRange: {min: 1, max: 16, step: 2}}}}",
      [
        'spec.devices[0].capacity[memory].requestPolicy.validRange.max: Invalid value: "16": max is larger than capacity value: 8',
        'spec.devices[0].capacity[memory].requestPolicy.validRange.step: Invalid value: "4": value is not a multiple of a given step (2) from (1)',
        'spec.devices[0].capacity[memory].requestPolicy.validRange.step: Invalid value: "16": value is not a multiple of a given step (2) from (1)',
      ],
    ],
    [
      "allowMultipleAllocations: true, capacity: {memory: {value: 8, requestPolicy: {validRange: {min: 1}}}}",
      [
        "spec.devices[0].capacity[memory].requestPolicy.default: Required value: required when validRange is defined",
      ],
    ],
  ])("says what a device is: case %#", (rest, expected) => {
    expect(refusalsOf(resourceSliceResource, device(rest))).toEqual(expected);
  });

  test("has nothing of features that are off", () => {
    const made = device(
      "attributes: {a: {ints: [1]}}, nodeAllocatableResourceMappings: {cpu: {capacityKey: a}}",
    );
    expect(made.spec.devices).toEqual([{ name: "x", attributes: { a: {} } }]);
  });

  test("says since when a device is tainted", () => {
    const [tainted] = device("taints: [{key: a, effect: NoSchedule}]").spec.devices ?? [];
    expect(tainted?.taints?.[0]?.timeAdded).toBe("1970-01-01T00:00:00Z");
  });

  test("stays with its node, its driver and its pool", () => {
    const next = yaml(
      "ResourceSlice",
      "{driver: e, pool: {name: q, resourceSliceCount: 0, generation: -1}, allNodes: true}",
    );
    expect(updateRefusalsOf(resourceSliceResource, slice("nodeName: node"), next)).toEqual([
      "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
      "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero",
      'spec.pool.name: Invalid value: "q": field is immutable',
      'spec.driver: Invalid value: "e": field is immutable',
      "spec.nodeName: Invalid value: null: field is immutable",
    ]);
  });

  test("is found by its node and its driver, and shown with them", () => {
    const made = slice("nodeName: node");
    expect(resourceSliceResource.selectableFields["spec.nodeName"]?.(made)).toBe("node");
    expect(resourceSliceResource.selectableFields["spec.driver"]?.(made)).toBe("d");
    const row = resourceSliceResource.columns.map(({ cell }) => cell(made, nowMs));
    expect(row).toEqual(["a", "node", "d", "p", "<unknown>"]);
  });
});
