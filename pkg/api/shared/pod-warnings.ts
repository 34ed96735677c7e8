import { addAll } from "../../base/add-all.ts";
import type {
  Container,
  ContainerPort,
  NodeSelectorTerm,
  PodAffinity,
  PodSpec,
} from "../generated/core-v1.generated.ts";
import { ipWarnings } from "../ip-address.ts";
import { checkLabelValue } from "../names.ts";
import type { TemplateMeta } from "../object.ts";
import { tryParseQuantity } from "../quantity.ts";
import { claimSpecWarnings } from "./claim-spec.ts";
import { deprecatedNodeLabel } from "./deprecated-node-labels.ts";
import { appArmorWarnings, containerSeccompPrefix, podSeccomp } from "./pod-profiles.ts";
import { containersWithPaths } from "./validate-pod-os.ts";
import { volumePathWarnings } from "./volume-path-warnings.ts";

const nanosPerUnit = 1_000_000_000n;

interface PodLike {
  readonly metadata: TemplateMeta;
  readonly spec: PodSpec;
}

/**
 * What is accepted of a pod, or of a template that lies at `path`, and will probably not do what was meant. A pod's
 * path is "".
 */
export function podWarnings(pod: PodLike, path: string): readonly string[] {
  const { spec } = pod;
  const at = path === "" ? "" : `${path}.`;
  const containers = containersWithPaths<Container>(spec, `${at}spec`);
  const warnings: string[] = [];
  warnAboutNodeLabels(spec, `${at}spec`, warnings);
  warnAboutAnnotations(pod, `${at}metadata.annotations`, warnings);
  warnAboutVolumes(spec, `${at}spec.volumes`, warnings);
  warnAboutDoubles(spec, `${at}spec`, warnings);
  warnAboutFractions(spec.overhead, `${at}spec.overhead`, warnings);
  warnAboutProfiles(pod, `${at}metadata.annotations`, warnings);
  for (const { container, path: place } of containers) {
    for (const list of ["limits", "requests"] as const) {
      warnAboutFractions(container.resources?.[list], `${place}.resources.${list}`, warnings);
    }
    warnAboutEnvironment(container, `${place}.env`, warnings);
  }
  warnAboutPorts(containers, warnings);
  warnAboutPortNames(containers, warnings);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${at}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  for (const field of ["podAffinity", "podAntiAffinity"] as const) {
    warnAboutSelectors(spec.affinity?.[field], `${at}spec.affinity.${field}`, warnings);
  }
  (spec.dnsConfig?.nameservers ?? []).forEach((server, index) => {
    addAll(warnings, ipWarnings(`${at}spec.dnsConfig.nameservers[${index}]`, server));
  });
  (spec.hostAliases ?? []).forEach(({ ip }, index) => {
    addAll(warnings, ipWarnings(`${at}spec.hostAliases[${index}].ip`, ip));
  });
  return warnings;
}

// ---- placement ----------------------------------------------------------------------

const noSelector = "a null labelSelector results in matching no pod";

function warnAboutNodeLabels(spec: PodSpec, path: string, warnings: string[]): void {
  for (const label in spec.nodeSelector) {
    const reason = deprecatedNodeLabel(label);
    if (reason !== undefined) warnings.push(`${path}.nodeSelector[${label}]: ${reason}`);
  }
  const affinity = spec.affinity?.nodeAffinity;
  const at = `${path}.affinity.nodeAffinity`;
  const needed = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  needed.forEach((term, index) => {
    const place = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`;
    warnAboutTerm(term, false, place, warnings);
  });
  (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, index) => {
    const place = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`;
    warnAboutTerm(term.preference, true, place, warnings);
  });
  (spec.topologySpreadConstraints ?? []).forEach(({ topologyKey, labelSelector }, index) => {
    const place = `${path}.topologySpreadConstraints[${index}]`;
    const reason = deprecatedNodeLabel(topologyKey);
    if (reason !== undefined) {
      warnings.push(`${place}.topologyKey: ${topologyKey} is ${reason}`);
    }
    if (labelSelector === undefined) warnings.push(`${place}.labelSelector: ${noSelector}`);
  });
}

function warnAboutTerm(
  { matchExpressions = [] }: NodeSelectorTerm,
  checksValues: boolean,
  path: string,
  warnings: string[],
): void {
  matchExpressions.forEach(({ key, values = [] }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const reason = deprecatedNodeLabel(key);
    if (reason !== undefined) warnings.push(`${at}.key: ${key} is ${reason}`);
    if (!checksValues) return;
    values.forEach((value, position) => {
      for (const problem of checkLabelValue(value)) {
        warnings.push(`${at}.values[${position}]: ${value} is invalid, ${problem}`);
      }
    });
  });
}

function warnAboutSelectors(
  affinity: PodAffinity | undefined,
  path: string,
  warnings: string[],
): void {
  const needed = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  needed.forEach(({ labelSelector }, index) => {
    if (labelSelector !== undefined) return;
    const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`;
    warnings.push(`${at}.labelSelector: ${noSelector}`);
  });
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  preferred.forEach(({ podAffinityTerm }, index) => {
    if (podAffinityTerm.labelSelector !== undefined) return;
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    warnings.push(`${at}.podAffinityTerm.labelSelector: ${noSelector}`);
  });
}

// ---- annotations --------------------------------------------------------------------

const useSysctls = 'non-functional in v1.11+; use the "sysctls" field instead';
const deprecatedAnnotations: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod":
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": useSysctls,
  "security.alpha.kubernetes.io/unsafe-sysctls": useSysctls,
};

function warnAboutAnnotations({ metadata }: PodLike, path: string, warnings: string[]): void {
  for (const [key, reason] of Object.entries(deprecatedAnnotations)) {
    if (metadata.annotations?.[key] !== undefined) warnings.push(`${path}[${key}]: ${reason}`);
  }
}

const useSeccompProfile = 'non-functional in v1.27+; use the "seccompProfile" field instead';

function warnAboutProfiles(
  { metadata: { annotations = {} }, spec }: PodLike,
  path: string,
  warnings: string[],
): void {
  const warn = (key: string, reason: string) => {
    if (annotations[key] !== undefined) warnings.push(`${path}[${key}]: ${reason}`);
  };
  if (spec.securityContext?.seccompProfile === undefined) warn(podSeccomp, useSeccompProfile);
  for (const { container } of containersWithPaths(spec, "")) {
    const { name, securityContext } = container;
    if (securityContext?.seccompProfile === undefined) {
      warn(`${containerSeccompPrefix}${name}`, useSeccompProfile);
    }
  }
  addAll(warnings, appArmorWarnings({ metadata: { annotations }, spec }, path));
}

// ---- volumes ------------------------------------------------------------------------

const deprecatedVolumes: Readonly<Record<string, string>> = {
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
};

function warnAboutVolumes({ volumes = [] }: PodSpec, path: string, warnings: string[]): void {
  volumes.forEach((volume, index) => {
    for (const source of Object.keys(volume)) {
      const reason = Object.hasOwn(deprecatedVolumes, source) ? deprecatedVolumes[source] : "";
      if (reason !== undefined && reason !== "") {
        const name = source === "storageos" ? "storageOS" : source;
        warnings.push(`${path}[${index}].${name}: ${reason}`);
      }
    }
    const claim = volume.ephemeral?.volumeClaimTemplate;
    if (claim === undefined) return;
    const at = `${path}[${index}].ephemeral.volumeClaimTemplate.spec`;
    addAll(warnings, claimSpecWarnings(claim.spec, at));
  });
  addAll(warnings, volumePathWarnings(volumes));
}

// ---- doubles and fractions ------------------------------------------------------------

function warnAboutDoubles(
  { hostAliases = [], imagePullSecrets = [] }: PodSpec,
  path: string,
  warnings: string[],
): void {
  const ips = new Set<string>();
  hostAliases.forEach(({ ip }, index) => {
    if (ips.has(ip)) warnings.push(`${path}.hostAliases[${index}].ip: duplicate ip "${ip}"`);
    ips.add(ip);
  });
  const names = new Set<string>();
  imagePullSecrets.forEach(({ name = "" }, index) => {
    const at = `${path}.imagePullSecrets[${index}].name`;
    if (names.has(name)) warnings.push(`${at}: duplicate name ${JSON.stringify(name)}`);
    names.add(name);
  });
  imagePullSecrets.forEach(({ name = "" }, index) => {
    if (name !== "") return;
    warnings.push(`${path}.imagePullSecrets[${index}].name: invalid empty name ""`);
  });
}

function warnAboutFractions(
  list: Readonly<Record<string, string>> | undefined,
  path: string,
  warnings: string[],
): void {
  for (const name of ["memory", "ephemeral-storage"]) {
    const text = list?.[name];
    const quantity = text === undefined ? undefined : tryParseQuantity(text);
    if (quantity !== undefined && quantity.nanos % nanosPerUnit !== 0n) {
      warnings.push(
        `${path}[${name}]: fractional byte value ${JSON.stringify(text)} is invalid, must be an integer`,
      );
    }
  }
}

// ---- containers -----------------------------------------------------------------------

function warnAboutEnvironment({ env = [] }: Container, path: string, warnings: string[]): void {
  const seen = new Set<string>();
  env.forEach(({ name, value = "", valueFrom }, index) => {
    // A variable may be built from the one that it hides: then both are meant.
    const reference = `$(${name})`;
    const hides = valueFrom !== undefined || value === reference || !value.includes(reference);
    if (seen.has(name) && hides) {
      warnings.push(
        `${path}[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    }
    seen.add(name);
  });
}

type Placed = readonly { readonly container: Container; readonly path: string }[];

interface PlacedPort {
  readonly port: ContainerPort;
  readonly path: string;
}

function portsOf(containers: Placed): readonly PlacedPort[] {
  return containers.flatMap(({ container, path }) =>
    (container.ports ?? []).map((port, index) => ({ port, path: `${path}.ports[${index}]` })),
  );
}

function warnAboutPorts(containers: Placed, warnings: string[]): void {
  const seen = new Map<string, PlacedPort[]>();
  for (const placed of portsOf(containers)) {
    const { port, path } = placed;
    const { name = "", hostIP = "", hostPort = 0, containerPort, protocol } = port;
    if (hostIP !== "" && hostPort === 0) {
      warnings.push(
        `${path}: hostIP set without hostPort: {Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`,
      );
    }
    const key = `${containerPort}/${protocol}`;
    const others = seen.get(key) ?? [];
    for (const other of others) {
      const relation = relationOf(port, other.port);
      if (relation !== undefined) {
        warnings.push(`${path}: ${relation} port definition with ${other.path}`);
      }
    }
    seen.set(key, [...others, placed]);
  }
}

/** How two definitions of one port are in each other's way. */
function relationOf(one: ContainerPort, other: ContainerPort): string | undefined {
  const [hostPort = 0, otherHostPort = 0] = [one.hostPort, other.hostPort];
  const [hostIP = "", otherHostIP = ""] = [one.hostIP, other.hostIP];
  if (hostIP === otherHostIP && hostPort === otherHostPort) return "duplicate";
  if (hostPort === 0 || otherHostPort === 0) return "overlapping";
  const isEitherOpen = (hostIP === "") !== (otherHostIP === "");
  return hostPort === otherHostPort && isEitherOpen ? "dangerously ambiguous" : undefined;
}

function warnAboutPortNames(containers: Placed, warnings: string[]): void {
  const seen = new Map<string, string>();
  for (const { port, path } of portsOf(containers)) {
    const { name = "" } = port;
    if (name === "") continue;
    const other = seen.get(name);
    if (other === undefined) seen.set(name, path);
    else {
      warnings.push(
        `${path}: duplicate port name ${JSON.stringify(name)} with ${other}, services and probes that select ports by name will use ${other}`,
      );
    }
  }
}
