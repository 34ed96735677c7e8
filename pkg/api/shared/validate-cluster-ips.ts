import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import type { ServiceSpec } from "../generated/core-v1.generated.ts";
import { checkIpAddress, ipFamilyOf, parseIp } from "../ip-address.ts";
import type { FieldError } from "../resource.ts";
import { isHeadless, needsClusterIP } from "./service-type.ts";

const path = "spec.clusterIPs";
const families: readonly string[] = ["IPv4", "IPv6"];
const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const addressesMax = 2;

/** What is wrong with the fields about a Service's addresses; an address it had before needs no second look. */
export function validateClusterIPs(
  spec: ServiceSpec,
  previous: ServiceSpec | undefined,
): readonly FieldError[] {
  if (!needsClusterIP(spec)) return [];
  const { clusterIP = "", clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const errors: FieldError[] = [];
  if (clusterIP === "") {
    if (clusterIPs.length > 0) {
      errors.push(invalid(path, clusterIPs, "must be empty when `clusterIP` is not specified"));
    }
  } else if (clusterIPs.length === 0) errors.push(required(path));
  else if (clusterIPs[0] !== clusterIP) {
    errors.push(invalid(path, clusterIPs, "first value must match `clusterIP`"));
  }
  const seen = new Set<string>();
  ipFamilies.forEach((family, index) => {
    const at = `spec.ipFamilies[${index}]`;
    if (!families.includes(family)) errors.push(notSupported(at, family, families));
    if (seen.has(family)) errors.push(duplicate(at, family));
    seen.add(family);
  });
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy)) {
    errors.push(notSupported("spec.ipFamilyPolicy", ipFamilyPolicy, policies));
  }
  const wrong = validateAddresses(clusterIPs, previous?.clusterIPs ?? []);
  addAll(errors, wrong);
  if (clusterIPs.length > addressesMax) {
    errors.push(invalid(path, clusterIPs, "may only hold up to 2 values"));
  }
  // What follows would speak of the wrong address.
  if (wrong.length > 0) return errors;
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs)) {
    const why = "may specify no more than one IP for each IP family";
    errors.push(invalid(path, clusterIPs, why));
  }
  if (isHeadless(spec)) return errors;
  clusterIPs.slice(0, ipFamilies.length).forEach((address, index) => {
    const family = ipFamilies[index];
    const isOther = family === "IPv4" ? isIPv6(address) : family === "IPv6" && !isIPv6(address);
    if (!isOther) return;
    const why = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    errors.push(invalid(`${path}[${index}]`, address, why));
  });
  return errors;
}

function validateAddresses(
  addresses: readonly string[],
  known: readonly string[],
): readonly FieldError[] {
  return addresses.flatMap((address, index) => {
    if (index === 0 && address === "None") {
      if (addresses.length === 1) return [];
      return [invalid(path, addresses, "'None' must be the first and only value")];
    }
    if (known.includes(address)) return [];
    return invalidEach(`${path}[${index}]`, address, checkIpAddress(address));
  });
}

function isIPv6(address: string): boolean {
  return parseIp(address)?.family === "IPv6";
}

function isDualStack(addresses: readonly string[]): boolean {
  return new Set(addresses.map(isIPv6)).size === addressesMax;
}

/** Of ExternalName, which has no addresses. */
export function forbidClusterIPs({
  clusterIPs = [],
  ipFamilies = [],
  ipFamilyPolicy,
}: ServiceSpec): readonly FieldError[] {
  const why = "may not be set for ExternalName services";
  return [
    ...(clusterIPs.length > 0 ? [forbidden(path, why)] : []),
    ...(ipFamilies.length > 0 ? [forbidden("spec.ipFamilies", why)] : []),
    ...(ipFamilyPolicy === undefined ? [] : [forbidden("spec.ipFamilyPolicy", why)]),
  ];
}

const changed = "may not change once set";

/** What an update may not do to addresses: only the second one comes and goes. */
export function validateClusterIPsUpdate(
  next: ServiceSpec,
  previous: ServiceSpec,
): readonly FieldError[] {
  if (!needsClusterIP(next) || !needsClusterIP(previous)) return [];
  if (isHeadless(next) && isHeadless(previous)) return [];
  const { clusterIPs: now = [] } = next;
  const { clusterIPs: before = [] } = previous;
  if (now.length === before.length) {
    return before.flatMap((address, index) =>
      address === now[index] ? [] : [invalid(`${path}[${index}]`, now, changed)],
    );
  }
  const errors: FieldError[] = [];
  if (now.length === 0)
    errors.push(invalid(`${path}[0]`, now, "primary clusterIP can not be unset"));
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) {
    errors.push(invalid(`${path}[0]`, now, changed));
  }
  if (now.length === 1 && before.length > 1) addAll(errors, mustBeSingle(next, "clusterIP"));
  return errors;
}

export function validateIpFamiliesUpdate(
  next: ServiceSpec,
  previous: ServiceSpec,
): readonly FieldError[] {
  if (!needsClusterIP(next) || !needsClusterIP(previous)) return [];
  if (isHeadless(next) || isHeadless(previous)) return [];
  const at = "spec.ipFamilies[0]";
  const { ipFamilies: now = [], clusterIPs = [] } = next;
  const { ipFamilies: before = [] } = previous;
  if (now.length === before.length) {
    return before.flatMap((family, index) =>
      family === now[index] ? [] : [invalid(at, now, changed)],
    );
  }
  const errors: FieldError[] = [];
  if (now.length < before.length && clusterIPs.length === 0) {
    errors.push(invalid(at, now, "primary ipFamily can not be unset"));
  }
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) {
    errors.push(invalid(at, clusterIPs, changed));
  }
  if (now.length === 1 && before.length > 1) addAll(errors, mustBeSingle(next, "ipFamily"));
  return errors;
}

function mustBeSingle({ ipFamilyPolicy }: ServiceSpec, what: string): readonly FieldError[] {
  if (ipFamilyPolicy === "SingleStack") return [];
  const why = `must be set to 'SingleStack' when releasing the secondary ${what}`;
  return [invalid("spec.ipFamilyPolicy", ipFamilyPolicy, why)];
}

/** The family of an address that validation has let pass. */
export function familyOfAddress(address: string): "IPv4" | "IPv6" {
  return parseIp(address)?.family ?? ipFamilyOf(address) ?? "IPv4";
}
