import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { immutableDetail, invalid, invalidEach, required } from "../field-error.ts";
import {
  type Device,
  type ResourcePool,
  type ResourceSlice,
  type ResourceSliceSpec,
  resourceSliceSchema,
} from "../generated/resource-v1.generated.ts";
import { checkDnsSubdomain } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateUniqueItems } from "../shared/bounded-lists.ts";
import { validateCsiDriverName } from "../shared/csi-driver-name.ts";
import { validateCounterSetName, validateCounters, validateDevice } from "../shared/device.ts";
import { validatePoolName } from "../shared/device-names.ts";
import { validateNodeSelector } from "../shared/validate-scheduling.ts";
import { formatTime } from "../time.ts";

export const resourceSliceResource = defineResource<ResourceSlice>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceSlice",
  plural: "resourceslices",
  scope: "cluster",
  schema: resourceSliceSchema,
  defaults({ spec }, nowMs) {
    for (const { taints } of spec.devices ?? []) {
      // A device is tainted from when the first to read the taint has read it.
      for (const taint of taints ?? []) taint.timeAdded ??= formatTime(nowMs);
    }
  },
  prepareCreate: ({ spec }) => dropSwitchedOff(spec, undefined),
  prepareUpdate: ({ spec }, previous) => dropSwitchedOff(spec, previous.spec),
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  validateCreate: ({ spec }) => validateSpec(spec, undefined),
  validateUpdate: ({ spec }, previous) => validateSpec(spec, previous.spec),
  warnings: ({ spec: { driver } }) =>
    driver === driver.toLowerCase()
      ? []
      : [
          `spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`,
        ],
  selectableFields: {
    "spec.driver": ({ spec }) => spec.driver,
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
  },
  columns: [
    nameColumn,
    {
      name: "Node",
      type: "string",
      description: "The node that has the devices.",
      cell: ({ spec }) => spec.nodeName ?? "",
    },
    {
      name: "Driver",
      type: "string",
      description: "The driver of the devices.",
      cell: ({ spec }) => spec.driver,
    },
    {
      name: "Pool",
      type: "string",
      description: "The pool that the devices are of.",
      cell: ({ spec }) => spec.pool.name,
    },
    ageColumn,
  ],
});

const listAttributes = ["bools", "ints", "strings", "versions"] as const;

function hasListAttributes(devices: readonly Device[] | undefined): boolean {
  return (devices ?? []).some(({ attributes }) =>
    Object.values(attributes ?? {}).some((attribute) =>
      listAttributes.some((list) => attribute[list] !== undefined),
    ),
  );
}

/** Takes out what belongs to features that Kubernetes has switched off, unless it was there before. */
function dropSwitchedOff(
  { devices }: Draft<ResourceSliceSpec>,
  previous: ResourceSliceSpec | undefined,
): void {
  const keepsLists = hasListAttributes(previous?.devices);
  const keepsMappings = (previous?.devices ?? []).some(
    ({ nodeAllocatableResourceMappings: mappings }) => Object.keys(mappings ?? {}).length > 0,
  );
  for (const device of devices ?? []) {
    if (!keepsMappings) delete device.nodeAllocatableResourceMappings;
    if (keepsLists) continue;
    for (const attribute of Object.values(device.attributes ?? {})) {
      for (const list of listAttributes) delete attribute[list];
    }
  }
}

const devicesMax = 128;
const intricateDevicesMax = 64;
const counterSetsMax = 8;

function validateSpec(
  spec: ResourceSliceSpec,
  previous: ResourceSliceSpec | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [...validateCsiDriverName(spec.driver, "spec.driver")];
  validatePool(spec.pool, "spec.pool", errors);
  if (previous !== undefined) checkUnchanged(spec, previous, errors);
  validateNodes(spec, errors);
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) {
    const detail = "only one of `sharedCounters` or `devices` is allowed";
    errors.push(invalid("spec", "", detail));
  }
  const { devices = [] } = spec;
  const isIntricate =
    hasListAttributes(devices) ||
    devices.some(
      ({ taints = [], consumesCounters = [] }) => taints.length > 0 || consumesCounters.length > 0,
    );
  const known = new Map((previous?.devices ?? []).map((device) => [device.name, device]));
  validateUniqueItems(
    devices,
    isIntricate ? intricateDevicesMax : devicesMax,
    "spec.devices",
    errors,
    (device, path) => {
      const before = known.get(device.name);
      validateDevice(device, before, spec.perDeviceNodeSelection === true, path, errors);
    },
    ({ name }) => name,
  );
  validateUniqueItems(
    spec.sharedCounters,
    counterSetsMax,
    "spec.sharedCounters",
    errors,
    ({ name, counters }, path) => {
      validateCounterSetName(name, `${path}.name`, errors);
      validateCounters(counters, `${path}.counters`, errors);
    },
    ({ name }) => name,
  );
  return errors;
}

function validatePool(pool: ResourcePool, path: string, errors: FieldError[]): void {
  const { name, resourceSliceCount: count, generation } = pool;
  validatePoolName(name, `${path}.name`, errors);
  if (count <= 0) {
    errors.push(invalid(`${path}.resourceSliceCount`, count, "must be greater than zero"));
  }
  if (generation < 0) {
    const detail = "must be greater than or equal to zero";
    errors.push(invalid(`${path}.generation`, generation, detail));
  }
}

function checkUnchanged(
  { pool, driver, nodeName }: ResourceSliceSpec,
  previous: ResourceSliceSpec,
  errors: FieldError[],
): void {
  if (pool.name !== previous.pool.name) {
    errors.push(invalid("spec.pool.name", pool.name, immutableDetail));
  }
  if (driver !== previous.driver) errors.push(invalid("spec.driver", driver, immutableDetail));
  if (nodeName !== previous.nodeName) {
    errors.push(invalid("spec.nodeName", nodeName ?? null, immutableDetail));
  }
}

const oneNode =
  "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

function validateNodes(spec: ResourceSliceSpec, errors: FieldError[]): void {
  const { nodeName, nodeSelector } = spec;
  const given: string[] = [];
  if (nodeName === "") {
    const detail = "must be either unset or set to a non-empty string";
    errors.push(invalid("spec.nodeName", nodeName, detail));
  } else if (nodeName !== undefined) {
    given.push("`nodeName`");
    addAll(errors, invalidEach("spec.nodeName", nodeName, checkDnsSubdomain(nodeName)));
  }
  if (nodeSelector !== undefined) {
    given.push("`nodeSelector`");
    validateNodeSelector(nodeSelector, "spec.nodeSelector", errors);
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const detail = "must have exactly one node selector term";
      errors.push(invalid("spec.nodeSelector.nodeSelectorTerms", terms, detail));
    }
  }
  for (const field of ["allNodes", "perDeviceNodeSelection"] as const) {
    if (spec[field] === true) given.push(`\`${field}\``);
    else if (spec[field] === false) {
      errors.push(invalid(`spec.${field}`, false, "must be either unset or set to true"));
    }
  }
  if (given.length === 0) errors.push(required("spec", oneNode));
  else if (given.length > 1) {
    const detail = `${oneNode}, but multiple fields are set`;
    errors.push(invalid("spec", `{${given.join(", ")}}`, detail));
  }
}
