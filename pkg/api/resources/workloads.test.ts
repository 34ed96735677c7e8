import { describe, expect, test } from "vitest";
import { createdFromYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import { draftOf } from "../draft.ts";
import type { DaemonSet } from "../generated/apps-v1.generated.ts";
import type { Draft, KubernetesObject } from "../object.ts";
import type { FieldError, ResourceDefinition } from "../resource.ts";
import { controllerRevisionResource } from "./controllerrevision.ts";
import { daemonSetResource } from "./daemonset.ts";
import { podTemplateResource } from "./podtemplate.ts";
import { replicaSetResource } from "./replicaset.ts";
import { replicationControllerResource } from "./replicationcontroller.ts";
import { statefulSetResource } from "./statefulset.ts";

const labels = "labels: {app: web}";
const containers = "containers: [{name: web, image: nginx}]";
const template = `template: {metadata: {${labels}}, spec: {${containers}}}`;
const selector = "selector: {matchLabels: {app: web}}";

function make<T extends KubernetesObject>(resource: ResourceDefinition<T>, rest: string): T {
  const { group, version, kind } = resource;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return createdFromYaml(
    resource,
    `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: web}, ${rest}}`,
  );
}

const daemonSet = (spec: string) => make(daemonSetResource, `spec: {${spec}}`);
const statefulSet = (spec: string) => make(statefulSetResource, `spec: {${spec}}`);
const replicaSet = (spec: string) => make(replicaSetResource, `spec: {${spec}}`);
const controller = (spec: string) => make(replicationControllerResource, `spec: {${spec}}`);
const plain = `${selector}, ${template}`;

function row<T extends KubernetesObject>({ columns }: ResourceDefinition<T>, object: T) {
  return columns.map((column) => column.cell(object, 0));
}

function shown(errors: readonly FieldError[] | undefined): readonly string[] {
  return (errors ?? []).map(({ path, type, detail }) => `${path}: ${type}: ${detail}`);
}

const mismatch =
  "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`";
const onlyAlways =
  'spec.template.spec.restartPolicy: Unsupported value: supported values: "Always"';

describe("what a client leaves out is filled in", () => {
  test("of a DaemonSet", () => {
    const { metadata, spec, status } = daemonSet(plain);
    expect(metadata.annotations).toEqual({ "deprecated.daemonset.template.generation": "1" });
    expect(spec).toMatchObject({
      revisionHistoryLimit: 10,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    });
    expect(status).toEqual({
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    });
    expect(
      daemonSet(`updateStrategy: {type: OnDelete}, ${plain}`).spec.updateStrategy.rollingUpdate,
    ).toBe(undefined);
  });

  test("of a StatefulSet", () => {
    const { spec, status } = statefulSet(
      `volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}], ${plain}`,
    );
    expect(spec).toMatchObject({
      podManagementPolicy: "OrderedReady",
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      replicas: 1,
      revisionHistoryLimit: 10,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    });
    expect(spec.volumeClaimTemplates).toEqual([
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: "1Gi" } },
          volumeMode: "Filesystem",
        },
        status: { phase: "Pending" },
      },
    ]);
    expect(status).toEqual({ availableReplicas: 0, replicas: 0 });
  });

  test("of a StatefulSet that says the strategy, but not how", () => {
    const { spec } = statefulSet(`updateStrategy: {type: RollingUpdate}, ${plain}`);
    expect(spec.updateStrategy).toEqual({ type: "RollingUpdate" });
  });

  test("of a ReplicationController, by the labels of its pods", () => {
    const { metadata, spec, status } = controller(template);
    expect(metadata.labels).toEqual({ app: "web" });
    expect(spec).toMatchObject({ replicas: 1, selector: { app: "web" } });
    expect(status).toEqual({ replicas: 0 });
    expect(controller(`replicas: 0, ${template}`).spec.replicas).toBe(0);
  });

  test("of a PodTemplate", () => {
    expect(make(podTemplateResource, template).template.spec.restartPolicy).toBe("Always");
  });
});

describe("what is wrong is said in upstream's words", () => {
  test.each<[string, string[]]>([
    [plain, []],
    [
      `selector: {}, ${template}`,
      ["spec.selector: Invalid value: empty selector is invalid for daemonset"],
    ],
    [template, [mismatch]],
    [`selector: {matchLabels: {app: other}}, ${template}`, [mismatch]],
    [plain.replace("containers", "restartPolicy: Never, containers"), [onlyAlways]],
    [
      plain.replace("containers", "activeDeadlineSeconds: 3, containers"),
      [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported",
      ],
    ],
    [
      `minReadySeconds: -1, revisionHistoryLimit: -2, ${plain}`,
      [
        "spec.minReadySeconds: Invalid value: must be greater than or equal to 0",
        "spec.revisionHistoryLimit: Invalid value: must be greater than or equal to 0",
      ],
    ],
    [
      `updateStrategy: {type: Sometimes}, ${plain}`,
      ['spec.updateStrategy: Unsupported value: supported values: "RollingUpdate", "OnDelete"'],
    ],
    [
      `updateStrategy: {rollingUpdate: {maxUnavailable: 0}}, ${plain}`,
      [
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
      ],
    ],
    [
      `updateStrategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 10%}}, ${plain}`,
      [
        "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: may not be set when maxUnavailable is non-zero",
      ],
    ],
    [
      `updateStrategy: {rollingUpdate: {maxUnavailable: 101%}}, ${plain}`,
      [
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: must not be greater than 100%",
      ],
    ],
  ])("DaemonSet {%s}", (spec, expected) => {
    expect(problemsOf(daemonSetResource, daemonSet(spec))).toEqual(expected);
  });

  test.each<[string, string[]]>([
    [plain, []],
    [template, ["spec.selector: Required value", mismatch]],
    [
      `selector: {matchExpressions: [{key: a, operator: Is}]}, ${template}`,
      [
        "spec.selector.matchExpressions[0].operator: Invalid value: not a valid selector operator",
        "spec.selector: Invalid value",
      ],
    ],
    [
      `selector: {}, ${template}`,
      ["spec.selector: Invalid value: empty selector is invalid for statefulset"],
    ],
    [
      `volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [Sometimes]}}], ${plain}`,
      [
        'spec.volumeClaimTemplates[0].spec.accessModes: Unsupported value: supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        "spec.volumeClaimTemplates[0].spec.resources[storage]: Required value",
      ],
    ],
    [
      `podManagementPolicy: Any, ${plain}`,
      ["spec.podManagementPolicy: Invalid value: must be 'OrderedReady' or 'Parallel'"],
    ],
    [
      `updateStrategy: {type: Any}, ${plain}`,
      ["spec.updateStrategy: Invalid value: must be 'RollingUpdate' or 'OnDelete'"],
    ],
    [
      `updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}, ${plain}`,
      [
        "spec.updateStrategy.rollingUpdate: Invalid value: only allowed for updateStrategy 'RollingUpdate'",
      ],
    ],
    [
      `updateStrategy: {rollingUpdate: {partition: -1}}, ${plain}`,
      [
        "spec.updateStrategy.rollingUpdate.partition: Invalid value: must be greater than or equal to 0",
      ],
    ],
    [
      `persistentVolumeClaimRetentionPolicy: {whenScaled: Keep}, ${plain}`,
      [
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: supported values: "Retain", "Delete"',
      ],
    ],
    [
      `replicas: -1, ordinals: {start: -1}, serviceName: My_Service, ${plain}`,
      [
        "spec.replicas: Invalid value: must be greater than or equal to 0",
        "spec.ordinals.start: Invalid value: must be greater than or equal to 0",
        "spec.serviceName: Invalid value: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [plain.replace("containers", "restartPolicy: Never, containers"), [onlyAlways]],
    [
      plain.replace("containers", "activeDeadlineSeconds: 3, containers"),
      [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported",
      ],
    ],
  ])("StatefulSet {%s}", (spec, expected) => {
    expect(problemsOf(statefulSetResource, statefulSet(spec))).toEqual(expected);
  });

  test("a StatefulSet's pods have a volume for each claim", () => {
    const mounting = plain.replace(
      "image: nginx",
      "image: nginx, volumeMounts: [{name: data, mountPath: /data}]",
    );
    expect(problemsOf(statefulSetResource, statefulSet(mounting))).toEqual([
      "spec.template.spec.containers[0].volumeMounts[0].name: Not found",
    ]);
    const claims =
      "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]";
    expect(problemsOf(statefulSetResource, statefulSet(`${claims}, ${mounting}`))).toEqual([]);
  });

  test.each<[string, string[]]>([
    [plain, []],
    [
      `minReadySeconds: -1, ${plain}`,
      ["spec.minReadySeconds: Invalid value: must be greater than or equal to 0"],
    ],
    [template, ["spec.selector: Required value", mismatch]],
    [
      `selector: {matchExpressions: [{key: a, operator: Is}]}, ${template}`,
      [
        "spec.selector.matchExpressions[0].operator: Invalid value: not a valid selector operator",
        "spec.selector: Invalid value: invalid label selector",
      ],
    ],
  ])("ReplicaSet {%s}", (spec, expected) => {
    expect(problemsOf(replicaSetResource, replicaSet(spec))).toEqual(expected);
  });

  test.each<[string, string[]]>([
    [template, []],
    ["replicas: 1", ["spec.selector: Required value", "spec.template: Required value"]],
    [`selector: {app: other}, ${template}`, [mismatch]],
    [
      `replicas: -1, minReadySeconds: -1, ${template}`,
      [
        "spec.minReadySeconds: Invalid value: must be greater than or equal to 0",
        "spec.replicas: Invalid value: must be greater than or equal to 0",
      ],
    ],
    [
      template.replace("containers", "activeDeadlineSeconds: 3, containers"),
      [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported",
      ],
    ],
  ])("ReplicationController {%s}", (spec, expected) => {
    expect(problemsOf(replicationControllerResource, controller(spec))).toEqual(expected);
  });

  test("PodTemplate", () => {
    expect(
      problemsOf(podTemplateResource, make(podTemplateResource, "template: {spec: {}}")),
    ).toEqual(["template.spec.containers: Required value"]);
  });
});

test("a strategy that there is not is shown as upstream shows it", () => {
  const [error] =
    daemonSetResource.validate?.(daemonSet(`updateStrategy: {type: Odd}, ${plain}`)) ?? [];
  expect(error?.value).toEqual({ Type: "Odd", RollingUpdate: null });
});

test("what a revision keeps is an object, and stays", () => {
  const revision = (data: string) =>
    createdFromYaml(
      controllerRevisionResource,
      `{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: a}, revision: -1, data: ${data}}`,
    );
  expect(shown(controllerRevisionResource.validateCreate?.(revision("null")))).toEqual([
    "data: Required value: data is mandatory",
  ]);
  expect(shown(controllerRevisionResource.validateCreate?.(revision("3")))).toEqual([
    "data: Required value: data must be a valid JSON object",
  ]);
  const before = revision("{a: b}");
  expect(problemsOf(controllerRevisionResource, before)).toEqual([
    "revision: Invalid value: must be greater than or equal to 0",
  ]);
  expect(shown(controllerRevisionResource.validateUpdate?.(revision("{}"), before))).toEqual([
    "data: Invalid value: field is immutable",
  ]);
});

describe("an update", () => {
  const forbidden =
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

  test.each<[string, string[]]>([
    [`replicas: 3, minReadySeconds: 1, ordinals: {start: 2}, ${plain}`, []],
    [`revisionHistoryLimit: 1, updateStrategy: {type: OnDelete}, ${plain}`, []],
    [`persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}, ${plain}`, []],
    [plain.replace("nginx", "httpd"), []],
    [`serviceName: web, ${plain}`, [forbidden]],
    [`podManagementPolicy: Parallel, ${plain}`, [forbidden]],
  ])("of a StatefulSet to {%s}", (spec, expected) => {
    const errors = statefulSetResource.validateUpdate?.(statefulSet(spec), statefulSet(plain));
    expect(shown(errors)).toEqual(expected);
  });

  test("of a DaemonSet's template is counted, whatever the client says", () => {
    const before = daemonSet(plain);
    const count = (spec: string) => {
      const next = draftOf(daemonSet(spec)) as Draft<DaemonSet>;
      next.metadata.annotations = { "deprecated.daemonset.template.generation": "7" };
      daemonSetResource.prepareUpdate?.(next, before);
      return next.metadata.annotations["deprecated.daemonset.template.generation"];
    };
    expect(count(plain)).toBe("1");
    expect(count(`minReadySeconds: 1, ${plain}`)).toBe("1");
    expect(count(plain.replace("nginx", "httpd"))).toBe("2");
  });

  test("does not choose other pods", () => {
    const other = plain.replaceAll("app: web", "app: other");
    expect(shown(daemonSetResource.validateUpdate?.(daemonSet(other), daemonSet(plain)))).toEqual([
      "spec.selector: Invalid value: field is immutable",
    ]);
  });
});

describe("a status", () => {
  test("counts nothing below none", () => {
    const before = daemonSet(plain);
    const next = { ...before, status: { ...before.status, numberReady: -1 } };
    expect(shown(daemonSetResource.validateStatusUpdate?.(next, before))).toEqual([
      "status.numberReady: Invalid value: must be greater than or equal to 0",
    ]);
  });

  test("has no more of a part than of the whole", () => {
    const before = statefulSet(plain);
    const status = { replicas: 2, readyReplicas: 1, currentReplicas: 3, availableReplicas: 2 };
    const errors = statefulSetResource.validateStatusUpdate?.({ ...before, status }, before);
    expect(shown(errors)).toEqual([
      "status.currentReplicas: Invalid value: cannot be greater than status.replicas",
      "status.availableReplicas: Invalid value: cannot be greater than status.readyReplicas",
    ]);
    const controllers = controller(template);
    const counted = { replicas: 0, fullyLabeledReplicas: 1, availableReplicas: 0 };
    const next = { ...controllers, status: counted };
    expect(shown(replicationControllerResource.validateStatusUpdate?.(next, controllers))).toEqual([
      "status.fullyLabeledReplicas: Invalid value: cannot be greater than status.replicas",
    ]);
  });

  test("never forgets a collision", () => {
    const before = statefulSet(plain);
    const status = { replicas: 0, availableReplicas: 0 };
    const collided = { ...before, status: { ...status, collisionCount: 2 } };
    const errors = statefulSetResource.validateStatusUpdate?.({ ...before, status }, collided);
    expect(shown(errors)).toEqual(["status.collisionCount: Invalid value: cannot be decremented"]);
    expect(statefulSetResource.validateStatusUpdate?.(collided, { ...before, status })).toEqual([]);
  });
});

test("pods may get a name that surprises: whoever makes them is told", () => {
  const named = { ...replicaSet(plain) };
  const dotted = { ...named, metadata: { ...named.metadata, name: "a.b" } };
  expect(replicaSetResource.warnings?.(dotted, undefined)).toEqual([
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  ]);
  expect(replicaSetResource.warnings?.(named, undefined)).toEqual([]);
  expect(
    statefulSetResource.warnings?.(statefulSet(`revisionHistoryLimit: -1, ${plain}`), undefined),
  ).toEqual([
    "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
  ]);
});

test("warnings of an update are of what was changed", () => {
  const doubled = plain.replace("nginx", "nginx, env: [{name: A}, {name: A}]");
  const before = {
    ...daemonSet(doubled),
    metadata: { ...daemonSet(doubled).metadata, generation: 1 },
  };
  const changed = { ...before, metadata: { ...before.metadata, generation: 2 } };
  expect(daemonSetResource.warnings?.(before, before)).toEqual([]);
  expect(daemonSetResource.warnings?.(changed, before)).toEqual([
    'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ]);
});

test("kubectl get -o wide", () => {
  const many = daemonSet(plain);
  const counts = {
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberReady: 2,
    updatedNumberScheduled: 2,
    numberAvailable: 1,
    numberMisscheduled: 0,
  };
  expect(row(daemonSetResource, { ...many, status: counts })).toEqual([
    "web",
    3,
    3,
    2,
    2,
    1,
    "<none>",
    "<unknown>",
    "web",
    "nginx",
    "app=web",
  ]);
  const set = {
    ...statefulSet(plain),
    status: { replicas: 1, readyReplicas: 1, availableReplicas: 0 },
  };
  expect(row(statefulSetResource, set)).toEqual(["web", "1/1", "<unknown>", "web", "nginx"]);
  expect(row(replicationControllerResource, controller(template))).toEqual([
    "web",
    1,
    0,
    0,
    "<unknown>",
    "web",
    "nginx",
    "app=web",
  ]);
  expect(row(podTemplateResource, make(podTemplateResource, template))).toEqual([
    "web",
    "web",
    "nginx",
    "app=web",
  ]);
});
