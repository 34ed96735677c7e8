import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalidEach, notSupported, required } from "../field-error.ts";
import {
  type EndpointAddress,
  type EndpointSubset,
  type Endpoints,
  endpointsSchema,
} from "../generated/core-v1.generated.ts";
import { checkIpAddress, ipFamilyOf, ipWarnings } from "../ip-address.ts";
import { checkDnsLabel, checkDnsSubdomain, checkPortNumber, checkQualifiedName } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { checkEndpointIp } from "../shared/endpoint-ip.ts";

export const endpointsResource = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  scope: "namespace",
  schema: endpointsSchema,
  deprecationWarning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  defaults({ subsets }) {
    for (const subset of subsets ?? []) {
      for (const port of subset.ports ?? []) port.protocol ||= "TCP";
    }
  },
  validateCreate: validate,
  // What was once let pass stays as it is.
  validateUpdate: (next, previous) =>
    equalJson(next.subsets ?? [], previous.subsets ?? []) ? [] : validate(next),
  warnings,
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

const fields = ["addresses", "notReadyAddresses"] as const;

/** The controller's own addresses are right by the time they are written. */
function warnings({ metadata, subsets = [] }: Endpoints): readonly string[] {
  if (metadata.labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller") return [];
  return subsets.flatMap((subset, index) =>
    fields.flatMap((field) =>
      (subset[field] ?? []).flatMap(({ ip }, at) =>
        ipWarnings(`subsets[${index}].${field}[${at}].ip`, ip),
      ),
    ),
  );
}

function validate({ subsets = [] }: Endpoints): readonly FieldError[] {
  return subsets.flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`));
}

function validateSubset(subset: EndpointSubset, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
  }
  for (const field of fields) {
    (subset[field] ?? []).forEach((address, index) => {
      addAll(errors, validateAddress(address, `${path}.${field}[${index}]`));
    });
  }
  ports.forEach(({ appProtocol, name = "", port, protocol = "" }, index) => {
    const at = `${path}.ports[${index}]`;
    if (name === "") {
      if (ports.length > 1) errors.push(required(`${at}.name`));
    } else addAll(errors, invalidEach(`${at}.name`, name, checkDnsLabel(name)));
    addAll(errors, invalidEach(`${at}.port`, port, checkPortNumber(port)));
    if (!["SCTP", "TCP", "UDP"].includes(protocol)) {
      errors.push(notSupported(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
    }
    if (appProtocol !== undefined) {
      const problems = checkQualifiedName(appProtocol);
      addAll(errors, invalidEach(`${at}.appProtocol`, appProtocol, problems));
    }
  });
  return errors;
}

function validateAddress(
  { hostname = "", ip, nodeName }: EndpointAddress,
  path: string,
): readonly FieldError[] {
  return [
    ...invalidEach(`${path}.ip`, ip, checkIpAddress(ip)),
    ...(hostname === "" ? [] : invalidEach(`${path}.hostname`, hostname, checkDnsLabel(hostname))),
    ...(nodeName === undefined
      ? []
      : invalidEach(`${path}.nodeName`, nodeName, checkDnsSubdomain(nodeName))),
    ...invalidEach(`${path}.ip`, ip, checkEndpointIp(ip)),
  ];
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
