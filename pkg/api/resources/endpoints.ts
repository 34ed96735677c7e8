import { ageColumn, nameColumn } from "../columns.ts";
import { invalidEach, notSupported, required } from "../field-error.ts";
import {
  type EndpointSubset,
  type Endpoints,
  endpointsSchema,
} from "../generated/core-v1.generated.ts";
import { checkIpAddress, ipFamilyOf } from "../ip-address.ts";
import { checkDnsLabel, checkPortNumber } from "../names.ts";
import { defineResource, type FieldError } from "../resource.ts";

export const endpointsResource = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  scope: "namespace",
  schema: endpointsSchema,
  defaults({ subsets }) {
    for (const subset of subsets ?? []) {
      for (const port of subset.ports ?? []) port.protocol ||= "TCP";
    }
  },
  validate: ({ subsets }) =>
    (subsets ?? []).flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`)),
  columns: [
    nameColumn,
    {
      name: "Endpoints",
      type: "string",
      description: "The addresses and ports that serve.",
      cell: printEndpoints,
    },
    ageColumn,
  ],
});

function validateSubset(subset: EndpointSubset, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
  }
  for (const [field, list] of Object.entries({ addresses, notReadyAddresses })) {
    list.forEach(({ ip }, index) => {
      errors.push(...invalidEach(`${path}.${field}[${index}].ip`, ip, checkIpAddress(ip)));
    });
  }
  ports.forEach(({ name = "", port, protocol = "" }, index) => {
    const at = `${path}.ports[${index}]`;
    if (name === "") {
      if (ports.length > 1) errors.push(required(`${at}.name`));
    } else errors.push(...invalidEach(`${at}.name`, name, checkDnsLabel(name)));
    errors.push(...invalidEach(`${at}.port`, port, checkPortNumber(port)));
    if (!["SCTP", "TCP", "UDP"].includes(protocol)) {
      errors.push(notSupported(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
    }
  });
  return errors;
}

const shownMax = 3;

function printEndpoints({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => joinHostPort(ip, port))),
  );
  const shown = all.slice(0, shownMax).join(",");
  return all.length > shownMax ? `${shown} + ${all.length - shownMax} more...` : shown;
}

function joinHostPort(address: string, port: number): string {
  return ipFamilyOf(address) === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
