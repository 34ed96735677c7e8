import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notFound,
  notSupported,
  required,
} from "../field-error.ts";
import type {
  Container,
  ContainerPort,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  HTTPGetAction,
  LifecycleHandler,
  ObjectFieldSelector,
  Probe,
  ResourceFieldSelector,
  Volume,
  VolumeMount,
} from "../generated/core-v1.generated.ts";
import {
  checkConfigMapKey,
  checkDnsLabel,
  checkDnsSubdomain,
  checkEnvironmentName,
  checkHttpHeaderName,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
} from "../names.ts";
import { formatQuantity, tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import { validateDescendingPath, validateNoBacksteps } from "./validate-paths.ts";
import { validateContainerClaims } from "./validate-pod-claims.ts";
import { validateResourceRequirements } from "./validate-resources.ts";
import { validateResizePolicy } from "./validate-restart-rules.ts";
import { validateSecurityContext } from "./validate-security-context.ts";
import { validateVolumeDevices } from "./validate-volume-devices.ts";

/** What containers are checked against. */
export interface ContainerContext {
  /** The pod's volumes that are valid, by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
  /** The names of the pod's claims on devices. */
  readonly claims: ReadonlySet<string>;
  readonly terminationGracePeriodSeconds: number;
  readonly restartPolicy: string | undefined;
  /** False in a pod with users of its own. */
  readonly hostUsers: boolean;
}

const protocols = new Set<string>(["SCTP", "TCP", "UDP"]);
const pullPolicies = new Set<string>(["Always", "IfNotPresent", "Never"]);
const messagePolicies = new Set<string>(["File", "FallbackToLogsOnError"]);

/** What holds for containers of every sort: init, regular and ephemeral. */
export function validateContainer(
  container: Container,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  if (container.name === "") errors.push(required(`${path}.name`));
  else addAll(errors, invalidEach(`${path}.name`, container.name, checkDnsLabel(container.name)));
  if (container.image === undefined || container.image === "") {
    errors.push(required(`${path}.image`));
  }
  const messagePolicy = container.terminationMessagePolicy ?? "";
  if (messagePolicy === "") errors.push(required(`${path}.terminationMessagePolicy`));
  else if (!messagePolicies.has(messagePolicy)) {
    errors.push(
      notSupported(`${path}.terminationMessagePolicy`, messagePolicy, [...messagePolicies]),
    );
  }
  if (container.ports !== undefined) validatePorts(container.ports, path, errors);
  if (container.env !== undefined) validateEnvironment(container.env, `${path}.env`, errors);
  if (container.envFrom !== undefined) validateEnvFrom(container.envFrom, path, errors);
  if (container.volumeMounts !== undefined) {
    validateMounts(container.volumeMounts, container, context, `${path}.volumeMounts`, errors);
  }
  if (container.volumeDevices !== undefined) {
    validateVolumeDevices(container, context.volumes, `${path}.volumeDevices`, errors);
  }
  const pullPolicy = container.imagePullPolicy ?? "";
  if (pullPolicy === "") errors.push(required(`${path}.imagePullPolicy`));
  else if (!pullPolicies.has(pullPolicy)) {
    errors.push(notSupported(`${path}.imagePullPolicy`, pullPolicy, [...pullPolicies]));
  }
  if (container.resources !== undefined) {
    const at = `${path}.resources`;
    validateContainerClaims(container.resources, context.claims, `${at}.claims`, errors);
    validateResourceRequirements(container.resources, at, errors);
  }
  validateResizePolicy(container, context.restartPolicy, `${path}.resizePolicy`, errors);
  if (container.securityContext !== undefined) {
    const { securityContext } = container;
    validateSecurityContext(securityContext, context.hostUsers, `${path}.securityContext`, errors);
  }
}

function validatePorts(ports: readonly ContainerPort[], path: string, errors: FieldError[]): void {
  const names = new Set<string>();
  ports.forEach((port, index) => {
    const at = `${path}.ports[${index}]`;
    if (port.name !== undefined && port.name !== "") {
      const problems = checkPortName(port.name);
      if (problems.length > 0) addAll(errors, invalidEach(`${at}.name`, port.name, problems));
      else if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      else names.add(port.name);
    }
    if (port.containerPort === 0) errors.push(required(`${at}.containerPort`));
    else {
      errors.push(
        ...invalidEach(
          `${at}.containerPort`,
          port.containerPort,
          checkPortNumber(port.containerPort),
        ),
      );
    }
    if (port.hostPort !== undefined && port.hostPort !== 0) {
      addAll(errors, invalidEach(`${at}.hostPort`, port.hostPort, checkPortNumber(port.hostPort)));
    }
    if (!protocols.has(port.protocol)) {
      errors.push(notSupported(`${at}.protocol`, port.protocol, [...protocols]));
    }
  });
}

// ---- environment ------------------------------------------------------------

const envFieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const volumeFieldPaths = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
const knownFieldPaths = new Set([...envFieldPaths, ...volumeFieldPaths]);
const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

function validateEnvironment(
  variables: readonly EnvVar[],
  path: string,
  errors: FieldError[],
): void {
  variables.forEach((variable, index) => {
    const at = `${path}[${index}]`;
    if (variable.name === "") errors.push(required(`${at}.name`));
    else {
      addAll(errors, invalidEach(`${at}.name`, variable.name, checkEnvironmentName(variable.name)));
    }
    if (variable.valueFrom !== undefined) {
      validateValueFrom(variable.valueFrom, variable.value ?? "", `${at}.valueFrom`, errors);
    }
  });
}

function validateValueFrom(
  source: EnvVarSource,
  value: string,
  path: string,
  errors: FieldError[],
): void {
  let sources = 0;
  if (source.fieldRef !== undefined) {
    sources += 1;
    validateFieldRef(source.fieldRef, "environment", `${path}.fieldRef`, errors);
  }
  if (source.resourceFieldRef !== undefined) {
    sources += 1;
    validateResourceFieldRef(source.resourceFieldRef, false, `${path}.resourceFieldRef`, errors);
  }
  for (const field of ["configMapKeyRef", "secretKeyRef"] as const) {
    const ref = source[field];
    if (ref === undefined) continue;
    sources += 1;
    const { name = "", key = "" } = ref as Partial<typeof ref>;
    addAll(errors, invalidEach(`${path}.${field}.name`, name, checkDnsSubdomain(name)));
    if (key === "") errors.push(required(`${path}.${field}.key`));
    else addAll(errors, invalidEach(`${path}.${field}.key`, key, checkConfigMapKey(key)));
  }
  if (source.fileKeyRef !== undefined) {
    sources += 1;
    validateFileKey(source.fileKeyRef, `${path}.fileKeyRef`, errors);
  }
  if (sources === 0) {
    errors.push(
      invalid(
        path,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
      ),
    );
  } else if (value !== "") {
    errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  } else if (sources > 1) {
    errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
}

function validateFileKey(
  { key, path: file, volumeName }: FileKeySelector,
  path: string,
  errors: FieldError[],
): void {
  if (key === "") errors.push(required(`${path}.key`));
  else addAll(errors, invalidEach(`${path}.key`, key, checkEnvironmentName(key)));
  if (volumeName === "") errors.push(required(`${path}.volumeName`));
  else addAll(errors, invalidEach(`${path}.volumeName`, volumeName, checkDnsLabel(volumeName)));
  if (file === "") errors.push(required(`${path}.path`));
  else validateNoBacksteps(file, `${path}.path`, errors);
}

const subscripted = /^(metadata\.(?:labels|annotations)|[^[\]]+)\['([^']*)'\]$/;

/** A reference to a field of the pod, from its environment or from a volume. */
export function validateFieldRef(
  ref: ObjectFieldSelector,
  from: "environment" | "volume",
  path: string,
  errors: FieldError[],
): void {
  if (ref.apiVersion === undefined || ref.apiVersion === "") {
    errors.push(required(`${path}.apiVersion`));
    return;
  }
  if (ref.fieldPath === "") {
    errors.push(required(`${path}.fieldPath`));
    return;
  }
  const subscript = subscripted.exec(ref.fieldPath);
  if (subscript !== null) {
    const [, field = "", key = ""] = subscript;
    if (field !== "metadata.labels" && field !== "metadata.annotations") {
      errors.push(
        invalid(
          `${path}.fieldPath`,
          ref.fieldPath,
          `error converting fieldPath: field label does not support subscript: ${ref.fieldPath}`,
        ),
      );
      return;
    }
    const name = field === "metadata.annotations" ? key.toLowerCase() : key;
    addAll(errors, invalidEach(path, key, checkQualifiedName(name)));
    return;
  }
  if (!knownFieldPaths.has(ref.fieldPath)) {
    errors.push(
      invalid(
        `${path}.fieldPath`,
        ref.fieldPath,
        `error converting fieldPath: field label not supported: ${ref.fieldPath}`,
      ),
    );
    return;
  }
  const allowed = from === "environment" ? envFieldPaths : volumeFieldPaths;
  if (!allowed.includes(ref.fieldPath)) {
    errors.push(notSupported(`${path}.fieldPath`, ref.fieldPath, allowed));
  }
}

export function validateResourceFieldRef(
  ref: ResourceFieldSelector,
  fromVolume: boolean,
  path: string,
  errors: FieldError[],
): void {
  if (fromVolume && (ref.containerName ?? "") === "") {
    errors.push(required(`${path}.containerName`));
  } else if (ref.resource === "") {
    errors.push(required(`${path}.resource`));
  } else if (
    !resourceFields.includes(ref.resource) &&
    !/^(limits|requests)\.hugepages-/.test(ref.resource)
  ) {
    errors.push(notSupported(`${path}.resource`, ref.resource, resourceFields));
  }
  validateDivisor(ref, path, errors);
}

const byteDivisors = [
  ...["1", "1k", "1M", "1G", "1T", "1P", "1E"],
  ...["1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"],
];

function validateDivisor(ref: ResourceFieldSelector, path: string, errors: FieldError[]): void {
  const divisor = tryParseQuantity(ref.divisor ?? "0");
  if (divisor === undefined || divisor.nanos === 0n) return;
  const text = formatQuantity(divisor);
  const [, resource = ""] = ref.resource.split(".", 2);
  const kinds: Readonly<Record<string, string>> = {
    memory: "memory",
    "ephemeral-storage": "local ephemeral storage",
  };
  if (resource === "cpu") {
    if (text !== "1" && text !== "1m") {
      errors.push(
        invalid(
          `${path}.divisor`,
          ref.resource,
          "only divisor's values 1m and 1 are supported with the cpu resource",
        ),
      );
    }
    return;
  }
  const kind = kinds[resource] ?? (resource.startsWith("hugepages-") ? "hugepages" : undefined);
  if (kind !== undefined && !byteDivisors.includes(text)) {
    errors.push(
      invalid(
        `${path}.divisor`,
        ref.resource,
        `only divisor's values ${byteDivisors.join(", ")} are supported with the ${kind} resource`,
      ),
    );
  }
}

function validateEnvFrom(
  sources: readonly EnvFromSource[],
  path: string,
  errors: FieldError[],
): void {
  sources.forEach((source, index) => {
    const at = `${path}.envFrom[${index}]`;
    if (source.prefix !== undefined && source.prefix !== "") {
      errors.push(
        ...invalidEach(`${at}.prefix`, source.prefix, checkEnvironmentName(source.prefix)),
      );
    }
    for (const field of ["configMapRef", "secretRef"] as const) {
      const name = source[field]?.name;
      // The start of a name that a server was to complete would do, too.
      const checked = name?.replace(/-$/, "a");
      if (name === "") errors.push(required(`${at}.${field}.name`));
      else if (name !== undefined && checked !== undefined) {
        addAll(errors, invalidEach(`${at}.${field}.name`, name, checkDnsSubdomain(checked)));
      }
    }
    if (source.configMapRef === undefined && source.secretRef === undefined) {
      errors.push(
        invalid(`${path}.envFrom`, "", "must specify one of: `configMapRef` or `secretRef`"),
      );
    } else if (source.configMapRef !== undefined && source.secretRef !== undefined) {
      errors.push(
        invalid(`${path}.envFrom`, "", "may not have more than one field specified at a time"),
      );
    }
  });
}

// ---- mounts -----------------------------------------------------------------

const propagations = ["Bidirectional", "HostToContainer", "None"];
const recursiveModes = ["Disabled", "Enabled", "IfPossible"];

function validateMounts(
  mounts: readonly VolumeMount[],
  container: Container,
  { volumes }: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const paths = new Set<string>();
  const devicePaths = new Set((container.volumeDevices ?? []).map((device) => device.devicePath));
  mounts.forEach((mount, index) => {
    const at = `${path}[${index}]`;
    if (mount.name === "") errors.push(required(`${at}.name`));
    if (!volumes.has(mount.name)) errors.push(notFound(`${at}.name`, mount.name));
    if (mount.mountPath === "") errors.push(required(`${at}.mountPath`));
    if (paths.has(mount.mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mount.mountPath, "must be unique"));
    }
    paths.add(mount.mountPath);
    if (devicePaths.has(mount.mountPath)) {
      errors.push(
        invalid(
          `${at}.mountPath`,
          mount.mountPath,
          "must not already exist as a path in volumeDevices",
        ),
      );
    }
    validateSubPath(mount, path, errors);
    validateMountModes(mount, container, at, errors);
  });
}

function validateSubPath(mount: VolumeMount, path: string, errors: FieldError[]): void {
  const subPath = mount.subPath ?? "";
  const subPathExpr = mount.subPathExpr ?? "";
  if (subPath !== "") validateDescendingPath(subPath, `${path}.subPath`, errors);
  if (subPathExpr === "") return;
  if (subPath !== "") {
    errors.push(
      invalid(`${path}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive"),
    );
  }
  validateDescendingPath(subPathExpr, `${path}.subPathExpr`, errors);
}

function validateMountModes(
  mount: VolumeMount,
  container: Container,
  path: string,
  errors: FieldError[],
): void {
  const { mountPropagation, recursiveReadOnly } = mount;
  if (mountPropagation !== undefined) {
    const at = `${path}.mountPropagation`;
    if (!propagations.includes(mountPropagation)) {
      errors.push(notSupported(at, mountPropagation, propagations));
    }
    if (mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
      errors.push(
        forbidden(at, "Bidirectional mount propagation is available only to privileged containers"),
      );
    }
  }
  if (recursiveReadOnly === undefined) return;
  const at = `${path}.recursiveReadOnly`;
  if (!recursiveModes.includes(recursiveReadOnly)) {
    errors.push(notSupported(at, recursiveReadOnly, recursiveModes));
  } else if (recursiveReadOnly !== "Disabled") {
    if (mount.readOnly !== true) {
      errors.push(forbidden(at, "may only be specified when readOnly is true"));
    }
    if (mountPropagation !== undefined && mountPropagation !== "None") {
      errors.push(
        forbidden(at, "may only be specified when mountPropagation is None or not specified"),
      );
    }
  }
}

// ---- probes and hooks --------------------------------------------------------

type Role = "livenessProbe" | "readinessProbe" | "startupProbe";
const probeRoles: readonly Role[] = ["livenessProbe", "readinessProbe", "startupProbe"];

/** Probes and hooks: of regular containers, and of sidecars. */
export function validateLifecycle(
  container: Container,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  const { lifecycle } = container;
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = lifecycle?.[hook];
    if (handler !== undefined) {
      validateHandler(handler, context, `${path}.lifecycle.${hook}`, errors);
    }
  }
  for (const role of probeRoles) {
    const probe = container[role];
    if (probe !== undefined) validateProbe(probe, role, context, `${path}.${role}`, errors);
  }
}

function validateProbe(
  probe: Probe,
  role: Role,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  validateHandler(probe, context, path, errors);
  for (const field of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    const value = probe[field] ?? 0;
    if (value < 0) {
      errors.push(invalid(`${path}.${field}`, value, "must be greater than or equal to 0"));
    }
  }
  const grace = probe.terminationGracePeriodSeconds;
  const graceAt = `${path}.terminationGracePeriodSeconds`;
  if (grace !== undefined && grace <= 0) {
    errors.push(invalid(graceAt, grace, "must be greater than 0"));
  }
  if (role === "readinessProbe") {
    if (grace !== undefined) {
      errors.push(invalid(graceAt, grace, "must not be set for readinessProbes"));
    }
    return;
  }
  if (probe.successThreshold !== 1) {
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold, "must be 1"));
  }
}

function validateHandler(
  handler: Probe & LifecycleHandler,
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  let handlers = 0;
  for (const field of ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const) {
    if (handler[field] === undefined) continue;
    handlers += 1;
    if (handlers > 1) {
      errors.push(forbidden(`${path}.${field}`, "may not specify more than 1 handler type"));
      continue;
    }
    validateAction(handler, field, context, `${path}.${field}`, errors);
  }
  if (handlers === 0) errors.push(required(path, "must specify a handler type"));
}

function validateAction(
  handler: Probe & LifecycleHandler,
  field: "exec" | "httpGet" | "tcpSocket" | "grpc" | "sleep",
  context: ContainerContext,
  path: string,
  errors: FieldError[],
): void {
  switch (field) {
    case "exec":
      if ((handler.exec?.command ?? []).length === 0) errors.push(required(`${path}.command`));
      break;
    case "httpGet":
      if (handler.httpGet !== undefined) validateHttpGet(handler.httpGet, path, errors);
      break;
    case "tcpSocket":
      validatePortReference(handler.tcpSocket?.port ?? 0, `${path}.port`, errors);
      break;
    case "grpc":
      validatePortReference(handler.grpc?.port ?? 0, `${path}.port`, errors);
      break;
    case "sleep": {
      const seconds = handler.sleep?.seconds ?? 0;
      const max = context.terminationGracePeriodSeconds;
      if (seconds < 0 || seconds > max) {
        errors.push(
          invalid(
            path,
            seconds,
            `must be non-negative and less than terminationGracePeriodSeconds (${max})`,
          ),
        );
      }
      break;
    }
  }
}

function validateHttpGet(action: HTTPGetAction, path: string, errors: FieldError[]): void {
  if (action.path === undefined || action.path === "") errors.push(required(`${path}.path`));
  validatePortReference(action.port, `${path}.port`, errors);
  if (action.scheme !== "HTTP" && action.scheme !== "HTTPS") {
    errors.push(notSupported(`${path}.scheme`, action.scheme ?? "", ["HTTP", "HTTPS"]));
  }
  for (const { name } of action.httpHeaders ?? []) {
    addAll(errors, invalidEach(`${path}.httpHeaders`, name, checkHttpHeaderName(name)));
  }
}

/** A port by number or by name. */
export function validatePortReference(
  port: number | string,
  path: string,
  errors: FieldError[],
): void {
  const problems = typeof port === "number" ? checkPortNumber(port) : checkPortName(port);
  addAll(errors, invalidEach(path, port, problems));
}
