import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import {
  forbidden,
  immutableDetail,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../field-error.ts";
import {
  type AllocatedDeviceStatus,
  type AllocationResult,
  type DeviceAllocationConfiguration,
  type DeviceRequestAllocationResult,
  type NetworkDeviceData,
  type ResourceClaim,
  type ResourceClaimConsumerReference,
  type ResourceClaimStatus,
  resourceClaimSchema,
} from "../generated/resource-v1.generated.ts";
import { formatIp, parseCidr } from "../ip-address.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateItems, validateUniqueItems } from "../shared/bounded-lists.ts";
import { validateCsiDriverName } from "../shared/csi-driver-name.ts";
import { validateBindingConditions } from "../shared/device-binding.ts";
import {
  defaultDeviceClaim,
  defaultDeviceTolerations,
  deviceConfigsMax,
  type RequestNames,
  requestNamesOf,
  validateDeviceClaim,
  validateDeviceConfiguration,
  validateRawObject,
  validateRequestReference,
  validateRequestReferences,
} from "../shared/device-claim.ts";
import { validateDnsLabel, validatePoolName, validateUid } from "../shared/device-names.ts";
import { keepMetadataOfStatus } from "../shared/status-metadata.ts";
import { validateMetaConditions } from "../shared/validate-meta-conditions.ts";
import { validateNodeSelector } from "../shared/validate-scheduling.ts";

export const resourceClaimResource = defineResource<ResourceClaim>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaim",
  plural: "resourceclaims",
  scope: "namespace",
  schema: resourceClaimSchema,
  subresources: { status: true },
  // Its spec never changes.
  countsGenerations: false,
  resetFields: { "": [["status"]], status: [["metadata"], ["spec"]] },
  defaults({ spec, status }) {
    defaultDeviceClaim(spec.devices);
    for (const { tolerations } of status?.allocation?.devices.results ?? []) {
      defaultDeviceTolerations(tolerations);
    }
  },
  prepareCreate(claim) {
    claim.status = {};
  },
  prepareStatusUpdate(claim, previous) {
    keepMetadataOfStatus(claim, previous);
    dropReleasedDevices(claim, previous);
  },
  // What cannot change is not looked at again.
  validateCreate: ({ spec }) => validateDeviceClaim(spec.devices, "spec.devices"),
  validateUpdate: (next, previous) =>
    equalJson(next.spec, previous.spec) ? [] : [invalid("spec", next.spec, immutableDetail)],
  validateStatusUpdate,
  columns: [
    nameColumn,
    {
      name: "State",
      type: "string",
      description: "Whether the claim has its devices, and whether somebody uses them.",
      cell: ({ metadata, status }) => {
        const states: string[] = [];
        if (metadata.deletionTimestamp !== undefined) states.push("deleted");
        if (status.allocation !== undefined) {
          states.push("allocated");
          if ((status.reservedFor ?? []).length > 0) states.push("reserved");
        } else if (metadata.deletionTimestamp === undefined) states.push("pending");
        return states.join(",");
      },
    },
    ageColumn,
  ],
});

type DeviceIdentity = Pick<AllocatedDeviceStatus, "device" | "driver" | "pool" | "shareID">;

/** Under these names upstream prints which device is meant. */
function identityOf({ driver, pool, device, shareID }: DeviceIdentity) {
  return { Driver: driver, Pool: pool, Device: device, ShareID: shareID ?? "" };
}

function allocatedDevices({ allocation }: ResourceClaimStatus): ReadonlySet<string> {
  const results = allocation?.devices.results ?? [];
  return new Set(results.map((result) => JSON.stringify(identityOf(result))));
}

/** What was said of devices that the claim has no longer is forgotten with them. */
function dropReleasedDevices({ status }: Draft<ResourceClaim>, previous: ResourceClaim): void {
  if (status.devices === undefined) return;
  const before = allocatedDevices(previous.status);
  const now = allocatedDevices(status as ResourceClaimStatus);
  status.devices = status.devices.filter((device) => {
    const identity = JSON.stringify(identityOf(device));
    return !before.has(identity) || now.has(identity);
  });
  if (status.devices.length === 0) delete status.devices;
}

const reservationsMax = 256;
const allocationsMax = 32;
const conditionsMax = 8;
const deviceDataBytesMax = 10 * 1024;

function validateStatusUpdate(next: ResourceClaim, previous: ResourceClaim): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { status } = next;
  const { allocation, reservedFor = [] } = status;
  validateUniqueItems(
    reservedFor,
    reservationsMax,
    "status.reservedFor",
    errors,
    validateConsumer,
    ({ uid }) => uid,
  );
  const allocated = allocatedDevices(status);
  validateUniqueItems(
    status.devices,
    Number.POSITIVE_INFINITY,
    "status.devices",
    errors,
    (device, path) => validateDeviceStatus(device, allocated, path, errors),
    identityOf,
  );
  checkReservations(next, previous, errors);
  if (allocation === undefined) return errors;
  if (previous.status.allocation === undefined) {
    validateAllocation(allocation, requestNamesOf(next.spec.devices), errors);
  } else if (!equalJson(allocation, previous.status.allocation)) {
    errors.push(invalid("status.allocation", allocation, immutableDetail));
  }
  return errors;
}

function validateConsumer(
  { resource, name, uid }: ResourceClaimConsumerReference,
  path: string,
  errors: FieldError[],
): void {
  for (const [field, text] of Object.entries({ resource, name, uid })) {
    if (text === "") errors.push(required(`${path}.${field}`));
  }
}

function checkReservations(
  { metadata, status }: ResourceClaim,
  previous: ResourceClaim,
  errors: FieldError[],
): void {
  const reservations = status.reservedFor ?? [];
  if (reservations.length === 0) return;
  const path = "status.reservedFor";
  if (status.allocation === undefined) {
    errors.push(forbidden(path, "may not be specified when `allocated` is not set"));
    return;
  }
  if (metadata.deletionTimestamp === undefined) return;
  const before = new Set((previous.status.reservedFor ?? []).map(printConsumer));
  if (reservations.every((consumer) => before.has(printConsumer(consumer)))) return;
  errors.push(
    forbidden(
      path,
      "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set",
    ),
  );
}

function printConsumer({ apiGroup, resource, name, uid }: ResourceClaimConsumerReference): string {
  return JSON.stringify([apiGroup ?? "", resource, name, uid]);
}

function validateDeviceStatus(
  status: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  validateIdentity(status, path, errors);
  const identity = identityOf(status);
  if (!allocated.has(JSON.stringify(identity))) {
    errors.push(invalid(path, identity, "must be an allocated device in the claim"));
  }
  const { conditions = [], data } = status;
  if (conditions.length > conditionsMax) {
    errors.push(tooMany(`${path}.conditions`, conditions.length, conditionsMax));
  }
  addAll(errors, validateMetaConditions(conditions, `${path}.conditions`));
  if (data !== undefined) validateRawObject(data, deviceDataBytesMax, `${path}.data`, errors);
  validateNetworkData(status.networkData, `${path}.networkData`, errors);
}

function validateIdentity(identity: DeviceIdentity, path: string, errors: FieldError[]): void {
  addAll(errors, validateCsiDriverName(identity.driver, `${path}.driver`));
  validatePoolName(identity.pool, `${path}.pool`, errors);
  validateDnsLabel(identity.device, `${path}.device`, errors);
  if (identity.shareID !== undefined) validateUid(identity.shareID, `${path}.shareID`, errors);
}

const interfaceBytesMax = 256;
const hardwareAddressBytesMax = 128;
const addressesMax = 16;

function validateNetworkData(
  data: NetworkDeviceData | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (Buffer.byteLength(data?.interfaceName ?? "") > interfaceBytesMax) {
    errors.push(tooLong(`${path}.interfaceName`, interfaceBytesMax));
  }
  if (Buffer.byteLength(data?.hardwareAddress ?? "") > hardwareAddressBytesMax) {
    errors.push(tooLong(`${path}.hardwareAddress`, hardwareAddressBytesMax));
  }
  validateUniqueItems(
    data?.ips,
    addressesMax,
    `${path}.ips`,
    errors,
    (address, at) => addAll(errors, invalidEach(at, address, checkInterfaceAddress(address))),
    (address) => address,
  );
}

/** `10.9.8.7/24`: an address, and how much of it is that of the network. */
function checkInterfaceAddress(text: string): readonly string[] {
  const parsed = parseCidr(text);
  if (parsed === undefined) {
    return ["must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"];
  }
  const canonical = `${formatIp(parsed.address)}/${parsed.prefixBits}`;
  return text === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

function validateAllocation(
  { devices, nodeSelector }: AllocationResult,
  names: RequestNames,
  errors: FieldError[],
): void {
  const path = "status.allocation";
  validateItems(devices.results, allocationsMax, `${path}.devices.results`, errors, (item, at) => {
    validateResult(item, names, at, errors);
  });
  const configsMax = 2 * deviceConfigsMax;
  validateItems(devices.config, configsMax, `${path}.devices.config`, errors, (item, at) => {
    validateAllocationConfig(item, names, at, errors);
  });
  if (nodeSelector !== undefined) {
    validateNodeSelector(nodeSelector, `${path}.nodeSelector`, errors);
  }
}

function validateResult(
  result: DeviceRequestAllocationResult,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  validateRequestReference(result.request, names, `${path}.request`, errors);
  const { shareID, ...device } = result;
  validateIdentity(device, path, errors);
  validateBindingConditions(result, path, errors);
  if (shareID !== undefined) validateUid(shareID, `${path}.shareID`, errors);
}

const configSources = ["FromClaim", "FromClass"];

function validateAllocationConfig(
  config: DeviceAllocationConfiguration,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  const source: string = config.source;
  if (source === "") errors.push(required(`${path}.source`));
  else if (!configSources.includes(source)) {
    errors.push(notSupported(`${path}.source`, source, configSources));
  }
  validateRequestReferences(config.requests, names, `${path}.requests`, errors);
  validateDeviceConfiguration(config, path, errors);
}
