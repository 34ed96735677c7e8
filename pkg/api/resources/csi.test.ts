import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import { csiDriverResource } from "./csidriver.ts";
import { csiNodeResource } from "./csinode.ts";
import { csiStorageCapacityResource } from "./csistoragecapacity.ts";
import { volumeAttributesClassResource } from "./volumeattributesclass.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");
const yaml = (kind: string, rest: string) =>
  `{apiVersion: storage.k8s.io/v1, kind: ${kind}, metadata: {name: a}, ${rest}}`;

const driver = (spec: string) =>
  createdFromYaml(csiDriverResource, yaml("CSIDriver", `spec: ${spec}`));

describe("a CSIDriver", () => {
  test("attaches volumes and says nothing more, unless it says otherwise", () => {
    expect(driver("{preventPodSchedulingIfMissing: true}").spec).toEqual({
      attachRequired: true,
      fsGroupPolicy: "ReadWriteOnceWithFSType",
      podInfoOnMount: false,
      requiresRepublish: false,
      seLinuxMount: false,
      storageCapacity: false,
      volumeLifecycleModes: ["Persistent"],
    });
  });

  test.each<[string, string[]]>([
    ["{tokenRequests: [{audience: a, expirationSeconds: 600}]}", []],
    [
      "{fsGroupPolicy: Sometimes, volumeLifecycleModes: [Forever], nodeAllocatableUpdatePeriodSeconds: 9, serviceAccountTokenInSecrets: false}",
      [
        'spec.fsGroupPolicy: Unsupported value: "Sometimes": supported values: "File", "None", "ReadWriteOnceWithFSType"',
        'spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral"',
        "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds",
        "spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified",
      ],
    ],
    [
      "{tokenRequests: [{audience: a, expirationSeconds: 599}, {audience: a}, {audience: b, expirationSeconds: 4294967297}]}",
      [
        "spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
        "spec.tokenRequests[2].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(csiDriverResource, driver(spec))).toEqual(expected);
  });

  test("attaches as it did when volumes were made by it", () => {
    const change = (spec: string) =>
      updateRefusalsOf(csiDriverResource, driver("{}"), yaml("CSIDriver", `spec: ${spec}`));
    expect(change("{podInfoOnMount: true}")).toEqual([]);
    expect(change("{attachRequired: false, volumeLifecycleModes: [Ephemeral]}")).toEqual([
      "spec.attachedRequired: Invalid value: false: field is immutable",
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ]);
  });

  test("counts the changes of its spec, from the first one on", () => {
    expect(csiDriverResource.countsGenerations).toBe(false);
    const changed = csiDriverResource.generationChanged?.(
      driver("{podInfoOnMount: true}"),
      driver("{}"),
    );
    expect(changed).toBe(true);
    expect(csiDriverResource.generationChanged?.(driver("{}"), driver("{}"))).toBe(false);
  });

  test("is advised when it asks for tokens", () => {
    const asking = driver("{tokenRequests: [{audience: a}]}");
    expect(csiDriverResource.warnings?.(asking, undefined)).toHaveLength(1);
    expect(csiDriverResource.warnings?.(asking, asking)).toEqual([]);
    const answered = driver("{tokenRequests: [{audience: a}], serviceAccountTokenInSecrets: true}");
    expect(csiDriverResource.warnings?.(answered, undefined)).toEqual([]);
  });

  test("is shown with what it asks for", () => {
    const shown = (spec: string) =>
      csiDriverResource.columns.map(({ cell }) => cell(driver(spec), nowMs));
    expect(shown("{}")).toEqual([
      ...["a", true, false, false, "<unset>", false, "Persistent", "<unknown>"],
    ]);
    expect(shown("{tokenRequests: [{audience: a}, {audience: b}]}")[4]).toBe("a,b");
  });
});

const node = (drivers: string) =>
  createdFromYaml(csiNodeResource, yaml("CSINode", `spec: {drivers: ${drivers}}`));

describe("a CSINode", () => {
  test.each<[string, string[]]>([
    ["[]", []],
    ["[{name: a.com, nodeID: one, topologyKeys: [a.com/zone], allocatable: {count: 0}}]", []],
    [
      `[{name: a, nodeID: ''}, {name: a, nodeID: ${"n".repeat(257)}, allocatable: {count: -1}, topologyKeys: [x, x]}]`,
      [
        "spec.drivers[0].nodeID: Required value",
        expect.stringMatching(
          /^spec\.drivers\[1\]\.nodeID: Invalid value: "n+": must be 256 characters or less$/,
        ) as unknown as string,
        "spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0",
        'spec.drivers[1].name: Duplicate value: "a"',
        'spec.drivers[1]: Duplicate value: "x"',
      ],
    ],
  ])("case %#", (drivers, expected) => {
    expect(refusalsOf(csiNodeResource, node(drivers))).toEqual(expected);
  });

  test("keeps what a driver has said of it, but for how much it can attach", () => {
    const change = (drivers: string) =>
      updateRefusalsOf(
        csiNodeResource,
        node("[{name: a, nodeID: one, allocatable: {count: 1}}]"),
        yaml("CSINode", `spec: {drivers: ${drivers}}`),
      );
    expect(change("[{name: a, nodeID: one, allocatable: {count: 2}}]")).toEqual([]);
    expect(change("[]")).toEqual([]);
    expect(change("[{name: a, nodeID: two}]")).toEqual([
      'spec.drivers: Invalid value: {"Name":"a","NodeID":"two","TopologyKeys":null,"Allocatable":null}: field is immutable',
    ]);
  });

  test("is shown with the number of its drivers", () => {
    const row = csiNodeResource.columns.map(({ cell }) => cell(node("[{name: a}]"), nowMs));
    expect(row).toEqual(["a", 1, "<unknown>"]);
    const empty = createdFromYaml(csiNodeResource, yaml("CSINode", "spec: {}"));
    expect(refusalsOf(csiNodeResource, empty)).toEqual([]);
    expect(csiNodeResource.columns[1]?.cell(empty, nowMs)).toBe(0);
  });
});

const capacityYaml = (rest: string) =>
  `{apiVersion: storage.k8s.io/v1, kind: CSIStorageCapacity, metadata: {name: a, namespace: b}, ${rest}}`;
const capacity = (rest: string) => createdFromYaml(csiStorageCapacityResource, capacityYaml(rest));

describe("a CSIStorageCapacity", () => {
  test.each<[string, string[]]>([
    ["storageClassName: a, capacity: 1Gi, nodeTopology: {matchLabels: {a: b}}", []],
    [
      "storageClassName: a, capacity: -1",
      ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
    ],
    [
      "storageClassName: a, nodeTopology: {matchExpressions: [{key: a, operator: In}]}",
      [
        "nodeTopology.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      ],
    ],
  ])("%s", (rest, expected) => {
    expect(refusalsOf(csiStorageCapacityResource, capacity(rest))).toEqual(expected);
  });

  test("keeps what it is about", () => {
    const change = (rest: string) =>
      updateRefusalsOf(
        csiStorageCapacityResource,
        capacity("storageClassName: a, nodeTopology: {}"),
        capacityYaml(rest),
      );
    expect(change("storageClassName: a, nodeTopology: {}, capacity: 1Gi")).toEqual([]);
    expect(change("storageClassName: b")).toEqual([
      "nodeTopology: Invalid value: null: field is immutable",
      'storageClassName: Invalid value: "b": field is immutable',
    ]);
  });

  test("is told of labels that are no longer to be used", () => {
    const made = capacity(
      "storageClassName: a, nodeTopology: {matchLabels: {beta.kubernetes.io/os: b}, matchExpressions: [{key: beta.kubernetes.io/arch, operator: Exists}]}",
    );
    expect(csiStorageCapacityResource.warnings?.(made, undefined)).toEqual([
      'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
      'nodeTopology.matchLabels.beta.kubernetes.io/os: deprecated since v1.14; use "kubernetes.io/os" instead',
    ]);
  });
});

const attributes = (rest: string) =>
  createdFromYaml(volumeAttributesClassResource, yaml("VolumeAttributesClass", rest));

describe("a VolumeAttributesClass", () => {
  test.each<[string, string[]]>([
    ["driverName: a.com, parameters: {iops: '1'}", []],
    [
      "driverName: ''",
      [
        "driverName: Required value",
        "parameters: Required value: must contain at least one key/value pair",
      ],
    ],
  ])("%s", (rest, expected) => {
    expect(refusalsOf(volumeAttributesClassResource, attributes(rest))).toEqual(expected);
  });

  test("stays as it is", () => {
    const before = attributes("driverName: a, parameters: {iops: '1'}");
    const next = yaml("VolumeAttributesClass", "driverName: b, parameters: {iops: '2'}");
    expect(updateRefusalsOf(volumeAttributesClassResource, before, next)).toEqual([
      "driverName: Forbidden: updates to driverName are forbidden.",
      "parameters: Forbidden: updates to parameters are forbidden.",
    ]);
  });
});
