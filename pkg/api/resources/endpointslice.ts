import { ageColumn, nameColumn } from "../columns.ts";
import {
  duplicate,
  immutableDetail,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import {
  type Endpoint,
  type EndpointSlice,
  endpointSliceSchema,
} from "../generated/discovery-v1.generated.ts";
import { ipFamilyOf } from "../ip-address.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../names.ts";
import { defineResource, type FieldError } from "../resource.ts";

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
      port.protocol ||= "TCP";
    }
  },
  validate,
  validateUpdate: (next, previous) =>
    next.addressType === previous.addressType
      ? []
      : [invalid("addressType", next.addressType, immutableDetail)],
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
      cell: ({ ports = [] }) => printSome(ports.map(({ port }) => String(port ?? "*"))),
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

const addressTypes = ["FQDN", "IPv4", "IPv6"];
const protocols = ["SCTP", "TCP", "UDP"];
const endpointsMax = 1_000;
const addressesMax = 100;
const portsMax = 20_000;

function validate({ addressType, endpoints, ports = [] }: EndpointSlice): readonly FieldError[] {
  const errors: FieldError[] = [];
  if ((addressType as string) === "") errors.push(required("addressType"));
  else if (!addressTypes.includes(addressType)) {
    errors.push(notSupported("addressType", addressType, addressTypes));
  }
  const list = endpoints ?? [];
  if (list.length > endpointsMax) errors.push(tooMany("endpoints", list.length, endpointsMax));
  list.forEach((endpoint, index) => {
    validateEndpoint(endpoint, addressType, `endpoints[${index}]`, errors);
  });
  if (ports.length > portsMax) errors.push(tooMany("ports", ports.length, portsMax));
  const names = new Set<string>();
  ports.forEach(({ name = "", protocol = "" }, index) => {
    const at = `ports[${index}]`;
    if (name !== "") errors.push(...invalidEach(`${at}.name`, name, checkDnsLabel(name)));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (!protocols.includes(protocol)) {
      errors.push(notSupported(`${at}.protocol`, protocol, protocols));
    }
  });
  return errors;
}

function tooMany(path: string, count: number, max: number): FieldError {
  return { type: "Too many", path, value: count, detail: `must have at most ${max} items` };
}

function validateEndpoint(
  { addresses = [], hostname, nodeName }: Partial<Endpoint>,
  addressType: string,
  path: string,
  errors: FieldError[],
): void {
  if (addresses.length === 0) {
    errors.push(required(`${path}.addresses`, "must contain at least 1 address"));
  } else if (addresses.length > addressesMax) {
    errors.push(tooMany(`${path}.addresses`, addresses.length, addressesMax));
  }
  addresses.forEach((address, index) => {
    errors.push(
      ...invalidEach(`${path}.addresses[${index}]`, address, checkAddress(address, addressType)),
    );
  });
  if (hostname !== undefined) {
    errors.push(...invalidEach(`${path}.hostname`, hostname, checkDnsLabel(hostname)));
  }
  if (nodeName !== undefined) {
    errors.push(...invalidEach(`${path}.nodeName`, nodeName, checkDnsSubdomain(nodeName)));
  }
}

function checkAddress(address: string, addressType: string): readonly string[] {
  switch (addressType) {
    case "IPv4":
    case "IPv6":
      return ipFamilyOf(address) === addressType ? [] : [`must be a valid ${addressType} address`];
    case "FQDN":
      return checkDnsSubdomain(address);
    default:
      return [];
  }
}

const shownMax = 3;

function printSome(texts: readonly string[]): string {
  if (texts.length === 0) return "<unset>";
  const shown = texts.slice(0, shownMax).join(",");
  return texts.length > shownMax ? `${shown} + ${texts.length - shownMax} more...` : shown;
}
