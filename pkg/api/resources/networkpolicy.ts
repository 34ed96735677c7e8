import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../field-error.ts";
import {
  type IPBlock,
  type NetworkPolicy,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  networkPolicySchema,
} from "../generated/networking-v1.generated.ts";
import { checkCidr, cidrWarnings, containsCidr, parseCidr } from "../ip-address.ts";
import { formatLabelSelector, validateLabelSelector } from "../labels.ts";
import { checkPortName, checkPortNumber } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { networkingGroup } from "../shared/networking.ts";

export const networkPolicyResource = defineResource<NetworkPolicy>({
  group: networkingGroup,
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  shortNames: ["netpol"],
  scope: "namespace",
  schema: networkPolicySchema,
  defaults,
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  validateCreate: (policy) => validate(policy, new Set()),
  // A block that was allowed before stays allowed, wherever in the policy it is now.
  validateUpdate: (next, previous) => validate(next, new Set(blocksOf(previous).flatMap(cidrsOf))),
  warnings: (policy) =>
    peersOf(policy).flatMap(({ peer: { ipBlock }, path }) => {
      if (ipBlock === undefined) return [];
      return [
        ...cidrWarnings(`${path}.ipBlock.cidr`, ipBlock.cidr),
        ...(ipBlock.except ?? []).flatMap((cidr, index) =>
          cidrWarnings(`${path}.ipBlock.except[${index}]`, cidr),
        ),
      ];
    }),
  columns: [
    nameColumn,
    {
      name: "Pod-Selector",
      type: "string",
      description: "The pods that the policy is for.",
      cell: ({ spec }) => formatLabelSelector(spec.podSelector),
    },
    ageColumn,
  ],
});

function defaults({ spec }: Draft<NetworkPolicy>): void {
  for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of ports ?? []) port.protocol ??= "TCP";
  }
  if ((spec.policyTypes ?? []).length > 0) return;
  spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

interface Rule {
  readonly ports?: readonly NetworkPolicyPort[];
  readonly peers: readonly NetworkPolicyPeer[];
  readonly path: string;
  readonly peersPath: string;
}

/** The rules of both directions alike. */
function rulesOf({ spec }: NetworkPolicy): readonly Rule[] {
  const rule = (
    ports: Rule["ports"],
    peers: Rule["peers"] | undefined,
    path: string,
    to: string,
  ) => ({
    ...(ports === undefined ? {} : { ports }),
    peers: peers ?? [],
    path,
    peersPath: `${path}.${to}`,
  });
  return [
    ...(spec.ingress ?? []).map(({ ports, from }, index) =>
      rule(ports, from, `spec.ingress[${index}]`, "from"),
    ),
    ...(spec.egress ?? []).map(({ ports, to }, index) =>
      rule(ports, to, `spec.egress[${index}]`, "to"),
    ),
  ];
}

function peersOf(policy: NetworkPolicy) {
  return rulesOf(policy).flatMap(({ peers, peersPath }) =>
    peers.map((peer, index) => ({ peer, path: `${peersPath}[${index}]` })),
  );
}

function blocksOf(policy: NetworkPolicy): readonly IPBlock[] {
  return peersOf(policy).flatMap(({ peer }) => peer.ipBlock ?? []);
}

function cidrsOf({ cidr, except = [] }: IPBlock): readonly string[] {
  return [cidr, ...except];
}

const typesMax = 2;

function validate(policy: NetworkPolicy, known: ReadonlySet<string>): readonly FieldError[] {
  const { spec } = policy;
  const errors: FieldError[] = [...validateLabelSelector(spec.podSelector, "spec.podSelector")];
  for (const { ports = [], peers, path, peersPath } of rulesOf(policy)) {
    ports.forEach((port, index) => {
      validatePort(port, `${path}.ports[${index}]`, errors);
    });
    peers.forEach((peer, index) => {
      validatePeer(peer, known, `${peersPath}[${index}]`, errors);
    });
  }
  const types: readonly string[] = spec.policyTypes ?? [];
  if (types.length > typesMax) {
    errors.push(invalid("spec.policyTypes", types, "may not specify more than two policyTypes"));
    return errors;
  }
  types.forEach((type, index) => {
    if (type !== "Ingress" && type !== "Egress") {
      errors.push(notSupported(`spec.policyTypes[${index}]`, type, ["Ingress", "Egress"]));
    }
  });
  return errors;
}

const protocols: readonly string[] = ["TCP", "UDP", "SCTP"];

function validatePort(
  { endPort, port, protocol }: NetworkPolicyPort,
  path: string,
  errors: FieldError[],
): void {
  if (protocol !== undefined && !protocols.includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, protocols));
  }
  const wrongEnd = (detail: string) => errors.push(invalid(`${path}.endPort`, endPort, detail));
  if (port === undefined) {
    if (endPort !== undefined) wrongEnd("may not be specified when `port` is not specified");
  } else if (typeof port === "string") {
    if (endPort !== undefined) wrongEnd("may not be specified when `port` is non-numeric");
    addAll(errors, invalidEach(`${path}.port`, port, checkPortName(port)));
  } else {
    addAll(errors, invalidEach(`${path}.port`, port, checkPortNumber(port)));
    if (endPort === undefined) return;
    if (endPort < port) wrongEnd("must be greater than or equal to `port`");
    for (const detail of checkPortNumber(endPort)) wrongEnd(detail);
  }
}

function validatePeer(
  { ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer,
  known: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  errors.push(
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
  );
  const selects = podSelector !== undefined || namespaceSelector !== undefined;
  if (ipBlock !== undefined) validateBlock(ipBlock, known, `${path}.ipBlock`, errors);
  if (ipBlock === undefined && !selects) errors.push(required(path, "must specify a peer"));
  else if (ipBlock !== undefined && selects) {
    errors.push(forbidden(path, "may not specify both ipBlock and another peer"));
  }
}

function validateBlock(
  { cidr, except = [] }: IPBlock,
  known: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  const check = (text: string) => (known.has(text) ? [] : checkCidr(text));
  if (cidr === "") {
    errors.push(required(`${path}.cidr`));
    return;
  }
  addAll(errors, invalidEach(`${path}.cidr`, cidr, check(cidr)));
  const outer = parseCidr(cidr);
  if (outer === undefined) return;
  except.forEach((text, index) => {
    const at = `${path}.except[${index}]`;
    addAll(errors, invalidEach(at, text, check(text)));
    const inner = parseCidr(text);
    if (inner === undefined) return;
    if (!containsCidr(outer, inner) || inner.prefixBits === outer.prefixBits) {
      errors.push(invalid(at, text, "must be a strict subset of `cidr`"));
    }
  });
}
