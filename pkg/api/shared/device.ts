import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, notFound, notSupported, required, tooLong } from "../field-error.ts";
import type {
  Counter,
  Device,
  DeviceAttribute,
  DeviceTaint,
} from "../generated/resource-v1.generated.ts";
import { checkDnsSubdomain, checkQualifiedName } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import { validateEntries, validateItems, validateUniqueItems } from "./bounded-lists.ts";
import { validateBindingConditions } from "./device-binding.ts";
import { validateDeviceCapacity } from "./device-capacity.ts";
import { deviceTaintEffects } from "./device-claim.ts";
import {
  validateDeviceQualifiedName,
  validateDnsLabel,
  validateLabelValue,
} from "./device-names.ts";
import { isNativeResource } from "./resource-names.ts";
import { validateNodeSelector } from "./validate-scheduling.ts";

const propertiesMax = 32;
const attributeValuesMax = 48;
const taintsMax = 16;
const consumptionsMax = 2;
const countersMax = 32;
const attributeBytesMax = 64;
const unbounded = Number.POSITIVE_INFINITY;
/** A domain, a slash and an identifier. */
const propertyNames = { entriesMax: unbounded, shownCharactersMax: 63 + 1 + 32 };
const counterNames = { entriesMax: countersMax, shownCharactersMax: 63 };

/** One device of a ResourceSlice. Taints that it had before are not looked at again. */
export function validateDevice(
  device: Device,
  previous: Device | undefined,
  choosesNode: boolean,
  path: string,
  errors: FieldError[],
): void {
  const { attributes = {}, capacity = {}, taints = [] } = device;
  validateDnsLabel(device.name, `${path}.name`, errors);
  validatePropertyCount(device, path, errors);
  validateEntries(
    attributes,
    propertyNames,
    `${path}.attributes`,
    errors,
    validateDeviceQualifiedName,
    validateAttribute,
  );
  validateEntries(
    capacity,
    propertyNames,
    `${path}.capacity`,
    errors,
    validateDeviceQualifiedName,
    (item, at) => {
      validateDeviceCapacity(item, device.allowMultipleAllocations === true, at, errors);
    },
  );
  if (previous === undefined || !equalJson(previous.taints ?? [], taints)) {
    validateItems(taints, taintsMax, `${path}.taints`, errors, validateTaint);
  }
  validateUniqueItems(
    device.consumesCounters,
    consumptionsMax,
    `${path}.consumesCounters`,
    errors,
    ({ counterSet, counters }, at) => {
      validateCounterSetName(counterSet, `${at}.counterSet`, errors);
      validateCounters(counters, `${at}.counters`, errors);
    },
    ({ counterSet }) => counterSet,
  );
  if (choosesNode) validateNode(device, path, errors);
  else if (namesNode(device)) {
    errors.push(
      invalid(
        path,
        null,
        "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
      ),
    );
  }
  validateBindingConditions(device, path, errors);
  validateMappings(device, `${path}.nodeAllocatableResourceMappings`, errors);
}

function namesNode({ nodeName, nodeSelector, allNodes }: Device): boolean {
  return nodeName !== undefined || nodeSelector !== undefined || allNodes !== undefined;
}

function validatePropertyCount(
  { attributes = {}, capacity = {} }: Device,
  path: string,
  errors: FieldError[],
): void {
  const properties = Object.keys(attributes).length + Object.keys(capacity).length;
  if (properties > propertiesMax) {
    const detail = `the total number of attributes and capacities must not exceed ${propertiesMax}`;
    errors.push(invalid(path, properties, detail));
  }
  let values = 0;
  for (const { bools = [], ints = [], strings = [], versions = [] } of Object.values(attributes)) {
    values += bools.length + ints.length + strings.length + versions.length || 1;
  }
  if (values > attributeValuesMax) {
    const detail = `the total number of attribute values must not exceed ${attributeValuesMax}`;
    errors.push(invalid(path, values, detail));
  }
}

function validateAttribute(attribute: DeviceAttribute, path: string, errors: FieldError[]): void {
  const { string, strings, version, versions } = attribute;
  if (string !== undefined) validateText(string, `${path}.string`, errors);
  if (version !== undefined) validateVersion(version, `${path}.version`, errors);
  for (const list of ["bools", "ints", "strings", "versions"] as const) {
    if (attribute[list]?.length === 0) {
      errors.push(invalid(`${path}.${list}`, [], "must not be empty if specified"));
    }
  }
  strings?.forEach((item, index) => {
    validateText(item, `${path}.strings[${index}]`, errors);
  });
  versions?.forEach((item, index) => {
    validateVersion(item, `${path}.versions[${index}]`, errors);
  });
  const given = Object.values(attribute).filter((value) => value !== undefined);
  if (given.length === 1) return;
  const shown = given.length === 0 ? "" : asGoAttribute(attribute);
  errors.push(invalid(path, shown, "exactly one value must be specified"));
}

/** Upstream prints this value of its own type, whose fields have no JSON names. */
function asGoAttribute(attribute: DeviceAttribute) {
  return {
    IntValue: attribute.int ?? null,
    BoolValue: attribute.bool ?? null,
    StringValue: attribute.string ?? null,
    VersionValue: attribute.version ?? null,
    IntValues: attribute.ints ?? null,
    BoolValues: attribute.bools ?? null,
    StringValues: attribute.strings ?? null,
    VersionValues: attribute.versions ?? null,
  };
}

function validateText(text: string, path: string, errors: FieldError[]): void {
  if (Buffer.byteLength(text) > attributeBytesMax) errors.push(tooLong(path, attributeBytesMax));
}

const versionShape =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

function validateVersion(text: string, path: string, errors: FieldError[]): void {
  const isLong = Buffer.byteLength(text) > attributeBytesMax;
  // What is too long is refused anyhow: only short texts are compared with the pattern.
  if (isLong || !versionShape.test(text)) {
    errors.push(invalid(path, text, "must be a string compatible with semver.org spec 2.0.0"));
  }
  if (isLong) errors.push(tooLong(path, attributeBytesMax));
}

function validateTaint(taint: DeviceTaint, path: string, errors: FieldError[]): void {
  const { key, value = "" } = taint;
  const effect: string = taint.effect;
  addAll(errors, invalidEach(`${path}.key`, key, checkQualifiedName(key)));
  if (value !== "") validateLabelValue(value, `${path}.value`, errors);
  if (effect === "") errors.push(required(`${path}.effect`));
  else if (!deviceTaintEffects.includes(effect)) {
    errors.push(notSupported(`${path}.effect`, effect, deviceTaintEffects));
  }
}

export function validateCounterSetName(name: string, path: string, errors: FieldError[]): void {
  if (name === "") errors.push(required(path));
  else validateDnsLabel(name, path, errors);
}

export function validateCounters(
  counters: Readonly<Record<string, Counter>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (Object.keys(counters ?? {}).length === 0) errors.push(required(path));
  else {
    validateEntries(counters, counterNames, path, errors, validateDnsLabel, () => undefined);
  }
}

const oneNode =
  "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";

function validateNode(device: Device, path: string, errors: FieldError[]): void {
  const { nodeName, nodeSelector, allNodes } = device;
  const given: string[] = [];
  if (nodeName === "") errors.push(invalid(`${path}.nodeName`, nodeName, "must not be empty"));
  else if (nodeName !== undefined) {
    given.push("`nodeName`");
    addAll(errors, invalidEach(`${path}.nodeName`, nodeName, checkDnsSubdomain(nodeName)));
  }
  if (nodeSelector !== undefined) {
    given.push("`nodeSelector`");
    validateNodeSelector(nodeSelector, `${path}.nodeSelector`, errors);
  }
  if (allNodes === true) given.push("`allNodes`");
  else if (allNodes === false) {
    errors.push(invalid(`${path}.allNodes`, false, "must be either unset or set to true"));
  }
  if (given.length === 0) errors.push(required(path, oneNode));
  else if (given.length > 1) errors.push(invalid(path, `{${given.join(", ")}}`, oneNode));
}

function validateMappings(device: Device, path: string, errors: FieldError[]): void {
  const mappings = Object.entries(device.nodeAllocatableResourceMappings ?? {});
  for (const [name, { allocationMultiplier, capacityKey }] of mappings) {
    const at = `${path}[${name}]`;
    if (!isNativeResource(name)) {
      errors.push(invalid(at, name, "must be a node allocatable resource name"));
    }
    if (allocationMultiplier === undefined && capacityKey === undefined) {
      const detail = "at least one of allocationMultiplier or capacityKey must be set";
      errors.push(invalid(at, "", detail));
    }
    const multiplier = tryParseQuantity(allocationMultiplier ?? "");
    if (multiplier !== undefined && multiplier.nanos <= 0n) {
      errors.push(invalid(`${at}.allocationMultiplier`, allocationMultiplier, "must be positive"));
    }
    if (capacityKey === undefined) continue;
    if (capacityKey === "") {
      errors.push(invalid(`${at}.capacityKey`, "", "capacityKey must not be an empty string"));
    } else if (device.capacity === undefined || !Object.hasOwn(device.capacity, capacityKey)) {
      errors.push(notFound(`${at}.capacityKey`, capacityKey));
    }
  }
}
