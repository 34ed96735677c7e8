import { ageColumn, nameColumn } from "../columns.ts";
import { findCondition } from "../conditions.ts";
import { duplicate, forbidden, invalidEach } from "../field-error.ts";
import { type Node, nodeSchema } from "../generated/core-v1.generated.ts";
import { checkCidr } from "../ip-address.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultResourceList } from "../shared/pod-spec-defaults.ts";
import { validateAmount } from "../shared/resource-names.ts";
import { validateTaints } from "../shared/validate-scheduling.ts";

export const nodeResource = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  scope: "cluster",
  schema: nodeSchema,
  subresources: { status: true },
  defaults,
  validate,
  validateUpdate,
  selectableFields: { "spec.unschedulable": ({ spec }) => String(spec.unschedulable ?? false) },
  columns: [
    nameColumn,
    {
      name: "Status",
      type: "string",
      description: "Whether the node is ready, and whether pods may be placed on it.",
      cell: nodeStatus,
    },
    {
      name: "Roles",
      type: "string",
      description: "The roles that the node's labels give it.",
      cell: nodeRoles,
    },
    ageColumn,
    {
      name: "Version",
      type: "string",
      description: "The version of the agent.",
      cell: ({ status }) => status.nodeInfo?.kubeletVersion ?? "",
    },
    {
      name: "Internal-IP",
      type: "string",
      priority: 1,
      description: "The address of the node within the cluster.",
      cell: (node) => nodeAddress(node, "InternalIP"),
    },
    {
      name: "External-IP",
      type: "string",
      priority: 1,
      description: "The address of the node from outside.",
      cell: (node) => nodeAddress(node, "ExternalIP"),
    },
    {
      name: "OS-Image",
      type: "string",
      priority: 1,
      description: "The node's operating system.",
      cell: ({ status }) => status.nodeInfo?.osImage || "<unknown>",
    },
    {
      name: "Kernel-Version",
      type: "string",
      priority: 1,
      description: "The node's kernel.",
      cell: ({ status }) => status.nodeInfo?.kernelVersion || "<unknown>",
    },
    {
      name: "Container-Runtime",
      type: "string",
      priority: 1,
      description: "What runs the containers.",
      cell: ({ status }) => status.nodeInfo?.containerRuntimeVersion || "<unknown>",
    },
  ],
});

function defaults({ spec, status }: Draft<Node>): void {
  // Two fields for one thing: the older holds the first of the newer.
  const [first] = spec.podCIDRs ?? [];
  if (first !== undefined) spec.podCIDR = first;
  else if (spec.podCIDR !== undefined && spec.podCIDR !== "") spec.podCIDRs = [spec.podCIDR];
  if (status === undefined) return;
  if (status.allocatable === undefined && status.capacity !== undefined) {
    status.allocatable = { ...status.capacity };
  }
  defaultResourceList(status.capacity);
  defaultResourceList(status.allocatable);
}

function validate({ spec, status }: Node): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateTaints(spec.taints, "spec.taints", errors);
  const addresses = new Set<string>();
  (status?.addresses ?? []).forEach((address, index) => {
    const identity = `${address.type} ${address.address}`;
    if (addresses.has(identity)) errors.push(duplicate(`status.addresses[${index}]`, address));
    addresses.add(identity);
  });
  for (const list of ["capacity", "allocatable"] as const) {
    for (const [name, amount] of Object.entries(status?.[list] ?? {})) {
      validateAmount(name, amount, `status.${list}[${name}]`, errors);
    }
  }
  (spec.podCIDRs ?? []).forEach((cidr, index) => {
    errors.push(...invalidEach(`spec.podCIDRs[${index}]`, cidr, checkCidr(cidr)));
  });
  return errors;
}

function validateUpdate(next: Node, previous: Node): readonly FieldError[] {
  const errors: FieldError[] = [];
  const before = previous.spec;
  if ((before.podCIDRs ?? []).length > 0 && !equalJson(next.spec.podCIDRs, before.podCIDRs)) {
    errors.push(
      forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'),
    );
  }
  if ((before.providerID ?? "") !== "" && next.spec.providerID !== before.providerID) {
    errors.push(
      forbidden(
        "spec.providerID",
        'node updates may not change providerID except from "" to valid',
      ),
    );
  }
  return errors;
}

function nodeStatus({ spec, status }: Node): string {
  const ready = findCondition(status.conditions, "Ready");
  const words = [ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"];
  if (spec.unschedulable === true) words.push("SchedulingDisabled");
  return words.join(",");
}

const rolePrefix = "node-role.kubernetes.io/";

function nodeRoles({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key !== rolePrefix) roles.add(key.slice(rolePrefix.length));
    else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return roles.size === 0 ? "<none>" : [...roles].sort().join(",");
}

function nodeAddress({ status }: Node, type: string): string {
  return status.addresses?.find((address) => address.type === type)?.address ?? "<none>";
}
