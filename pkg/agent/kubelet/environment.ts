import type {
  Container,
  EnvFromSource,
  EnvVar,
  ObjectFieldSelector,
  Pod,
  ResourceFieldSelector,
  Service,
} from "../../api/generated/core-v1.generated.ts";
import { parseQuantity } from "../../api/quantity.ts";

/** The data of a ConfigMap or a Secret, as text. Undefined: there is no such object. */
export type Lookup = (
  kind: "configmap" | "secret",
  name: string,
) => Readonly<Record<string, string>> | undefined;

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly lookup: Lookup;
  /** The Services of the pod's namespace and `default/kubernetes`. */
  readonly services: readonly Service[];
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly allocatable: Readonly<Record<string, string>>;
}

/** What the container cannot be created without is missing or wrong: the reason is CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  override readonly name = "ContainerConfigError";
}

/** The container's variables: those of the Services, then envFrom, then env with `$(NAME)` expanded. */
export function environmentOf(input: EnvironmentInput): ReadonlyMap<string, string> {
  const { container, lookup } = input;
  const services = serviceEnvironment(input);
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [name, value] of fromSource(source, lookup)) result.set(name, value);
  }
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? "", (name) => result.get(name) ?? services.get(name))
        : valueFrom(variable, input);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

/** Replaces `$(NAME)` by its value; an unknown one stays as it is, and `$$` is a single `$`. */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, mark: string, name: string | undefined) =>
    mark === "$" ? "$" : (lookUp(name ?? "") ?? whole),
  );
}

function fromSource(source: EnvFromSource, lookup: Lookup): readonly (readonly [string, string])[] {
  const [kind, reference] =
    source.configMapRef === undefined
      ? (["secret", source.secretRef] as const)
      : (["configmap", source.configMapRef] as const);
  const name = reference?.name ?? "";
  const data = lookup(kind, name);
  if (data === undefined) {
    if (reference?.optional === true) return [];
    throw missing(kind, name);
  }
  return Object.entries(data)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => [`${source.prefix ?? ""}${key}`, value] as const)
    .filter(([key]) => isVariableName(key));
}

function valueFrom(variable: EnvVar, input: EnvironmentInput): string | undefined {
  const source = variable.valueFrom;
  if (source?.fieldRef !== undefined) return fieldValue(source.fieldRef, input);
  if (source?.resourceFieldRef !== undefined)
    return resourceValue(source.resourceFieldRef, input.pod, input.container, input.allocatable);
  if (source?.fileKeyRef !== undefined)
    throw new ContainerConfigError(
      `variable ${variable.name}: fileKeyRef is not supported by this node, use configMapKeyRef or secretKeyRef`,
    );
  const [kind, selector] =
    source?.configMapKeyRef === undefined
      ? (["secret", source?.secretKeyRef] as const)
      : (["configmap", source.configMapKeyRef] as const);
  if (selector === undefined) return undefined;
  const data = input.lookup(kind, selector.name ?? "");
  const value = data === undefined ? undefined : own(data, selector.key);
  if (value !== undefined) return value;
  if (selector.optional === true) return undefined;
  if (data === undefined) throw missing(kind, selector.name ?? "");
  const noun = kind === "secret" ? "Secret" : "ConfigMap";
  throw new ContainerConfigError(
    `couldn't find key ${selector.key} in ${noun} ${input.pod.metadata.namespace}/${selector.name}`,
  );
}

function missing(kind: "configmap" | "secret", name: string): ContainerConfigError {
  return new ContainerConfigError(`${kind} ${JSON.stringify(name)} not found`);
}

function own(data: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(data, key) ? data[key] : undefined;
}

function isVariableName(name: string): boolean {
  return name !== "" && !/[=\0]/.test(name) && /^[\x20-\x7e]+$/.test(name);
}

/** The downward API's view of a pod, for variables and for files. */
export function fieldValue(
  selector: ObjectFieldSelector,
  context: Pick<EnvironmentInput, "pod" | "podIps" | "hostIps">,
): string {
  const { pod, podIps, hostIps } = context;
  const { metadata, spec } = pod;
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(selector.fieldPath) ?? [];
  if (map === "labels") return metadata.labels?.[key ?? ""] ?? "";
  if (map === "annotations") return metadata.annotations?.[key ?? ""] ?? "";
  switch (selector.fieldPath) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid;
    case "metadata.labels":
      return formatMap(metadata.labels);
    case "metadata.annotations":
      return formatMap(metadata.annotations);
    case "spec.nodeName":
      return spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "";
    case "status.hostIP":
      return hostIps[0] ?? "";
    case "status.hostIPs":
      return hostIps.join(",");
    case "status.podIP":
      return podIps[0] ?? "";
    case "status.podIPs":
      return podIps.join(",");
    default:
      throw new ContainerConfigError(`unsupported fieldPath: ${selector.fieldPath}`);
  }
}

function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}

/** A request or limit of a container in units of the divisor; a missing limit is what the node can allot. */
export function resourceValue(
  selector: ResourceFieldSelector,
  pod: Pod,
  container: Container,
  allocatable: Readonly<Record<string, string>>,
): string {
  const named =
    selector.containerName === undefined || selector.containerName === ""
      ? container
      : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(
          ({ name }) => name === selector.containerName,
        );
  if (named === undefined)
    throw new ContainerConfigError(`container ${selector.containerName} not found`);
  const [list, ...rest] = selector.resource.split(".");
  const resource = rest.join(".");
  const { limits, requests } = named.resources ?? {};
  const text =
    list === "limits"
      ? (limits?.[resource] ?? allocatable[resource])
      : (requests?.[resource] ?? limits?.[resource]);
  if (list !== "limits" && list !== "requests")
    throw new ContainerConfigError(`unsupported container resource : ${selector.resource}`);
  if (text === undefined) return "0";
  const divisor = parseQuantity(selector.divisor ?? "1");
  const units = divisor.nanos === 0n ? parseQuantity("1") : divisor;
  const nanos = parseQuantity(text).nanos;
  return String((nanos + units.nanos - 1n) / units.nanos);
}

function serviceEnvironment({ pod, services }: EnvironmentInput): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const wanted = services.filter(({ metadata, spec }) => {
    const ip = spec.clusterIP ?? "";
    if (ip === "" || ip === "None") return false;
    // The API server's own Service is there for every pod, the others for those that want them.
    if (metadata.namespace === "default" && metadata.name === "kubernetes") return true;
    return pod.spec.enableServiceLinks !== false && metadata.namespace === pod.metadata.namespace;
  });
  for (const { metadata, spec } of wanted) {
    const prefix = variableName(metadata.name);
    const ip = spec.clusterIP ?? "";
    const host = ip.includes(":") ? `[${ip}]` : ip;
    const [first] = spec.ports ?? [];
    if (first === undefined) continue;
    result.set(`${prefix}_SERVICE_HOST`, ip);
    result.set(`${prefix}_SERVICE_PORT`, String(first.port));
    for (const { name, port } of spec.ports ?? [])
      if (name !== undefined && name !== "")
        result.set(`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port));
    const url = (protocol: string, port: number) => `${protocol.toLowerCase()}://${host}:${port}`;
    result.set(`${prefix}_PORT`, url(first.protocol, first.port));
    for (const { protocol, port } of spec.ports ?? []) {
      const base = `${prefix}_PORT_${port}_${protocol}`;
      result.set(base, url(protocol, port));
      result.set(`${base}_PROTO`, protocol.toLowerCase());
      result.set(`${base}_PORT`, String(port));
      result.set(`${base}_ADDR`, ip);
    }
  }
  return result;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
