import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { findCondition } from "../conditions.ts";
import { duplicate, forbidden, invalid, invalidEach, isEnough } from "../field-error.ts";
import { type Node, nodeSchema } from "../generated/core-v1.generated.ts";
import { checkCidr, cidrWarnings, parseCidr } from "../ip-address.ts";
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
  prepareCreate({ spec, status }) {
    // Configuration of agents by the API is gone from Kubernetes.
    delete spec.configSource;
    if (status !== undefined) delete status.config;
  },
  prepareUpdate({ spec }, previous) {
    if (previous.spec.configSource === undefined) delete spec.configSource;
  },
  prepareStatusUpdate({ status }, previous) {
    if (previous.status.config === undefined) delete status.config;
  },
  validate,
  validateUpdate: (next, previous) => [
    ...duplicateAddresses(next),
    ...checkSpecUpdate(next, previous),
  ],
  validateStatusUpdate: (next, previous) => [
    ...validateTaintsAndStatus(next),
    ...duplicateAddresses(next),
    ...checkSpecUpdate(next, previous),
  ],
  warnings,
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
      cell: ({ status: { nodeInfo } }) =>
        `${nodeInfo?.kernelVersion || "<unknown>"}${nodeInfo?.architecture ? ` (${nodeInfo.architecture})` : ""}`,
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

function validate(node: Node): readonly FieldError[] {
  const errors: FieldError[] = [...validateTaintsAndStatus(node)];
  const swap = node.status?.nodeInfo?.swap?.capacity;
  if (swap !== undefined && swap <= 0) {
    errors.push(invalid("metadata.nodeSwapStatus.capacity", swap, "must be greater than 0"));
  }
  const { podCIDRs = [] } = node.spec;
  podCIDRs.forEach((cidr, index) => {
    if (!isEnough(errors))
      addAll(errors, invalidEach(`spec.podCIDRs[${index}]`, cidr, checkCidr(cidr)));
  });
  const families = new Set(podCIDRs.map((cidr) => parseCidr(cidr)?.family));
  if (podCIDRs.length > families.size) {
    const detail = "may specify no more than one CIDR for each IP family";
    errors.push(invalid("spec.podCIDRs", podCIDRs, detail));
  }
  return errors;
}

/** What is looked at in a write of the status, too. Taints are found among the metadata, as upstream has it. */
function validateTaintsAndStatus({ spec, status }: Node): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateTaints(spec.taints, "metadata.taints", errors);
  for (const list of ["capacity", "allocatable"] as const) {
    for (const [name, amount] of Object.entries(status?.[list] ?? {})) {
      validateAmount(name, amount, `status.${list}.${name}`, errors);
    }
  }
  validateFeatures(status?.declaredFeatures ?? [], "status.declaredFeatures", errors);
  return errors;
}

const featureCharactersMax = 253;

function validateFeatures(features: readonly string[], path: string, errors: FieldError[]): void {
  features.forEach((feature, index) => {
    if (isEnough(errors)) return;
    const at = `${path}[${index}]`;
    const shown = JSON.stringify(feature);
    if (feature.length > featureCharactersMax) {
      const detail = `invalid feature name ${shown}: must be no more than ${featureCharactersMax} characters`;
      errors.push(invalid(at, feature, detail));
    } else if (!/^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/.test(feature)) {
      const detail = `invalid feature name ${shown}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`;
      errors.push(invalid(at, feature, detail));
    }
    const before = features[index - 1];
    if (before === feature) errors.push(duplicate(at, feature));
    else if (before !== undefined && before > feature) {
      errors.push(invalid(at, feature, "list must be sorted alphabetically"));
    }
  });
}

function duplicateAddresses({ status }: Node): readonly FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap(({ type, address }, index) => {
    const identity = `${type} ${address}`;
    if (!seen.has(identity)) {
      seen.add(identity);
      return [];
    }
    return [duplicate(`status.addresses[${index}]`, { Type: type, Address: address })];
  });
}

function checkSpecUpdate(next: Node, previous: Node): readonly FieldError[] {
  const errors: FieldError[] = [];
  const before = previous.spec;
  const podCidrs = next.spec.podCIDRs ?? [];
  const podCidrsBefore = before.podCIDRs ?? [];
  if (podCidrsBefore.length > 0 && !equalJson(podCidrs, podCidrsBefore)) {
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
  if ((next.spec.externalID ?? "") !== (before.externalID ?? "")) {
    errors.push(forbidden("spec.externalID", "may not be updated"));
  }
  return errors;
}

function warnings({ spec }: Node): readonly string[] {
  const found: string[] = [];
  if (spec.configSource !== undefined) found.push("spec.configSource: the feature is removed");
  if ((spec.externalID ?? "") !== "") {
    found.push("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
  (spec.podCIDRs ?? []).forEach((cidr, index) => {
    addAll(found, cidrWarnings(`spec.podCIDRs[${index}]`, cidr));
  });
  return found;
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
