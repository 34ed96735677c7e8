import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  decodeYaml,
  problemsOf,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import type { Event } from "../generated/core-v1.generated.ts";
import { endpointsResource } from "./endpoints.ts";
import { endpointSliceResource } from "./endpointslice.ts";
import { eventResource } from "./event.ts";
import { leaseResource } from "./lease.ts";
import { namespaceResource } from "./namespace.ts";
import { nodeResource } from "./node.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");

function row<T>(columns: readonly { cell(object: T, nowMs: number): unknown }[], object: T) {
  return columns.map((column) => column.cell(object, nowMs));
}

test("a namespace carries its name as a label, and is held until it is empty", () => {
  const made = createdFromYaml(
    namespaceResource,
    "{apiVersion: v1, kind: Namespace, metadata: {name: team}}",
  );
  expect(made).toMatchObject({
    metadata: { labels: { "kubernetes.io/metadata.name": "team" } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
  const emptied = decodeYaml(
    namespaceResource,
    "{apiVersion: v1, kind: Namespace, metadata: {name: team}}",
  );
  namespaceResource.prepareUpdate?.(emptied, made);
  expect(emptied.spec.finalizers).toEqual(["kubernetes"]);
});

test("a namespace is held by finalizers that somebody takes away", () => {
  const made = (finalizers: string) =>
    createdFromYaml(
      namespaceResource,
      `{apiVersion: v1, kind: Namespace, metadata: {name: team}, spec: {finalizers: ${finalizers}}}`,
    );
  expect(refusalsOf(namespaceResource, made("[a.com/b, orphan]"))).toEqual([]);
  expect(refusalsOf(namespaceResource, made("[mine]"))).toEqual([
    'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  ]);
});

test("a namespace is in the phase that its deletion says", () => {
  const made = createdFromYaml(
    namespaceResource,
    "{apiVersion: v1, kind: Namespace, metadata: {name: team}}",
  );
  const leaving = { ...made, metadata: { ...made.metadata, deletionTimestamp: "now" } };
  const check = (next: typeof made) =>
    namespaceResource.validateStatusUpdate?.(next, made)?.map(({ detail }) => detail);
  expect(check(made)).toEqual([]);
  expect(check(leaving)).toEqual(["may only be 'Terminating' if `deletionTimestamp` is not empty"]);
  expect(check({ ...made, status: { phase: "Terminating" } })).toEqual([
    "may only be 'Active' if `deletionTimestamp` is empty",
  ]);
});

describe("a node", () => {
  const node = (rest: string, labels = "{}") =>
    createdFromYaml(
      nodeResource,
      `{apiVersion: v1, kind: Node, metadata: {name: a, labels: ${labels}}, ${rest}}`,
    );

  test("can use all it has unless it says less", () => {
    expect(node("status: {capacity: {cpu: 2000m}}").status.allocatable).toEqual({ cpu: "2" });
  });

  test("has each taint once", () => {
    const taint = "{key: a, effect: NoSchedule}";
    expect(problemsOf(nodeResource, node(`spec: {taints: [${taint}]}`))).toEqual([]);
    expect(refusalsOf(nodeResource, node(`spec: {taints: [${taint}, ${taint}]}`))).toEqual([
      'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
    ]);
    expect(refusalsOf(nodeResource, node("spec: {taints: [{key: a, effect: Never}]}"))).toEqual([
      'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ]);
  });

  test.each<[string, string[]]>([
    ["spec: {podCIDRs: [10.42.0.0/24, 'fd00::/64']}, status: {declaredFeatures: [A, B/c]}", []],
    [
      "spec: {podCIDRs: [10.42.0.0/24, 10.42.1.0/24]}",
      [
        'spec.podCIDRs: Invalid value: ["10.42.0.0/24","10.42.1.0/24"]: may specify no more than one CIDR for each IP family',
      ],
    ],
    [
      "status: {capacity: {cpu: -1, example.com/gpu: 500m}, allocatable: {cpu: 1}, nodeInfo: {swap: {capacity: 0}}}",
      [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.capacity.example.com/gpu: Invalid value: "500m": must be an integer',
        "metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than 0",
      ],
    ],
    [
      "status: {declaredFeatures: [B, A, A, c]}",
      [
        'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
        'status.declaredFeatures[2]: Duplicate value: "A"',
        'status.declaredFeatures[3]: Invalid value: "c": invalid feature name "c": must start with an UpperCamelCase segment, with subsequent segments separated by \'/\' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes',
      ],
    ],
  ])("is what a machine can be: %s", (rest, expected) => {
    expect(refusalsOf(nodeResource, node(rest))).toEqual(expected);
  });

  test("has each address once, and says so when its status is written", () => {
    const address = "{type: InternalIP, address: 10.0.0.1}";
    const before = node("spec: {podCIDR: 10.42.0.0/24}");
    const next = node(
      `spec: {podCIDR: 10.42.0.0/24}, status: {addresses: [${address}, ${address}]}`,
    );
    expect(nodeResource.validateStatusUpdate?.(next, before)).toMatchObject([
      { type: "Duplicate value", path: "status.addresses[1]" },
    ]);
  });

  test("is not configured by the API, and is told of what is no longer to be used", () => {
    const made = node("spec: {externalID: a, configSource: {}}, status: {config: {}}");
    expect(made.spec).toEqual({ externalID: "a" });
    expect(made.status.config).toBe(undefined);
    expect(nodeResource.warnings?.(made, undefined)).toEqual([
      "spec.externalID: this field is deprecated, and is unused by Kubernetes",
    ]);
    const yaml = "{apiVersion: v1, kind: Node, metadata: {name: a}, spec: {externalID: b}}";
    expect(updateRefusalsOf(nodeResource, made, yaml)).toEqual([
      "spec.externalID: Forbidden: may not be updated",
    ]);
  });

  test("keeps its pods' addresses", () => {
    const before = node("spec: {podCIDR: 10.42.0.0/24}");
    expect(before.spec.podCIDRs).toEqual(["10.42.0.0/24"]);
    expect(
      nodeResource.validateUpdate?.(node("spec: {podCIDR: 10.42.1.0/24}"), before),
    ).toMatchObject([{ type: "Forbidden", path: "spec.podCIDRs" }]);
  });

  test("is shown with its state and roles", () => {
    const object = node(
      "spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: 'True'}], addresses: [{type: InternalIP, address: 10.0.0.1}], nodeInfo: {kubeletVersion: v1, kernelVersion: '6.1', architecture: amd64}}",
      "{node-role.kubernetes.io/worker: '', node-role.kubernetes.io/control-plane: 'true'}",
    );
    expect(row(nodeResource.columns, object)).toEqual([
      "a",
      "Ready,SchedulingDisabled",
      "control-plane,worker",
      "<unknown>",
      "v1",
      "10.0.0.1",
      "<none>",
      "<unknown>",
      "6.1 (amd64)",
      "<unknown>",
    ]);
  });
});

describe("an event", () => {
  const event = (rest: string) =>
    createdFromYaml(
      eventResource,
      `{apiVersion: v1, kind: Event, metadata: {name: e, namespace: team}, ${rest}}`,
    ) as Event;

  test("lies beside what it is about", () => {
    expect(
      problemsOf(eventResource, event("involvedObject: {kind: Pod, namespace: team}")),
    ).toEqual([]);
    expect(
      problemsOf(eventResource, event("involvedObject: {kind: Pod, namespace: other}")),
    ).toEqual(["involvedObject.namespace: Invalid value: does not match event.namespace"]);
  });

  test("is shown with its last time first", () => {
    const shown = row(
      eventResource.columns,
      event(
        "involvedObject: {kind: Pod, name: web}, type: Warning, reason: Failed, message: ' no ', source: {component: kubelet, host: a}, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:09:00Z', count: 3",
      ),
    );
    expect(shown).toEqual([
      "60s",
      "Warning",
      "Failed",
      "pod/web",
      "",
      "kubelet, a",
      "no",
      "10m",
      3,
      "e",
    ]);
  });

  test("is chosen by what it is about", () => {
    const fields = eventResource.selectableFields;
    const object = event("involvedObject: {kind: Pod, name: web}, reportingComponent: scheduler");
    expect(fields["involvedObject.name"]?.(object)).toBe("web");
    expect(fields["source"]?.(object)).toBe("scheduler");
  });
});

test("nodes' leases are not worth a write to the disk", () => {
  const lease = (namespace: string) =>
    createdFromYaml(
      leaseResource,
      `{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a, namespace: ${namespace}}}`,
    );
  expect(leaseResource.durability(lease("kube-node-lease"))).toBe("at-close");
  expect(leaseResource.durability(lease("kube-system"))).toBe("lazy");
});

test("endpoints are shown, the first three of them", () => {
  const made = createdFromYaml(
    endpointsResource,
    "{apiVersion: v1, kind: Endpoints, metadata: {name: web}, subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{name: a, port: 80}, {name: b, port: 81}]}]}",
  );
  expect(problemsOf(endpointsResource, made)).toEqual([]);
  expect(made.subsets?.[0]?.ports?.[0]?.protocol).toBe("TCP");
  expect(row(endpointsResource.columns, made)[1]).toBe(
    "10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...",
  );
});

test("an endpoint slice has addresses of its kind", () => {
  const slice = (type: string, address: string) =>
    createdFromYaml(
      endpointSliceResource,
      `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web}, addressType: ${type}, endpoints: [{addresses: ['${address}']}], ports: [{port: 80}]}`,
    );
  const good = slice("IPv4", "10.0.0.1");
  expect(problemsOf(endpointSliceResource, good)).toEqual([]);
  expect(good.ports).toEqual([{ name: "", port: 80, protocol: "TCP" }]);
  expect(problemsOf(endpointSliceResource, slice("IPv6", "10.0.0.1"))).toEqual([
    "endpoints[0].addresses[0]: Invalid value: must be an IPv6 address",
  ]);
  expect(row(endpointSliceResource.columns, good).slice(1, 4)).toEqual(["IPv4", "80", "10.0.0.1"]);
});

test("a lease has nothing of a feature that is off", () => {
  const made = createdFromYaml(
    leaseResource,
    "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a}, spec: {holderIdentity: b, preferredHolder: c, strategy: d}}",
  );
  expect(made.spec).toEqual({ holderIdentity: "b" });
});
