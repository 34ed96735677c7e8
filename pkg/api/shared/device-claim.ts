import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, notSupported, required, tooLong } from "../field-error.ts";
import type {
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
} from "../generated/resource-v1.generated.ts";
import { checkDnsSubdomain, checkQualifiedName } from "../names.ts";
import type { Draft } from "../object.ts";
import { isJsonObject } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { validateItems, validateUniqueItems } from "./bounded-lists.ts";
import { validateCsiDriverName } from "./csi-driver-name.ts";
import { validateDeviceFullName, validateDnsLabel, validateLabelValue } from "./device-names.ts";

const requestsMax = 32;
const constraintsMax = 32;
export const deviceConfigsMax = 32;
const selectorsMax = 32;
const alternativesMax = 8;
const expressionBytesMax = 10 * 1024;
const parametersBytesMax = 10 * 1024;

/** Fills in what a claim of devices leaves out, in a ResourceClaim as in a template of them. */
export function defaultDeviceClaim({ requests }: Draft<DeviceClaim>): void {
  for (const { exactly, firstAvailable } of requests ?? []) {
    if (exactly !== undefined) defaultRequest(exactly);
    for (const alternative of firstAvailable ?? []) defaultRequest(alternative);
  }
}

function defaultRequest(request: Draft<DeviceSubRequest> | Draft<ExactDeviceRequest>): void {
  if ((request.allocationMode as string | undefined) === "") delete request.allocationMode;
  request.allocationMode ??= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
  defaultDeviceTolerations(request.tolerations);
}

export function defaultDeviceTolerations(tolerations: Draft<DeviceToleration>[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= "Equal";
}

/** The requests of a claim by name, each with the names of its alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export function requestNamesOf({ requests }: DeviceClaim): RequestNames {
  return new Map(
    (requests ?? []).map((request) => [
      request.name,
      new Set(request.firstAvailable?.map(({ name }) => name)),
    ]),
  );
}

/** The devices that are asked for, in a ResourceClaim as in a template of them. */
export function validateDeviceClaim(claim: DeviceClaim, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const names = requestNamesOf(claim);
  const nameOf = ({ name }: { readonly name: string }) => name;
  validateUniqueItems(
    claim.requests,
    requestsMax,
    `${path}.requests`,
    errors,
    validateRequest,
    nameOf,
  );
  validateItems(claim.constraints, constraintsMax, `${path}.constraints`, errors, (item, at) => {
    validateConstraint(item, names, at, errors);
  });
  validateItems(claim.config, deviceConfigsMax, `${path}.config`, errors, (item, at) => {
    validateClaimConfiguration(item, names, at, errors);
  });
  return errors;
}

const oneRequest = "exactly one of `exactly` or `firstAvailable` is required";

function validateRequest(request: DeviceRequest, path: string, errors: FieldError[]): void {
  const { name, exactly, firstAvailable = [] } = request;
  validateDnsLabel(name, `${path}.name`, errors);
  if (exactly === undefined && firstAvailable.length === 0) {
    errors.push(required(path, oneRequest));
  } else if (exactly !== undefined && firstAvailable.length > 0) {
    errors.push(invalid(path, null, `${oneRequest}, but multiple fields are set`));
  } else if (exactly !== undefined) {
    validateWanted(exactly, `${path}.exactly`, errors);
  } else {
    validateUniqueItems(
      firstAvailable,
      alternativesMax,
      `${path}.firstAvailable`,
      errors,
      (alternative, at) => {
        validateDnsLabel(alternative.name, `${at}.name`, errors);
        validateWanted(alternative, at, errors);
      },
      (alternative) => alternative.name,
    );
  }
}

const allocationModes = ["All", "ExactCount"];

function validateWanted(
  request: DeviceSubRequest | ExactDeviceRequest,
  path: string,
  errors: FieldError[],
): void {
  const { deviceClassName, allocationMode = "", count = 0 } = request;
  if (deviceClassName === "") errors.push(required(`${path}.deviceClassName`));
  else {
    const problems = checkDnsSubdomain(deviceClassName);
    addAll(errors, invalidEach(`${path}.deviceClassName`, deviceClassName, problems));
  }
  validateDeviceSelectors(request.selectors, `${path}.selectors`, errors);
  if (allocationMode === "All") {
    const detail = "must not be specified when allocationMode is 'All'";
    if (count !== 0) errors.push(invalid(`${path}.count`, count, detail));
  } else if (allocationMode === "ExactCount") {
    if (count <= 0) errors.push(invalid(`${path}.count`, count, "must be greater than zero"));
  } else errors.push(notSupported(`${path}.allocationMode`, allocationMode, allocationModes));
  (request.tolerations ?? []).forEach((toleration, index) => {
    validateDeviceToleration(toleration, `${path}.tolerations[${index}]`, errors);
  });
}

/** Whether the expressions mean something is not looked at. */
export function validateDeviceSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  validateItems(selectors, selectorsMax, path, errors, ({ cel }, at) => {
    if (cel === undefined) errors.push(required(`${at}.cel`));
    else if (Buffer.byteLength(cel.expression) > expressionBytesMax) {
      errors.push(tooLong(`${at}.cel.expression`, expressionBytesMax));
    }
  });
}

export const deviceTaintEffects = ["NoExecute", "NoSchedule", "None"];
const tolerationOperators = ["Equal", "Exists"];

function validateDeviceToleration(
  { key = "", operator, value = "", effect }: DeviceToleration,
  path: string,
  errors: FieldError[],
): void {
  if (key !== "") addAll(errors, invalidEach(`${path}.key`, key, checkQualifiedName(key)));
  const said: string = operator;
  if (said === "Exists") {
    const detail = "must be empty for operator `Exists`";
    if (value !== "") errors.push(invalid(`${path}.value`, value, detail));
  } else if (said === "Equal") validateLabelValue(value, `${path}.value`, errors);
  else if (said === "") errors.push(required(`${path}.operator`));
  else errors.push(notSupported(`${path}.operator`, said, tolerationOperators));
  const on: string = effect ?? "";
  if (on !== "" && !deviceTaintEffects.includes(on)) {
    errors.push(notSupported(`${path}.effect`, on, deviceTaintEffects));
  }
}

function validateConstraint(
  { requests, matchAttribute, distinctAttribute }: DeviceConstraint,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  validateRequestReferences(requests, names, `${path}.requests`, errors);
  if (matchAttribute !== undefined) {
    validateDeviceFullName(matchAttribute, `${path}.matchAttribute`, errors);
  } else if (distinctAttribute !== undefined) {
    validateDeviceFullName(distinctAttribute, `${path}.distinctAttribute`, errors);
  } else {
    errors.push(
      required(
        path,
        'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      ),
    );
  }
}

function validateClaimConfiguration(
  config: DeviceClaimConfiguration,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  validateRequestReferences(config.requests, names, `${path}.requests`, errors);
  validateDeviceConfiguration(config, path, errors);
}

export function validateRequestReferences(
  references: readonly string[] | undefined,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  validateUniqueItems(
    references,
    requestsMax,
    path,
    errors,
    (reference, at) => validateRequestReference(reference, names, at, errors),
    (reference) => reference,
  );
}

/** `request`, or `request/alternative`. */
export function validateRequestReference(
  reference: string,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  const unknown = invalid(
    path,
    reference,
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
  );
  const [request = "", alternative, ...more] = reference.split("/");
  if (more.length > 0) {
    errors.push(unknown);
    return;
  }
  validateDnsLabel(request, path, errors);
  if (alternative !== undefined) validateDnsLabel(alternative, path, errors);
  const alternatives = names.get(request);
  const isKnown =
    alternatives !== undefined && (alternative === undefined || alternatives.has(alternative));
  if (!isKnown) errors.push(unknown);
}

/** What a driver is told of a device, unread. */
export function validateDeviceConfiguration(
  { opaque }: DeviceConfiguration,
  path: string,
  errors: FieldError[],
): void {
  if (opaque === undefined) {
    errors.push(required(`${path}.opaque`));
    return;
  }
  addAll(errors, validateCsiDriverName(opaque.driver, `${path}.opaque.driver`));
  validateRawObject(opaque.parameters, parametersBytesMax, `${path}.opaque.parameters`, errors);
}

/** Any JSON object that is not too large. */
export function validateRawObject(
  value: unknown,
  bytesMax: number,
  path: string,
  errors: FieldError[],
): void {
  if (value === undefined || value === null) errors.push(required(path));
  else if (Buffer.byteLength(JSON.stringify(value)) > bytesMax)
    errors.push(tooLong(path, bytesMax));
  else if (!isJsonObject(value)) {
    errors.push(invalid(path, "<value omitted>", "must be a valid JSON object"));
  }
}
