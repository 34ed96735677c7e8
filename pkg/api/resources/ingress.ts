import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalid, invalidEach, notSupported, required } from "../field-error.ts";
import {
  type HTTPIngressPath,
  type Ingress,
  type IngressBackend,
  type IngressRule,
  type IngressServiceBackend,
  type IngressSpec,
  type IngressTLS,
  ingressSchema,
} from "../generated/networking-v1.generated.ts";
import { checkIpAddress, parseIp } from "../ip-address.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkPortName,
  checkPortNumber,
  checkWildcardDnsSubdomain,
} from "../names.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { networkingGroup } from "../shared/networking.ts";
import { validateTypedReference } from "../shared/validate-references.ts";

export const ingressResource = defineResource<Ingress>({
  group: networkingGroup,
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["ing"],
  scope: "namespace",
  schema: ingressSchema,
  subresources: { status: true },
  prepareCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  validate: (ingress) => validateSpec(ingress.spec),
  validateCreate: validateClass,
  validateStatusUpdate,
  warnings: ({ metadata, spec }, previous) =>
    previous === undefined &&
    metadata.annotations?.[classAnnotation] !== undefined &&
    spec.ingressClassName === undefined
      ? [
          `annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`,
        ]
      : [],
  columns: [
    nameColumn,
    {
      name: "Class",
      type: "string",
      description: "The class of controllers that serve it.",
      cell: ({ spec }) => spec.ingressClassName ?? "<none>",
    },
    {
      name: "Hosts",
      type: "string",
      description: "The hosts whose requests the rules are for.",
      cell: ({ spec }) => printHosts(spec.rules ?? []),
    },
    {
      name: "Address",
      type: "string",
      description: "Where requests arrive.",
      cell: printAddresses,
    },
    {
      name: "Ports",
      type: "string",
      description: "The ports that are open.",
      cell: ({ spec }) => ((spec.tls ?? []).length > 0 ? "80, 443" : "80"),
    },
    ageColumn,
  ],
});

const hostsShownMax = 3;

function printHosts(rules: readonly IngressRule[]): string {
  const shown: string[] = [];
  let hasMore = false;
  for (const { host = "" } of rules) {
    if (shown.length === hostsShownMax) hasMore = true;
    if (!hasMore && host !== "") shown.push(host);
  }
  if (shown.length === 0) return "*";
  const text = shown.join(",");
  return hasMore ? `${text} + ${rules.length - hostsShownMax} more...` : text;
}

function printAddresses({ status }: Ingress): string {
  const shown = (status.loadBalancer.ingress ?? [])
    .map(({ ip, hostname }) => ip || hostname || "")
    .filter((address) => address !== "");
  return [...new Set(shown)].sort().join(",");
}

// ---- validation --------------------------------------------------------------

const classAnnotation = "kubernetes.io/ingress.class";

function validateClass({ metadata, spec }: Ingress): readonly FieldError[] {
  const annotated = metadata.annotations?.[classAnnotation];
  const named = spec.ingressClassName;
  if (annotated === undefined || named === undefined || annotated === named) return [];
  return [
    invalid(
      `annotations.${classAnnotation}`,
      annotated,
      "must match `ingressClassName` when both are specified",
    ),
  ];
}

function validateSpec(spec: IngressSpec): readonly FieldError[] {
  const errors: FieldError[] = [];
  const rules = spec.rules ?? [];
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    errors.push(
      invalid("spec", spec.rules ?? null, "either `defaultBackend` or `rules` must be specified"),
    );
  }
  if (spec.defaultBackend !== undefined) {
    validateBackend(spec.defaultBackend, "spec.defaultBackend", errors);
  }
  rules.forEach((rule, index) => {
    validateRule(rule, `spec.rules[${index}]`, errors);
  });
  (spec.tls ?? []).forEach((tls, index) => {
    validateTls(tls, `spec.tls[${index}]`, errors);
  });
  const className = spec.ingressClassName;
  if (className !== undefined) {
    addAll(errors, invalidEach("spec.ingressClassName", className, checkDnsSubdomain(className)));
  }
  return errors;
}

function checkHost(host: string): readonly string[] {
  return host.includes("*") ? checkWildcardDnsSubdomain(host) : checkDnsSubdomain(host);
}

function validateTls({ hosts, secretName = "" }: IngressTLS, path: string, errors: FieldError[]) {
  (hosts ?? []).forEach((host, index) => {
    addAll(errors, invalidEach(`${path}.hosts[${index}]`, host, checkHost(host)));
  });
  if (secretName !== "") {
    addAll(errors, invalidEach(`${path}.secretName`, secretName, checkDnsSubdomain(secretName)));
  }
}

const noIpDetail = "must be a DNS name, not an IP address";

function validateRule({ host = "", http }: IngressRule, path: string, errors: FieldError[]): void {
  if (host !== "") {
    if (parseIp(host) !== undefined) errors.push(invalid(`${path}.host`, host, noIpDetail));
    addAll(errors, invalidEach(`${path}.host`, host, checkHost(host)));
  }
  if (http === undefined) return;
  const { paths = [] } = http;
  if (paths.length === 0) errors.push(required(`${path}.http.paths`));
  paths.forEach((each, index) => {
    validatePath(each, `${path}.http.paths[${index}]`, errors);
  });
}

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const refusedSequences = ["//", "/./", "/../", "%2f", "%2F"];
const refusedSuffixes = ["/..", "/."];

function validatePath(each: HTTPIngressPath, path: string, errors: FieldError[]): void {
  const { path: text = "" } = each;
  // It is required, yet a client may leave it out.
  const pathType: string | undefined = each.pathType;
  const wrong = (detail: string) => errors.push(invalid(`${path}.path`, text, detail));
  const absolute = () => text.startsWith("/") || wrong("must be an absolute path");
  switch (pathType) {
    case undefined:
      errors.push(required(`${path}.pathType`, "pathType must be specified"));
      return;
    case "Exact":
    case "Prefix":
      absolute();
      for (const sequence of refusedSequences) {
        if (text.includes(sequence)) wrong(`must not contain '${sequence}'`);
      }
      for (const suffix of refusedSuffixes) {
        if (text.endsWith(suffix)) wrong(`cannot end with '${suffix}'`);
      }
      break;
    case "ImplementationSpecific":
      if (text !== "") absolute();
      break;
    default:
      errors.push(notSupported(`${path}.pathType`, pathType, pathTypes));
  }
  validateBackend(each.backend, `${path}.backend`, errors);
}

function validateBackend(
  { resource, service }: IngressBackend,
  path: string,
  errors: FieldError[],
): void {
  if (resource !== undefined && service !== undefined) {
    errors.push(invalid(path, "", "cannot set both resource and service backends"));
  } else if (resource !== undefined) {
    addAll(errors, validateTypedReference(resource, `${path}.resource`));
  } else if (service !== undefined) validateServiceBackend(service, path, errors);
  else errors.push(invalid(path, "", "resource or service backend is required"));
}

function validateServiceBackend(
  { name, port }: IngressServiceBackend,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.service`;
  if (name === "") errors.push(required(`${at}.name`));
  else addAll(errors, invalidEach(`${at}.name`, name, checkDnsLabel(name)));
  const { name: portName = "", number = 0 } = port;
  if (portName !== "" && number !== 0) {
    errors.push(invalid(path, "", "cannot set both port name & port number"));
  } else if (portName !== "") {
    addAll(errors, invalidEach(`${at}.port.name`, portName, checkPortName(portName)));
  } else if (number !== 0) {
    addAll(errors, invalidEach(`${at}.port.number`, number, checkPortNumber(number)));
  } else errors.push(required(path, "port name or number is required"));
}

function validateStatusUpdate(next: Ingress, previous: Ingress): readonly FieldError[] {
  const errors: FieldError[] = [];
  const before = new Set((previous.status.loadBalancer.ingress ?? []).map(({ ip }) => ip));
  (next.status.loadBalancer.ingress ?? []).forEach(({ ip = "", hostname = "" }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`;
    if (ip !== "" && !before.has(ip)) {
      addAll(errors, invalidEach(`${path}.ip`, ip, checkIpAddress(ip)));
    }
    if (hostname === "") return;
    addAll(errors, invalidEach(`${path}.hostname`, hostname, checkDnsSubdomain(hostname)));
    if (parseIp(hostname) !== undefined) {
      errors.push(invalid(`${path}.hostname`, hostname, noIpDetail));
    }
  });
  return errors;
}
