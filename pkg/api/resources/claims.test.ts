import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import { persistentVolumeClaimResource } from "./persistentvolumeclaim.ts";
import { storageClassResource } from "./storageclass.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");

const claimYaml = (spec: string, rest = "", annotations = "{}") =>
  `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, namespace: team, annotations: ${annotations}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, ${spec}}${rest}}`;
const claim = (spec: string, rest = "", annotations = "{}") =>
  createdFromYaml(persistentVolumeClaimResource, claimYaml(spec, rest, annotations));
const refused = (spec: string) =>
  refusalsOf(
    persistentVolumeClaimResource,
    createdFromYaml(
      persistentVolumeClaimResource,
      `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: ${spec}}`,
    ),
  );

describe("a PersistentVolumeClaim", () => {
  test("is of a file system, and waits for its volume", () => {
    expect(claim("volumeName: v", ", status: {phase: Bound}")).toMatchObject({
      spec: { volumeMode: "Filesystem" },
      status: { phase: "Pending" },
    });
  });

  test.each<[string, object]>([
    [
      "dataSource: {kind: PersistentVolumeClaim, name: b}",
      { dataSourceRef: { kind: "PersistentVolumeClaim", name: "b" } },
    ],
    [
      "dataSourceRef: {apiGroup: example.com, kind: Image, name: b}",
      { dataSource: { apiGroup: "example.com", kind: "Image", name: "b" } },
    ],
  ])("has its data from one source in two fields: %s", (spec, expected) => {
    expect(claim(spec).spec).toMatchObject(expected);
  });

  test.each([
    "dataSource: {kind: Pod, name: b}",
    "dataSourceRef: {kind: X, name: b, namespace: c}",
  ])("has no data from where there are none: %s", (spec) => {
    const made = claim(spec).spec;
    expect([made.dataSource, made.dataSourceRef]).toEqual([undefined, undefined]);
  });

  test.each<[string, string[]]>([
    [
      "{}",
      [
        "spec.accessModes: Required value: at least 1 access mode is required",
        "spec.resources[storage]: Required value",
      ],
    ],
    [
      "{accessModes: [ReadWriteMaybe], resources: {requests: {storage: 0}}}",
      [
        'spec.accessModes: Unsupported value: "ReadWriteMaybe": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.resources[storage]: Invalid value: "0": must be greater than 0',
      ],
    ],
    [
      "{accessModes: [ReadWriteOncePod, ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
      ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
    ],
    [
      "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, volumeMode: Tape, selector: {matchExpressions: [{key: a, operator: Near}]}}",
      [
        'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
      ],
    ],
    [
      "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: ''}",
      [],
    ],
    [
      "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, dataSourceRef: {kind: Image, name: ''}}",
      [
        "spec.dataSource.name: Required value",
        "spec.dataSource: Invalid value: \"Image\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        "spec.dataSourceRef.name: Required value",
        "spec.dataSourceRef: Invalid value: \"Image\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
      ],
    ],
    [
      "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, dataSource: {kind: PersistentVolumeClaim, name: b}, dataSourceRef: {kind: PersistentVolumeClaim, name: c}}",
      ['spec: Invalid value: "spec.dataSource": must match dataSourceRef'],
    ],
  ])("asks for what there can be: %s", (spec, expected) => {
    expect(refused(spec)).toEqual(expected);
  });

  describe("that exists", () => {
    const change = (previous: string, next: string, rest = "") =>
      updateRefusalsOf(
        persistentVolumeClaimResource,
        { ...claim(previous), status: { phase: "Bound", capacity: { storage: "1Gi" } } },
        claimYaml(next, rest || ", status: {phase: Bound, capacity: {storage: 1Gi}}"),
      );

    test("gets its volume once", () => {
      expect(change("storageClassName: a", "storageClassName: a, volumeName: v")).toEqual([]);
      expect(change("volumeName: v", "volumeName: w")).toHaveLength(1);
    });

    test("gets a class once, where it named none", () => {
      expect(change("volumeMode: Filesystem", "storageClassName: a")).toEqual([]);
      expect(change("storageClassName: a", "storageClassName: b")).toEqual([
        `spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims
@@ -10,7 +10,7 @@
   }
  },
  "VolumeName": "",
- "StorageClassName": "a",
+ "StorageClassName": "b",
  "VolumeMode": "Filesystem",
  "DataSource": null,
  "DataSourceRef": null,
`,
      ]);
    });

    const sized = (storage: string) => `resources: {requests: {storage: ${storage}}}`;
    const bound = ", status: {phase: Bound, capacity: {storage: 1Gi}}";
    const resize = (from: string, to: string, status = bound) =>
      updateRefusalsOf(
        persistentVolumeClaimResource,
        {
          ...createdFromYaml(persistentVolumeClaimResource, claimOf(sized(from))),
          status: { phase: "Bound", capacity: { storage: "1Gi" } },
        },
        claimOf(sized(to), status),
      );
    const claimOf = (spec: string, rest = "") =>
      `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], ${spec}}${rest}}`;

    test("grows when it is bound, and shrinks to no less than it has", () => {
      expect(resize("1Gi", "2Gi")).toEqual([]);
      expect(resize("3Gi", "2Gi")).toEqual([]);
      expect(resize("1Gi", "1073741824")).toEqual([]);
      expect(resize("3Gi", "1Gi")).toEqual([
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
      ]);
      expect(resize("1Gi", "2Gi", ", status: {phase: Pending}")[0]).toMatch(
        /^spec: Forbidden: spec is immutable after creation/,
      );
    });
  });

  test("moves its class from the annotation to the field", () => {
    const annotation = "{volume.beta.kubernetes.io/storage-class: gold}";
    const before = claim("volumeName: v", "", annotation);
    const change = (spec: string, annotations: string) =>
      updateRefusalsOf(
        persistentVolumeClaimResource,
        before,
        claimYaml(`volumeName: v, ${spec}`, "", annotations),
      );
    expect(change("storageClassName: gold", annotation)).toEqual([]);
    expect(change("storageClassName: gold", "{}")).toEqual([]);
    expect(change("volumeMode: Filesystem", "{}")).toEqual([
      'metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "": field is immutable',
    ]);
  });

  test("keeps a class of attributes that is in force", () => {
    const before = {
      ...claim("volumeAttributesClassName: fast"),
      status: { phase: "Bound" as const, currentVolumeAttributesClassName: "fast" },
    };
    const change = (spec: string) =>
      updateRefusalsOf(
        persistentVolumeClaimResource,
        before,
        claimYaml(spec, ", status: {phase: Bound}"),
      );
    expect(change("volumeAttributesClassName: slow")).toEqual([]);
    expect(change("volumeMode: Filesystem")).toEqual([
      "spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil",
    ]);
    expect(change("volumeAttributesClassName: ''")).toEqual([
      "spec.volumeAttributesClassName: Forbidden: update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil",
    ]);
  });

  test.each<[string, string[]]>([
    ["{capacity: {storage: 1Gi}, allocatedResources: {storage: 1Gi}}", []],
    ["{allocatedResourceStatuses: {storage: NodeResizePending}}", []],
    ["{capacity: {storage: -1}}", ["status.capacity[storage]"]],
    ["{allocatedResources: {cpu: 1}}", ["status.allocatedResources"]],
    [
      "{allocatedResourceStatuses: {cpu: Tired}}",
      ["status.allocatedResourceStatuses", "status.allocatedResourceStatuses"],
    ],
  ])("has a status of storage: %s", (status, paths) => {
    const before = claim("volumeMode: Block");
    const text = claimYaml("volumeMode: Block", `, status: ${status}`);
    const next = createdFromYaml({ ...persistentVolumeClaimResource, prepareCreate() {} }, text);
    const problems = persistentVolumeClaimResource.validateStatusUpdate?.(next, before);
    expect(problems?.map(({ path }) => path)).toEqual(paths);
  });

  test("is told of what it does not mean", () => {
    const annotations = "{volume.beta.kubernetes.io/storage-class: gold}";
    const made = createdFromYaml(
      persistentVolumeClaimResource,
      `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, annotations: ${annotations}}, spec: {resources: {requests: {storage: 100m}}}}`,
    );
    expect(persistentVolumeClaimResource.warnings?.(made, undefined)).toEqual([
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'spec.resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer',
    ]);
  });

  test("is shown with its volume once it has one", () => {
    const shown = (object: ReturnType<typeof claim>) =>
      persistentVolumeClaimResource.columns.map(({ cell }) => cell(object, nowMs));
    const status = {
      phase: "Bound",
      accessModes: ["ReadWriteMany", "ReadWriteOnce"],
      capacity: { storage: "1Gi" },
    } as const;
    const waiting = ["a", "Pending", "", "", "", "gold", "<unset>", "<unknown>", "Filesystem"];
    expect(shown({ ...claim("storageClassName: gold") })).toEqual(waiting);
    expect(shown({ ...claim("volumeName: v"), status })).toEqual([
      "a",
      "Bound",
      "v",
      "1Gi",
      "RWO,RWX",
      "",
      "<unset>",
      "<unknown>",
      "Filesystem",
    ]);
  });
});

const classYaml = (rest: string, annotations = "{}") =>
  `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a, annotations: ${annotations}}, ${rest}}`;
const storageClass = (rest: string, annotations = "{}") =>
  createdFromYaml(storageClassResource, classYaml(rest, annotations));

describe("a StorageClass", () => {
  test("is deleted with its claims, and binds at once, unless it says otherwise", () => {
    expect(storageClass("provisioner: a")).toMatchObject({
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
    });
  });

  test.each<[string, string[]]>([
    ["provisioner: Example.com/Disk, parameters: {a: ''}", []],
    ["parameters: {a: b}", ["provisioner: Required value"]],
    [
      "provisioner: a/b/c",
      [
        expect.stringMatching(
          /^provisioner: Invalid value: "a\/b\/c": a qualified name must consist of/,
        ) as unknown as string,
      ],
    ],
    [
      "provisioner: a, parameters: {'': b}",
      ['parameters: Invalid value: "": field can not be empty.'],
    ],
    [
      `provisioner: a, parameters: {${Array.from({ length: 513 }, (_, index) => `k${index}: v`).join(", ")}}`,
      ["parameters: Too long: may not be more than 512 bytes"],
    ],
    [
      `provisioner: a, parameters: {a: ${"x".repeat(256 * 1024)}}`,
      ["parameters: Too long: may not be more than 262144 bytes"],
    ],
    [
      "provisioner: a, reclaimPolicy: Recycle, volumeBindingMode: Later",
      [
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
      ],
    ],
    [
      "provisioner: a, allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a, a]}, {key: zone, values: []}]}]",
      [
        'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
        "allowedTopologies[0].matchLabelExpressions[1].values: Required value",
        'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"',
      ],
    ],
    [
      "provisioner: a, allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a, b]}]}, {matchLabelExpressions: [{key: zone, values: [b, a]}]}]",
      ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
    ],
    [
      "provisioner: a, allowedTopologies: [{}]",
      ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""'],
    ],
  ])("case %#", (rest, expected) => {
    expect(refusalsOf(storageClassResource, storageClass(rest))).toEqual(expected);
  });

  test("stays as it is, but for what does not matter to volumes that exist", () => {
    const before = storageClass("provisioner: a, parameters: {a: b}");
    const change = (rest: string) =>
      updateRefusalsOf(storageClassResource, before, classYaml(rest));
    expect(change("provisioner: a, parameters: {a: b}, allowVolumeExpansion: true")).toEqual([]);
    expect(
      change("provisioner: b, reclaimPolicy: Retain, volumeBindingMode: WaitForFirstConsumer"),
    ).toEqual([
      "parameters: Invalid value: null: field is immutable",
      'provisioner: Invalid value: "b": field is immutable',
      'reclaimPolicy: Invalid value: "Retain": field is immutable',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ]);
  });

  test("is told of labels that are no longer to be used", () => {
    const made = storageClass(
      "provisioner: a, allowedTopologies: [{matchLabelExpressions: [{key: a, values: [b]}, {key: failure-domain.beta.kubernetes.io/zone, values: [b]}]}]",
    );
    expect(storageClassResource.warnings?.(made, undefined)).toEqual([
      'allowedTopologies[0].matchLabelExpressions[1].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    ]);
  });

  test("is shown as the default one where it is", () => {
    const shown = (annotations: string) =>
      storageClassResource.columns.map(({ cell }) =>
        cell(storageClass("provisioner: p", annotations), nowMs),
      );
    expect(shown("{storageclass.kubernetes.io/is-default-class: 'true'}")).toEqual([
      "a (default)",
      "p",
      "Delete",
      "Immediate",
      false,
      "<unknown>",
    ]);
    expect(shown("{storageclass.kubernetes.io/is-default-class: 'false'}")[0]).toBe("a");
  });
});
