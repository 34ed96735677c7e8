import { nameColumn } from "../columns.ts";
import { immutableDetail, invalid, invalidEach, required } from "../field-error.ts";
import {
  type IPAddress,
  ipAddressSchema,
  type ParentReference,
} from "../generated/networking-v1.generated.ts";
import { checkDnsSubdomain, checkPathSegment } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError, groupResourceOf } from "../resource.ts";
import { isAllocatedAddress } from "../shared/allocated-address.ts";
import { networkingGroup } from "../shared/networking.ts";
import { validateRequiredSegment } from "../shared/validate-references.ts";

export const ipAddressResource = defineResource<IPAddress>({
  group: networkingGroup,
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  shortNames: ["ip"],
  scope: "cluster",
  schema: ipAddressSchema,
  nameRule: "ip-address",
  // Made anew from the Services where a power cut takes some.
  durability: (address) => (isAllocatedAddress(address) ? "lazy" : "durable"),
  validateCreate: ({ spec }) => validateParent(spec.parentRef, "spec.parentRef"),
  validateUpdate: ({ spec: next }, { spec: previous }) =>
    equalJson(next.parentRef, previous.parentRef)
      ? []
      : [invalid("spec.parentRef", goParent(next.parentRef), immutableDetail)],
  columns: [
    nameColumn,
    {
      name: "ParentRef",
      type: "string",
      description: "The object that has the address.",
      cell: ({ spec }) => printParent(spec.parentRef),
    },
  ],
});

/** As upstream prints its own value. */
function goParent(parent: ParentReference | undefined): object | null {
  if (parent === undefined) return null;
  const { group = "", name, namespace = "", resource } = parent;
  return { Group: group, Resource: resource, Namespace: namespace, Name: name };
}

function printParent(parent: ParentReference | undefined): string {
  if (parent === undefined) return "<none>";
  const { group = "", name, namespace = "", resource } = parent;
  const what = groupResourceOf({ group, plural: resource }).toLowerCase();
  return `${what}${namespace === "" ? "" : `/${namespace}`}/${name}`;
}

function validateParent(parent: ParentReference | undefined, path: string): readonly FieldError[] {
  if (parent === undefined) return [required(path)];
  const { group = "", name, namespace = "", resource } = parent;
  return [
    ...(group === "" ? [] : invalidEach(`${path}.group`, group, checkDnsSubdomain(group))),
    ...validateRequiredSegment(resource, `${path}.resource`),
    ...validateRequiredSegment(name, `${path}.name`),
    ...invalidEach(`${path}.namespace`, namespace, checkPathSegment(namespace)),
  ];
}
