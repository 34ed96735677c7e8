import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, immutableDetail, invalid, invalidEach, required } from "../field-error.ts";
import {
  type ServiceCIDR,
  type ServiceCIDRSpec,
  serviceCIDRSchema,
} from "../generated/networking-v1.generated.ts";
import { checkCanonicalCidr, parseCidr } from "../ip-address.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { networkingGroup } from "../shared/networking.ts";
import { keepMetadataOfStatus } from "../shared/status-metadata.ts";

export const serviceCIDRResource = defineResource<ServiceCIDR>({
  group: networkingGroup,
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  scope: "cluster",
  schema: serviceCIDRSchema,
  subresources: { status: true },
  resetFields: { "": [["status"]], status: [["metadata"], ["spec"]] },
  prepareStatusUpdate: keepMetadataOfStatus,
  countsGenerations: false,
  validateCreate: ({ metadata, spec }) => {
    const errors = validateSpec(spec);
    return errors.length === 0 && metadata.name !== "kubernetes" ? [notUsed] : errors;
  },
  validateUpdate: (next, previous) => {
    const [now, before] = [next.spec.cidrs ?? [], previous.spec.cidrs ?? []];
    const errors = validateChange(next.spec, now, before);
    return errors.length === 0 && now.length > before.length ? [notUsed] : errors;
  },
  columns: [
    nameColumn,
    {
      name: "CIDRs",
      type: "string",
      description: "The blocks of addresses, one for each IP family.",
      cell: ({ spec }) => (spec.cidrs ?? []).join(","),
    },
    ageColumn,
  ],
});

const path = "spec.cidrs";
/** Of every block but the one that the server was started with. */
const notUsed = forbidden(
  path,
  "this server gives Services addresses of its --service-cidr only; a further block is refused rather than ignored",
);
const familiesMax = 2;

function validateSpec(spec: ServiceCIDRSpec): readonly FieldError[] {
  const cidrs = spec.cidrs ?? [];
  if (cidrs.length === 0) return [required(path, "at least one CIDR required")];
  if (cidrs.length > familiesMax) {
    return [invalid(path, { CIDRs: cidrs }, "may only hold up to 2 values")];
  }
  const errors = cidrs.flatMap((cidr, index) =>
    invalidEach(`${path}[${index}]`, cidr, checkCanonicalCidr(cidr)),
  );
  const families = cidrs.flatMap((cidr) => parseCidr(cidr)?.family ?? []);
  if (families.length === familiesMax && families[0] === families[1]) {
    errors.push(
      invalid(
        path,
        cidrs,
        "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
      ),
    );
  }
  return errors;
}

/** Nothing changes but from one family to two. */
function validateChange(
  spec: ServiceCIDRSpec,
  next: readonly string[],
  previous: readonly string[],
): readonly FieldError[] {
  const growsToTwo = previous.length === 1 && next.length === familiesMax;
  if (next.length !== previous.length && !growsToTwo) {
    return [invalid(path, next, immutableDetail)];
  }
  const changed = previous.flatMap((cidr, index) =>
    cidr === next[index] ? [] : [invalid(`${path}[${index}]`, next[index], immutableDetail)],
  );
  return growsToTwo ? [...changed, ...validateSpec(spec)] : changed;
}
