import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notFound,
  notSupported,
  required,
  tooLong,
} from "../field-error.ts";
import type {
  Container,
  PodDNSConfig,
  PodSecurityContext,
  PodSpec,
  PodTemplateSpec,
  ResourceRequirements,
} from "../generated/core-v1.generated.ts";
import { checkIpAddress } from "../ip-address.ts";
import { validateLabels } from "../labels.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkQualifiedName,
  inclusiveRange,
  type TextCheck,
} from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { compareQuantities, formatQuantity, parseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import { validatePodAnnotations } from "./pod-annotations.ts";
import { validateProfilesMatch } from "./pod-profiles.ts";
import { containerTotals, isRestartableInitContainer } from "./pod-resources.ts";
import { validateAmount } from "./resource-names.ts";
import { validateAnnotations } from "./validate-annotations.ts";
import {
  type ContainerContext,
  validateContainer,
  validateLifecycle,
} from "./validate-container.ts";
import { validatePodClaims } from "./validate-pod-claims.ts";
import { containersWithPaths, validateHostProcess, validatePodOs } from "./validate-pod-os.ts";
import { validateResourceRequirements } from "./validate-resources.ts";
import { validateRestartRules } from "./validate-restart-rules.ts";
import { validateAffinity, validateTolerations } from "./validate-scheduling.ts";
import {
  validateAppArmorProfile,
  validateId,
  validateSeccompProfile,
  validateWindowsOptions,
} from "./validate-security-context.ts";
import { validateSpread } from "./validate-spread.ts";
import { validateVolumes } from "./validate-volumes.ts";

const restartPolicies = ["Always", "OnFailure", "Never"];
const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const int32Max = 2 ** 31 - 1;

/** A pod's spec, in a Pod as in a template. */
export function validatePodSpec(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(required(`${path}.terminationGracePeriodSeconds`));
  }
  const volumes = validateVolumes(spec.volumes ?? [], `${path}.volumes`, errors);
  validatePodClaims(spec, `${path}.resourceClaims`, errors);
  const context: ContainerContext = {
    volumes,
    claims: new Set((spec.resourceClaims ?? []).map(({ name }) => name)),
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 0,
    restartPolicy: spec.restartPolicy,
    hostUsers: spec.hostUsers !== false,
  };
  validateRegularContainers(spec, context, `${path}.containers`, errors);
  validateInitContainers(spec, context, `${path}.initContainers`, errors);
  validateEphemeralContainers(spec, context, `${path}.ephemeralContainers`, errors);
  if (spec.resources !== undefined) {
    validatePodResources(spec, spec.resources, `${path}.resources`, errors);
  }
  if (spec.hostNetwork === true) validateHostNetworkPorts(spec, `${path}.containers`, errors);
  validateChoice(spec.restartPolicy, restartPolicies, `${path}.restartPolicy`, errors);
  validateChoice(spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`, errors);
  addAll(errors, validateLabels(spec.nodeSelector, `${path}.nodeSelector`));
  if (spec.securityContext !== undefined) {
    validatePodSecurityContext(spec.securityContext, spec, `${path}.securityContext`, errors);
  }
  if (spec.affinity !== undefined) validateAffinity(spec.affinity, `${path}.affinity`, errors);
  validateDnsConfig(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`, errors);
  validateGates(spec, path, errors);
  if (spec.topologySpreadConstraints !== undefined) {
    validateSpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, errors);
  }
  validateHostProcess(spec, path, errors);
  validateHostUsers(spec, path, errors);
  validateHostnameOverride(spec, `${path}.hostnameOverride`, errors);
  validateNames(spec, ["serviceAccountName", "nodeName"], checkDnsSubdomain, path, errors);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > int32Max)) {
    errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, inclusiveRange(1, int32Max)));
  }
  validateNames(spec, ["hostname", "subdomain"], checkDnsLabel, path, errors);
  if (spec.tolerations !== undefined) {
    validateTolerations(spec.tolerations, `${path}.tolerations`, errors);
  }
  validateHostAliases(spec, `${path}.hostAliases`, errors);
  const classes = ["priorityClassName", "runtimeClassName"] as const;
  validateNames(spec, classes, checkDnsSubdomain, path, errors);
  if (spec.preemptionPolicy !== undefined) {
    const policies = ["PreemptLowerPriority", "Never"];
    validateChoice(spec.preemptionPolicy, policies, `${path}.preemptionPolicy`, errors);
  }
  for (const [name, amount] of Object.entries(spec.overhead ?? {})) {
    validateAmount(name, amount, `${path}.overhead[${name}]`, errors);
  }
  validatePodOs(spec, path, errors);
  validateFileKeyVolumes(spec, path, errors);
}

function validateChoice(
  value: string | undefined,
  choices: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  if (value === undefined || value === "") errors.push(required(path));
  else if (!choices.includes(value)) errors.push(notSupported(path, value, choices));
}

const hostnameBytesMax = 64;

/** A hostname that has nothing to do with the pod's name. */
function validateHostnameOverride(spec: PodSpec, path: string, errors: FieldError[]): void {
  const { hostnameOverride: name } = spec;
  if (name === undefined) return;
  if (spec.setHostnameAsFQDN === true) {
    errors.push(forbidden(path, "may not be specified when setHostnameAsFQDN is true"));
  }
  if (spec.hostNetwork === true) {
    errors.push(forbidden(path, "may not be specified when hostNetwork is true"));
  }
  if (Buffer.byteLength(name) > hostnameBytesMax) errors.push(tooLong(path, hostnameBytesMax));
  addAll(errors, invalidEach(path, name, checkDnsSubdomain(name)));
}

function validateHostAliases(
  { hostAliases = [] }: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  hostAliases.forEach(({ ip, hostnames = [] }, index) => {
    addAll(errors, invalidEach(`${path}[${index}].ip`, ip, checkIpAddress(ip)));
    hostnames.forEach((hostname, position) => {
      const at = `${path}[${index}].hostnames[${position}]`;
      addAll(errors, invalidEach(at, hostname, checkDnsSubdomain(hostname)));
    });
  });
}

/** A file from which an environment variable is read lies in a volume that the pod alone has. */
function validateFileKeyVolumes(spec: PodSpec, path: string, errors: FieldError[]): void {
  for (const { container, path: at } of containersWithPaths<Container>(spec, path)) {
    (container.env ?? []).forEach(({ valueFrom }, index) => {
      const { volumeName } = valueFrom?.fileKeyRef ?? {};
      if (volumeName === undefined) return;
      const field = `${at}.env[${index}].valueFrom.fileKeyRef.volumeName`;
      const volume = spec.volumes?.findLast(({ name }) => name === volumeName);
      if (volume === undefined) errors.push(notFound(field, volumeName));
      else if (volume.emptyDir === undefined) {
        errors.push(invalid(field, volumeName, "referenced volume must be of type emptyDir"));
      }
    });
  }
}

function validateRegularContainers(
  spec: PodSpec,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const containers = spec.containers ?? [];
  if (containers.length === 0) errors.push(required(path));
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  containers.forEach((container, index) => {
    const at = `${path}[${index}]`;
    validateContainer(container, context, at, errors);
    checkUniqueName(container, names, at, errors);
    validateLifecycle(container, context, at, errors);
    validateRestartRules(container, at, errors);
  });
  containers.forEach((container, index) => {
    checkHostPorts(container, hostPorts, `${path}[${index}]`, errors);
  });
}

function checkUniqueName(
  container: Pick<Container, "name">,
  names: Set<string>,
  path: string,
  errors: FieldError[],
): void {
  if (names.has(container.name)) errors.push(duplicate(`${path}.name`, container.name));
  else names.add(container.name);
}

function checkHostPorts(
  container: Container,
  taken: Set<string>,
  path: string,
  errors: FieldError[],
): void {
  (container.ports ?? []).forEach((port, index) => {
    const hostPort = port.hostPort ?? 0;
    if (hostPort === 0) return;
    const identity = `${port.protocol}/${port.hostIP ?? ""}/${hostPort}`;
    if (taken.has(identity)) {
      errors.push(duplicate(`${path}.ports[${index}].hostPort`, identity));
    } else taken.add(identity);
  });
}

/** What the pod as a whole asks for and is held to, beside what its containers do. */
function validatePodResources(
  spec: PodSpec,
  resources: ResourceRequirements,
  path: string,
  errors: FieldError[],
): void {
  if (resources.claims !== undefined) {
    errors.push(forbidden(`${path}.claims`, "claims cannot be set for Resources at pod-level"));
  }
  validateResourceRequirements(resources, path, errors);
  for (const [name, total] of containerTotals({ spec }, "requests")) {
    const request = parseQuantity(resources.requests?.[name] ?? "0");
    if (compareQuantities(total, request) > 0) {
      errors.push(
        invalid(
          `${path}.requests[${name}]`,
          formatQuantity(request),
          `must be greater than or equal to aggregate container requests of ${formatQuantity(total)}`,
        ),
      );
    }
  }
  (spec.containers ?? []).forEach((container, index) => {
    for (const [name, text] of Object.entries(container.resources?.limits ?? {})) {
      const podLimit = resources.limits?.[name];
      if (podLimit === undefined) continue;
      if (compareQuantities(parseQuantity(text), parseQuantity(podLimit)) > 0) {
        errors.push(
          invalid(
            `${path}.containers[${index}][${name}].limits`,
            text,
            `must be less than or equal to pod limits of ${podLimit}`,
          ),
        );
      }
    }
  });
}

/** Users of its own cannot be told apart from the node's in a namespace that is the node's. */
function validateHostUsers(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.hostUsers !== false) return;
  const fields = { hostNetwork: "hostNetwork", hostPID: "HostPID", hostIPC: "HostIPC" } as const;
  for (const [field, printed] of Object.entries(fields)) {
    if (spec[field as keyof typeof fields] === true) {
      errors.push(forbidden(`${path}.${printed}`, "when `hostUsers` is false"));
    }
  }
  for (const { container, path: at } of containersWithPaths<Container>(spec, path)) {
    if ((container.volumeDevices ?? []).length === 0) continue;
    errors.push(forbidden(`${at}.volumeDevices`, "when `hostUsers` is false"));
  }
}

/** On the node's own network a container's port is the node's. */
function validateHostNetworkPorts(spec: PodSpec, path: string, errors: FieldError[]): void {
  (spec.containers ?? []).forEach((container, index) => {
    (container.ports ?? []).forEach(({ containerPort, hostPort = 0 }, portIndex) => {
      if (hostPort === 0 || hostPort === containerPort) return;
      errors.push(
        invalid(
          `${path}[${index}].ports[${portIndex}].hostPort`,
          hostPort,
          "must match `containerPort` when `hostNetwork` is true",
        ),
      );
    });
  });
}

const regularOnly = [
  "lifecycle",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
] as const satisfies readonly (keyof Container)[];

function validateInitContainers(
  spec: PodSpec,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const names = new Set((spec.containers ?? []).map((container) => container.name));
  (spec.initContainers ?? []).forEach((container, index) => {
    const at = `${path}[${index}]`;
    validateContainer(container, context, at, errors);
    validateRestartRules(container, at, errors);
    if (container.name !== "") checkUniqueName(container, names, at, errors);
    checkHostPorts(container, new Set(), at, errors);
    if (isRestartableInitContainer(container)) {
      validateLifecycle(container, context, at, errors);
      return;
    }
    for (const field of regularOnly) {
      if (container[field] !== undefined) {
        errors.push(
          forbidden(
            `${at}.${field}`,
            "may not be set for init containers without restartPolicy=Always",
          ),
        );
      }
    }
    (container.resizePolicy ?? []).forEach(({ restartPolicy }, position) => {
      if (restartPolicy !== "RestartContainer") return;
      errors.push(
        invalid(
          `${at}.resizePolicy[${position}].restartPolicy`,
          restartPolicy,
          "must not be set to 'RestartContainer' for non-sidecar initContainers",
        ),
      );
    });
  });
}

const notEphemeral = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;

function validateEphemeralContainers(
  spec: PodSpec,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const ephemeral = spec.ephemeralContainers ?? [];
  if (ephemeral.length === 0) return;
  const others = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name),
  );
  const names = new Set(others);
  ephemeral.forEach((container, index) => {
    const at = `${path}[${index}]`;
    validateContainer(container, context, at, errors);
    const { image = "" } = container;
    if (image !== image.trim()) {
      const detail = "must not have leading or trailing whitespace";
      errors.push(invalid(`${at}.image`, image, detail));
    }
    checkUniqueName(container, names, at, errors);
    const target = container.targetContainerName ?? "";
    if (target !== "" && !others.has(target)) {
      errors.push(notFound(`${at}.targetContainerName`, target));
    }
    const refuse = (field: string) =>
      errors.push(forbidden(`${at}.${field}`, "cannot be set for an Ephemeral Container"));
    for (const field of notEphemeral) {
      if (container[field] !== undefined && !equalJson(container[field], {})) refuse(field);
    }
    (container.volumeMounts ?? []).forEach((mount, position) => {
      for (const field of ["subPath", "subPathExpr"] as const) {
        if ((mount[field] ?? "") !== "") refuse(`volumeMounts[${position}].${field}`);
      }
    });
  });
}

const sysctlShape = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

function validatePodSecurityContext(
  context: PodSecurityContext,
  spec: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  validateId(context.fsGroup, `${path}.fsGroup`, errors);
  validateId(context.runAsUser, `${path}.runAsUser`, errors);
  validateId(context.runAsGroup, `${path}.runAsGroup`, errors);
  (context.supplementalGroups ?? []).forEach((group, index) => {
    validateId(group, `${path}.supplementalGroups[${index}]`, errors);
  });
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(
      invalid(
        `${path}.shareProcessNamespace`,
        true,
        "ShareProcessNamespace and HostPID cannot both be enabled",
      ),
    );
  }
  const names = new Set<string>();
  (context.sysctls ?? []).forEach(({ name }, index) => {
    const at = `${path}.sysctls[${index}].name`;
    if (name === "") errors.push(required(at));
    else if (name.length > 253 || !sysctlShape.test(name)) {
      errors.push(
        invalid(
          at,
          name,
          "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
        ),
      );
    } else if (names.has(name)) errors.push(duplicate(at, name));
    names.add(name);
  });
  const changePolicies = ["Always", "OnRootMismatch"];
  if (
    context.fsGroupChangePolicy !== undefined &&
    !changePolicies.includes(context.fsGroupChangePolicy)
  ) {
    errors.push(
      notSupported(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, changePolicies),
    );
  }
  validateSeccompProfile(context.seccompProfile, `${path}.seccompProfile`, errors);
  validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`, errors);
  validateAppArmorProfile(context.appArmorProfile, `${path}.appArmorProfile`, errors);
  const choices = {
    supplementalGroupsPolicy: ["Merge", "Strict"],
    seLinuxChangePolicy: ["MountOption", "Recursive"],
  };
  for (const [field, supported] of Object.entries(choices)) {
    const value = context[field as keyof typeof choices];
    if (value === undefined || supported.includes(value)) continue;
    errors.push(notSupported(`${path}.${field}`, value, supported));
  }
}

const nameserversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2_048;

function validateDnsConfig(
  config: PodDNSConfig | undefined,
  policy: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  const nameservers = config?.nameservers ?? [];
  if (policy === "None") {
    if (config === undefined) {
      errors.push(required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
      return;
    }
    if (nameservers.length === 0) {
      errors.push(
        required(
          `${path}.nameservers`,
          "must provide at least one DNS nameserver when `dnsPolicy` is None",
        ),
      );
      return;
    }
  }
  if (config === undefined) return;
  if (nameservers.length > nameserversMax) {
    errors.push(
      invalid(`${path}.nameservers`, nameservers, "must not have more than 3 nameservers"),
    );
  }
  nameservers.forEach((nameserver, index) => {
    errors.push(
      ...invalidEach(`${path}.nameservers[${index}]`, nameserver, checkIpAddress(nameserver)),
    );
  });
  const searches = config.searches ?? [];
  if (searches.length > searchesMax) {
    errors.push(invalid(`${path}.searches`, searches, "must not have more than 32 search paths"));
  }
  if (searches.join(" ").length > searchCharactersMax) {
    errors.push(
      invalid(
        `${path}.searches`,
        searches,
        "must not have more than 2048 characters (including spaces) in the search list",
      ),
    );
  }
  searches.forEach((search, index) => {
    if (search === ".") return;
    const name = search.replace(/\.$/, "").replaceAll("_", "x");
    addAll(errors, invalidEach(`${path}.searches[${index}]`, search, checkDnsSubdomain(name)));
  });
  (config.options ?? []).forEach((option, index) => {
    if ((option.name ?? "") === "") {
      errors.push(required(`${path}.options[${index}]`, "must not be empty"));
    }
  });
}

function validateGates(spec: PodSpec, path: string, errors: FieldError[]): void {
  (spec.readinessGates ?? []).forEach(({ conditionType }, index) => {
    errors.push(
      ...invalidEach(
        `${path}.readinessGates[${index}].conditionType`,
        conditionType,
        checkQualifiedName(conditionType),
      ),
    );
  });
  const gates = new Set<string>();
  (spec.schedulingGates ?? []).forEach(({ name }, index) => {
    const at = `${path}.schedulingGates[${index}]`;
    addAll(errors, invalidEach(at, name, checkQualifiedName(name)));
    if (gates.has(name)) errors.push(duplicate(at, name));
    gates.add(name);
  });
}

function validateNames(
  spec: PodSpec,
  fields: readonly (keyof PodSpec)[],
  check: TextCheck,
  path: string,
  errors: FieldError[],
): void {
  for (const field of fields) {
    const name = spec[field];
    if (typeof name !== "string" || name === "") continue;
    addAll(errors, invalidEach(`${path}.${field}`, name, check(name)));
  }
}

/** The pod that a workload makes copies of. */
export function validatePodTemplate(
  template: PodTemplateSpec,
  path: string,
  errors: FieldError[],
): void {
  addAll(errors, validateLabels(template.metadata.labels, `${path}.labels`));
  validateAnnotations(template.metadata.annotations, `${path}.annotations`, errors);
  validatePodAnnotations(template, `${path}.annotations`, errors);
  validatePodSpec(template.spec, `${path}.spec`, errors);
  validateProfilesMatch(template, `${path}.spec`, errors);
  if ((template.spec.ephemeralContainers ?? []).length > 0) {
    errors.push(
      forbidden(
        `${path}.spec.ephemeralContainers`,
        "ephemeral containers not allowed in pod template",
      ),
    );
  }
}
