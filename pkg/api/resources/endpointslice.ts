import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import {
  duplicate,
  immutableDetail,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooMany,
} from "../field-error.ts";
import {
  type Endpoint,
  type EndpointPort,
  type EndpointSlice,
  endpointSliceSchema,
} from "../generated/discovery-v1.generated.ts";
import { checkIpAddress, ipWarnings, parseIp } from "../ip-address.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkQualifiedName,
  type TextCheck,
} from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { checkEndpointIp } from "../shared/endpoint-ip.ts";

export const endpointSliceResource = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "namespace",
  schema: endpointSliceSchema,
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  prepareCreate: dropTopology,
  prepareUpdate(slice, previous) {
    if (!equalJson(slice.endpoints ?? [], previous.endpoints ?? [])) dropTopology(slice);
  },
  generationChanged: (next, previous) =>
    !equalJson(contentOf(next), contentOf(previous)) ||
    !equalJson(next.metadata.labels ?? {}, previous.metadata.labels ?? {}),
  validate,
  validateUpdate: (next, previous) =>
    next.addressType === previous.addressType
      ? []
      : [invalid("addressType", next.addressType, immutableDetail)],
  warnings,
  columns: [
    nameColumn,
    {
      name: "AddressType",
      type: "string",
      description: "Of what kind the addresses are.",
      cell: ({ addressType }) => addressType,
    },
    {
      name: "Ports",
      type: "string",
      description: "The ports that serve.",
      cell: ({ ports = [] }) =>
        printSome(ports.map(({ name = "*", port }) => String(port ?? name))),
    },
    {
      name: "Endpoints",
      type: "string",
      description: "The addresses.",
      cell: ({ endpoints }) => printSome((endpoints ?? []).flatMap(({ addresses }) => addresses)),
    },
    ageColumn,
  ],
});

/** A field of the version before this one. */
function dropTopology(slice: Draft<EndpointSlice>): void {
  for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology;
}

function contentOf({ addressType, endpoints = [], ports = [] }: EndpointSlice): object {
  return { addressType, endpoints, ports };
}

/** The controller's own addresses are right by the time they are written. */
function warnings({ addressType, endpoints = [], metadata }: EndpointSlice): readonly string[] {
  const manager = metadata.labels?.["endpointslice.kubernetes.io/managed-by"];
  if (addressType === "FQDN") return ["spec.addressType: FQDN endpoints are deprecated"];
  if (manager === "endpointslice-controller.k8s.io") return [];
  return endpoints.flatMap(({ addresses }, index) =>
    (addresses ?? []).flatMap((address, at) =>
      ipWarnings(`endpoints[${index}].addresses[${at}]`, address),
    ),
  );
}

// ---- validation --------------------------------------------------------------

const addressTypes = ["FQDN", "IPv4", "IPv6"];
const protocols = ["SCTP", "TCP", "UDP"];
const endpointsMax = 1_000;
const addressesMax = 100;
const portsMax = 20_000;
const hintsMax = 8;

function validate({
  addressType,
  endpoints = [],
  ports = [],
}: EndpointSlice): readonly FieldError[] {
  const errors: FieldError[] = [];
  if ((addressType as string) === "") errors.push(required("addressType"));
  else if (!addressTypes.includes(addressType)) {
    errors.push(notSupported("addressType", addressType, addressTypes));
  }
  if (endpoints.length > endpointsMax) {
    errors.push(tooMany("endpoints", endpoints.length, endpointsMax));
  } else {
    endpoints.forEach((endpoint, index) => {
      validateEndpoint(endpoint, addressType, `endpoints[${index}]`, errors);
    });
  }
  if (ports.length > portsMax) errors.push(tooMany("ports", ports.length, portsMax));
  else validatePorts(ports, errors);
  return errors;
}

function validatePorts(ports: readonly EndpointPort[], errors: FieldError[]): void {
  const names = new Set<string>();
  ports.forEach(({ appProtocol, name = "", protocol = "" }, index) => {
    const at = `ports[${index}]`;
    if (name !== "") addAll(errors, invalidEach(`${at}.name`, name, checkDnsLabel(name)));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (!protocols.includes(protocol)) {
      errors.push(notSupported(`${at}.protocol`, protocol, protocols));
    }
    if (appProtocol !== undefined) {
      const problems = checkQualifiedName(appProtocol);
      addAll(errors, invalidEach(`${at}.appProtocol`, appProtocol, problems));
    }
  });
}

function validateEndpoint(
  { addresses = [], hints, hostname, nodeName }: Partial<Endpoint>,
  addressType: string,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.addresses`;
  if (addresses.length === 0) {
    errors.push(required(at, "must contain at least 1 address"));
  } else if (addresses.length > addressesMax) {
    errors.push(tooMany(at, addresses.length, addressesMax));
  }
  addresses.forEach((address, index) => {
    addAll(errors, validateAddress(address, addressType, `${at}[${index}]`));
  });
  if (nodeName !== undefined) {
    addAll(errors, invalidEach(`${path}.nodeName`, nodeName, checkDnsSubdomain(nodeName)));
  }
  if (hostname !== undefined) {
    addAll(errors, invalidEach(`${path}.hostname`, hostname, checkDnsLabel(hostname)));
  }
  validateHints(hints?.forZones ?? [], checkLabelValue, `${path}.hints.forZones`, errors);
  validateHints(hints?.forNodes ?? [], checkDnsSubdomain, `${path}.hints.forNodes`, errors);
}

function validateHints(
  hints: readonly { readonly name: string }[],
  check: TextCheck,
  path: string,
  errors: FieldError[],
): void {
  if (hints.length > hintsMax) {
    errors.push(tooMany(path, hints.length, hintsMax));
    return;
  }
  const seen = new Set<string>();
  hints.forEach(({ name }, index) => {
    const at = `${path}[${index}].name`;
    if (seen.has(name)) errors.push(duplicate(at, name));
    else addAll(errors, invalidEach(at, name, check(name)));
    seen.add(name);
  });
}

function validateAddress(
  address: string,
  addressType: string,
  path: string,
): readonly FieldError[] {
  if (addressType === "FQDN") return validateDomain(address, path);
  if (addressType !== "IPv4" && addressType !== "IPv6") return [];
  const problems = checkIpAddress(address);
  if (problems.length > 0) return invalidEach(path, address, problems);
  const isOther = parseIp(address)?.family !== addressType;
  return [
    ...(isOther ? [invalid(path, address, `must be an ${addressType} address`)] : []),
    ...invalidEach(path, address, checkEndpointIp(address)),
  ];
}

function validateDomain(domain: string, path: string): readonly FieldError[] {
  if (domain === "") return [required(path)];
  const name = domain.replace(/\.$/, "");
  const problems = checkDnsSubdomain(name);
  if (problems.length > 0) return [invalid(path, name, problems.join(","))];
  const labels = name.split(".");
  if (labels.length < 2) {
    const why = "should be a domain with at least two segments separated by dots";
    return [invalid(path, name, why)];
  }
  const wrong = labels.find((label) => checkDnsLabel(label).length > 0);
  return wrong === undefined ? [] : [invalid(path, wrong, checkDnsLabel(wrong).join(","))];
}

const shownMax = 3;

function printSome(texts: readonly string[]): string {
  if (texts.length === 0) return "<unset>";
  const shown = texts.slice(0, shownMax).join(",");
  return texts.length > shownMax ? `${shown} + ${texts.length - shownMax} more...` : shown;
}
