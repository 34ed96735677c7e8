import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  decodeYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import { persistentVolumeResource } from "./persistentvolume.ts";
import { volumeAttachmentResource } from "./volumeattachment.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");

const volumeYaml = (spec: string, annotations = "{}", rest = "") =>
  `{apiVersion: v1, kind: PersistentVolume, metadata: {name: a, annotations: ${annotations}, creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, ${spec}}${rest}}`;
const volume = (spec: string, annotations = "{}") =>
  createdFromYaml(persistentVolumeResource, volumeYaml(spec, annotations));
const nfs = "nfs: {server: a, path: /a}";

describe("a PersistentVolume", () => {
  test("is kept with its data, and of a file system, unless it says otherwise", () => {
    expect(volume("hostPath: {path: /a}")).toMatchObject({
      spec: {
        hostPath: { type: "" },
        persistentVolumeReclaimPolicy: "Retain",
        volumeMode: "Filesystem",
      },
      status: { phase: "Pending", lastPhaseTransitionTime: "2026-01-01T00:00:00Z" },
    });
  });

  test("has its defaults of sources that are no longer served, too", () => {
    expect(volume("rbd: {monitors: [a], image: b}").spec.rbd).toMatchObject({
      pool: "rbd",
      user: "admin",
      keyring: "/etc/ceph/keyring",
    });
    expect(volume("azureDisk: {diskName: a, diskURI: b}").spec.azureDisk).toEqual({
      cachingMode: "ReadWrite",
      diskName: "a",
      diskURI: "b",
      fsType: "ext4",
      kind: "Shared",
      readOnly: false,
    });
  });

  test.each<[string, string[]]>([
    [nfs, []],
    ["storageClassName: a", ["spec: Required value: must specify a volume type"]],
    [
      `${nfs}, hostPath: {path: /a}`,
      ["spec.nfs: Forbidden: may not specify more than 1 volume type"],
    ],
    ["hostPath: {path: ''}", ["spec.hostPath.path: Required value"]],
    [
      "hostPath: {path: /a/../b, type: Door}",
      [
        "spec.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
        'spec.hostPath.type: Unsupported value: "Door": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    ],
    [
      "hostPath: {path: //./}, persistentVolumeReclaimPolicy: Recycle",
      [
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
      ],
    ],
    [
      "nfs: {server: '', path: ''}",
      [
        "spec.nfs.server: Required value",
        "spec.nfs.path: Required value",
        'spec.nfs.path: Invalid value: "": must be an absolute path',
      ],
    ],
    [
      "local: {path: /a}",
      ["spec.nodeAffinity: Required value: Local volume requires node affinity"],
    ],
    [
      "local: {path: /a}, nodeAffinity: {}",
      ["spec.nodeAffinity.required: Required value: must specify required node constraints"],
    ],
    [
      "local: {path: /a}, nodeAffinity: {required: {nodeSelectorTerms: []}}",
      [
        "spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term",
      ],
    ],
    [
      "csi: {driver: '', volumeHandle: '', nodePublishSecretRef: {name: A}}",
      [
        "spec.csi.driver: Required value",
        "spec.csi.volumeHandle: Required value",
        expect.stringMatching(
          /^spec\.csi\.nodePublishSecretRef\.name: Invalid value: "A": a lowercase RFC 1123/,
        ) as unknown as string,
        "spec.csi.nodePublishSecretRef.namespace: Required value",
      ],
    ],
    [
      `csi: {driver: ${"a".repeat(64)}, volumeHandle: a}`,
      ["spec.csi.driver: Too long: may not be more than 63 bytes"],
    ],
    [
      `${nfs}, persistentVolumeReclaimPolicy: Burn, volumeMode: Tape, volumeAttributesClassName: a`,
      [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
        "spec.csi: Required value: has to be specified when using volumeAttributesClassName",
      ],
    ],
    [
      "gcePersistentDisk: {pdName: '', partition: 256}",
      [
        "spec.persistentDisk.pdName: Required value",
        "spec.persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive",
      ],
    ],
    [
      "iscsi: {targetPortal: '', iqn: other, lun: 256, chapAuthSession: true, initiatorName: eui.1}",
      [
        "spec.iscsi.targetPortal: Required value",
        'spec.iscsi.iqn: Invalid value: "other": must be valid format',
        "spec.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
        "spec.iscsi.secretRef: Required value",
        'spec.iscsi.initiatorname: Invalid value: "eui.1": must be valid format',
      ],
    ],
    ["iscsi: {targetPortal: a, iqn: 'iqn.2001-04.com.example:storage.a', lun: 0}", []],
    [
      "fc: {targetWWNs: [a], wwids: [b]}",
      [
        'spec.fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
        "spec.fc.lun: Required value: lun is required if targetWWNs is specified",
      ],
    ],
    [
      "flexVolume: {driver: a, options: {a.k8s.io/x: z, b: c}}",
      [
        'spec.flexVolume.options[a.k8s.io/x]: Invalid value: "a.k8s.io/x": kubernetes.io and k8s.io namespaces are reserved',
      ],
    ],
    [
      "flocker: {}, cephfs: {monitors: [a]}",
      [
        "spec.flocker: Required value: one of datasetName and datasetUUID is required",
        "spec.cephFS: Forbidden: may not specify more than 1 volume type",
      ],
    ],
    [
      "quobyte: {registry: 'a:1,b', volume: ''}",
      [
        'spec.quobyte.registry: Invalid value: "a:1,b": must be a host:port pair or multiple pairs separated by commas',
        "spec.quobyte.volume: Required value",
      ],
    ],
    [
      "azureDisk: {diskName: a, diskURI: b, kind: Managed, cachingMode: All}",
      [
        'spec.azureDisk.cachingMode: Unsupported value: "All": supported values: "None", "ReadOnly", "ReadWrite"',
        'spec.azureDisk.diskURI: Unsupported value: "b": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"',
      ],
    ],
    [
      "storageos: {volumeName: A.b, volumeNamespace: c, secretRef: {name: d}}",
      [
        expect.stringMatching(
          /^spec\.storageos\.volumeName: Invalid value: "A\.b": a lowercase RFC 1123 label/,
        ) as unknown as string,
        "spec.storageos.secretRef.namespace: Required value",
      ],
    ],
    [
      "scaleIO: {gateway: '', system: '', volumeName: a, secretRef: {}}",
      ["spec.scaleIO.gateway: Required value", "spec.scaleIO.system: Required value"],
    ],
    [
      "glusterfs: {endpoints: a, path: b, endpointsNamespace: ''}",
      [
        'spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name',
      ],
    ],
    [
      "azureFile: {secretName: a, shareName: '', secretNamespace: ''}",
      [
        "spec.azureFile.shareName: Required value",
        "spec.azureFile.secretNamespace: Required value",
      ],
    ],
  ])("has data in one place: %s", (spec, expected) => {
    expect(refusalsOf(persistentVolumeResource, volume(spec))).toEqual(expected);
  });

  test.each<[string, string[]]>([
    [
      `{${nfs}}`,
      [
        "spec.accessModes: Required value",
        "spec.capacity: Required value",
        'spec.capacity: Unsupported value: null: supported values: "storage"',
      ],
    ],
    [
      `{accessModes: [ReadOnlyMany], capacity: {cpu: 1, storage: -1}, ${nfs}}`,
      [
        'spec.capacity: Unsupported value: {"cpu":"1","storage":"-1"}: supported values: "storage"',
        'spec.capacity[storage]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.capacity[storage]: Invalid value: "-1": must be greater than 0',
      ],
    ],
  ])("has a size: %s", (spec, expected) => {
    const text = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: a}, spec: ${spec}}`;
    const made = createdFromYaml(persistentVolumeResource, text);
    expect(refusalsOf(persistentVolumeResource, made)).toEqual(expected);
  });

  test("takes mount options from the annotation only where it always did", () => {
    const annotations = "{volume.beta.kubernetes.io/mount-options: ro}";
    expect(refusalsOf(persistentVolumeResource, volume(nfs, annotations))).toEqual([]);
    expect(
      refusalsOf(persistentVolumeResource, volume("hostPath: {path: /a}", annotations)),
    ).toEqual([
      "metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type",
    ]);
  });

  describe("that exists", () => {
    const change = (before: string, after: string) =>
      updateRefusalsOf(persistentVolumeResource, volume(before), volumeYaml(after));

    test("keeps where its data are", () => {
      expect(change(nfs, `${nfs}, persistentVolumeReclaimPolicy: Delete`)).toEqual([]);
      expect(change(nfs, "nfs: {server: b, path: /a}")).toEqual([
        `spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation
@@ -4,7 +4,7 @@
  "HostPath": null,
  "Glusterfs": null,
  "NFS": {
-  "Server": "a",
+  "Server": "b",
   "Path": "/a",
   "ReadOnly": false
  },
`,
      ]);
    });

    test("may be told how to grow, once", () => {
      const csi = (rest: string) => `csi: {driver: d, volumeHandle: h${rest}}`;
      const secret = ", controllerExpandSecretRef: {name: a, namespace: b}";
      expect(change(csi(""), csi(secret))).toEqual([]);
      expect(change(csi(secret), csi(""))).toHaveLength(1);
    });

    test("keeps its mode, and its class of attributes", () => {
      const csi = "csi: {driver: d, volumeHandle: h}";
      expect(change(`${csi}, volumeAttributesClassName: a`, `${csi}, volumeMode: Block`)).toEqual([
        'volumeMode: Invalid value: "Block": field is immutable',
        "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden",
      ]);
      expect(
        change(`${csi}, volumeAttributesClassName: a`, `${csi}, volumeAttributesClassName: b`),
      ).toEqual([]);
    });

    test("stays on its nodes, whose labels may get their lasting names", () => {
      const on = (key: string) =>
        `${nfs}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: ${key}, operator: In, values: [a]}]}]}}`;
      expect(change(nfs, on("zone"))).toEqual([]);
      expect(change(on("zone"), on("zone"))).toEqual([]);
      expect(
        change(on("failure-domain.beta.kubernetes.io/zone"), on("topology.kubernetes.io/zone")),
      ).toEqual([]);
      expect(change(on("zone"), on("region"))).toEqual([
        'nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[{"MatchExpressions":[{"Key":"region","Operator":"In","Values":["a"]}],"MatchFields":null}]}}: field is immutable, except for updating from beta label to GA',
      ]);
      expect(change(on("zone"), nfs)).toHaveLength(1);
      expect(change(on("zone"), `${nfs}, nodeAffinity: {required: {}}`)).toEqual([
        "spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term",
        'nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[]}}: field is immutable, except for updating from beta label to GA',
      ]);
    });
  });

  test.each<[string, string, string]>([
    ["phase: Bound", "phase: Pending", "2026-01-01T00:10:00Z"],
    ["phase: Pending", "phase: Pending", "2025-01-01T00:00:00Z"],
    [
      "phase: Bound, lastPhaseTransitionTime: '2024-01-01T00:00:00Z'",
      "phase: Pending",
      "2024-01-01T00:00:00Z",
    ],
    [
      "phase: Bound, lastPhaseTransitionTime: '2025-01-01T00:00:00Z'",
      "phase: Pending",
      "2026-01-01T00:10:00Z",
    ],
  ])("says since when it is in its phase: {%s} after {%s}", (next, before, expected) => {
    const withStatus = (status: string) =>
      decodeYaml(persistentVolumeResource, volumeYaml(nfs, "{}", `, status: {${status}}`));
    const draft = withStatus(next);
    const previous = withStatus(`${before}, lastPhaseTransitionTime: '2025-01-01T00:00:00Z'`);
    persistentVolumeResource.prepareStatusUpdate?.(draft, previous as typeof draft & never, nowMs);
    expect(draft.status.lastPhaseTransitionTime).toBe(expected);
  });

  test("is told of what is no longer to be used", () => {
    const made = volume(
      "cephfs: {monitors: [a]}, persistentVolumeReclaimPolicy: Recycle, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: beta.kubernetes.io/os, operator: Exists}]}]}}",
      "{volume.beta.kubernetes.io/storage-class: a, volume.beta.kubernetes.io/mount-options: b}",
    );
    expect(persistentVolumeResource.warnings?.(made, undefined)).toEqual([
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead',
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
      'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
      "spec.cephfs: deprecated in v1.28, non-functional in v1.31+",
    ]);
  });

  test("is shown with its claim", () => {
    const made = volume(`${nfs}, claimRef: {namespace: team, name: b}, storageClassName: gold`);
    expect(persistentVolumeResource.columns.map(({ cell }) => cell(made, nowMs))).toEqual([
      "a",
      "1Gi",
      "RWO",
      "Retain",
      "Pending",
      "team/b",
      "gold",
      "<unset>",
      "",
      "10m",
      "Filesystem",
    ]);
  });
});

const attachmentYaml = (source: string, rest = "") =>
  `{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: a}, spec: {attacher: example.com, nodeName: node, source: ${source}}${rest}}`;
const attachment = (source: string, rest = "") =>
  createdFromYaml(volumeAttachmentResource, attachmentYaml(source, rest));

describe("a VolumeAttachment", () => {
  test("is not yet attached", () => {
    const made = attachment("{persistentVolumeName: v}", ", status: {attached: true}");
    expect(made.status).toEqual({ attached: false });
  });

  test.each<[string, string[]]>([
    ["{persistentVolumeName: v}", []],
    [
      "{}",
      [
        "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName",
      ],
    ],
    [
      "{persistentVolumeName: v, inlineVolumeSpec: {}}",
      [
        "spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName",
      ],
    ],
    [
      "{inlineVolumeSpec: {accessModes: [ReadWriteOnce], capacity: {storage: 1}, claimRef: {}, nodeAffinity: {}, storageClassName: a, volumeMode: Block, persistentVolumeReclaimPolicy: Delete, nfs: {server: a, path: /a}}}",
      [
        "spec.source.inlineVolumeSpec.claimRef: Forbidden: may not be specified in the context of inline volumes",
        "spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes",
        "spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes",
        "spec.source.inlineVolumeSpec.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes",
        "spec.source.inlineVolumeSpec.nodeAffinity: Forbidden: may not be specified in the context of inline volumes",
        "spec.source.inlineVolumeSpec.storageClassName: Forbidden: may not be specified in the context of inline volumes",
        "spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes",
      ],
    ],
  ])("is of one volume: %s", (source, expected) => {
    expect(refusalsOf(volumeAttachmentResource, attachment(source))).toEqual(expected);
  });

  test("stays with its volume and its node", () => {
    const before = attachment("{persistentVolumeName: v}");
    expect(
      updateRefusalsOf(
        volumeAttachmentResource,
        before,
        attachmentYaml("{persistentVolumeName: w}"),
      ),
    ).toEqual([
      expect.stringMatching(/^spec: Invalid value: \{.*\}: field is immutable$/) as unknown,
    ]);
  });

  test("says why it cannot be attached, in few words", () => {
    const before = attachment("{persistentVolumeName: v}");
    const status = {
      attached: false,
      attachmentMetadata: { a: "x".repeat(256 * 1024) },
      attachError: { message: "x".repeat(1025), errorCode: -1 },
    };
    const problems = volumeAttachmentResource.validateStatusUpdate?.({ ...before, status }, before);
    expect(problems?.map(({ path, detail }) => `${path}: ${detail}`)).toEqual([
      "status.attachmentMetadata: may not be more than 262144 bytes",
      "status.attachError.message: may not be more than 262144 bytes",
      "status.attachError.errorCode: must be between 0 and 2147483647, inclusive",
    ]);
  });

  test("keeps its labels when its status is written", () => {
    const draft = decodeYaml(
      volumeAttachmentResource,
      "{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: a, labels: {b: c}, finalizers: [d/e]}}",
    );
    const before = attachment("{persistentVolumeName: v}");
    const previous = { ...before, metadata: { ...before.metadata, annotations: { x: "y" } } };
    volumeAttachmentResource.prepareStatusUpdate?.(draft, previous, nowMs);
    expect(draft.metadata).toEqual({ name: "a", annotations: { x: "y" } });
  });

  test("is shown with its volume and its node", () => {
    const made = attachment("{persistentVolumeName: v}");
    expect(volumeAttachmentResource.columns.map(({ cell }) => cell(made, nowMs))).toEqual([
      "a",
      "example.com",
      "v",
      "node",
      false,
      "<unknown>",
    ]);
  });
});
