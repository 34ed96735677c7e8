import type {
  Container,
  EnvVar,
  HTTPGetAction,
  LifecycleHandler,
  ObjectFieldSelector,
  Pod,
  PodSpec,
  Probe,
  ResourceFieldSelector,
  Volume,
  VolumeProjection,
} from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { canonicalResourceQuantity, formatQuantity, tryParseQuantity } from "../quantity.ts";
import { containerTotals } from "./pod-resources.ts";
import { defaultVolumeSource } from "./volume-source-defaults.ts";

/** Fills in what a pod's spec leaves out, in a Pod as in a template. */
export function defaultPodSpec(spec: Draft<PodSpec>): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  // Two names for one thing: the old one is still read and written.
  const serviceAccount = spec.serviceAccountName || spec.serviceAccount;
  if (serviceAccount !== undefined && serviceAccount !== "") {
    spec.serviceAccountName = serviceAccount;
    spec.serviceAccount = serviceAccount;
  }
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  defaultResourceList(spec.overhead);
  defaultResourceList(spec.resources?.limits);
  defaultResourceList(spec.resources?.requests);
}

/** What is filled in for a Pod, and left open in a template. */
export function defaultPodOnly(pod: Draft<Pod>): void {
  const { spec } = pod;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    defaultRequestsFromLimits(container);
    if (spec.hostNetwork === true) {
      for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
    }
  }
  defaultPodLevelResources(pod);
  spec.enableServiceLinks ??= true;
}

function defaultRequestsFromLimits({ resources }: Draft<Container>): void {
  const limits = resources?.limits;
  if (limits === undefined) return;
  resources.requests ??= {};
  for (const name in limits) {
    const limit = limits[name];
    if (limit !== undefined) resources.requests[name] ??= limit;
  }
}

/** Where a pod says what it needs as a whole, but says it only in part. */
function defaultPodLevelResources(pod: Draft<Pod>): void {
  const resources = pod.spec.resources;
  if (resources === undefined) return;
  const limits = resources.limits ?? {};
  if (Object.keys(limits).length === 0) return;
  const requests = resources.requests ?? {};
  for (const [name, total] of containerTotals(pod, "requests")) {
    if (name === "cpu" || name === "memory") requests[name] ??= formatQuantity(total);
  }
  for (const name in limits) {
    const limit = limits[name];
    if (limit !== undefined) requests[name] ??= limit;
  }
  resources.requests = requests;
}

/** Amounts as upstream writes them; what is no quantity is left for validation to refuse. */
export function defaultResourceList(list: Record<string, string> | undefined): void {
  for (const name in list) {
    const text = list[name];
    if (text !== undefined && tryParseQuantity(text) !== undefined) {
      list[name] = canonicalResourceQuantity(text);
    }
  }
}

function defaultContainer(container: Draft<Container>): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  defaultResourceList(container.resources?.limits);
  defaultResourceList(container.resources?.requests);
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const variable of container.env ?? []) defaultEnvironment(variable);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) defaultProbe(probe);
  }
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

function defaultEnvironment({ valueFrom }: Draft<EnvVar>): void {
  if (valueFrom === undefined) return;
  defaultFieldRef(valueFrom.fieldRef);
  defaultResourceFieldRef(valueFrom.resourceFieldRef);
}

function defaultFieldRef(fieldRef: Draft<ObjectFieldSelector> | undefined): void {
  if (fieldRef !== undefined) fieldRef.apiVersion ||= "v1";
}

function defaultResourceFieldRef(ref: Draft<ResourceFieldSelector> | undefined): void {
  if (ref !== undefined) ref.divisor ??= "0";
}

function defaultProbe(probe: Draft<Probe>): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
}

function defaultHandler(handler: Draft<LifecycleHandler> | undefined): void {
  defaultHttpGet(handler?.httpGet);
}

function defaultHttpGet(action: Draft<HTTPGetAction> | undefined): void {
  if (action === undefined) return;
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

/** "Always" for a tag that may move: `:latest`, or none at all. */
function defaultPullPolicy(image: string): "Always" | "IfNotPresent" {
  if (image === "" || /\s/.test(image)) return "IfNotPresent";
  const [reference = "", digest] = image.split("@", 2);
  const last = reference.slice(reference.lastIndexOf("/") + 1);
  const colon = last.indexOf(":");
  if (colon === -1) return digest === undefined ? "Always" : "IfNotPresent";
  return last.slice(colon + 1) === "latest" ? "Always" : "IfNotPresent";
}

/** 0644 */
const fileMode = 0o644;

function defaultVolume(volume: Draft<Volume>): void {
  if (Object.keys(volume).every((key) => key === "name")) volume.emptyDir = {};
  if (volume.secret !== undefined) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= fileMode;
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= fileMode;
    for (const file of volume.downwardAPI.items ?? []) {
      defaultFieldRef(file.fieldRef);
      defaultResourceFieldRef(file.resourceFieldRef);
    }
  }
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= fileMode;
    for (const source of volume.projected.sources ?? []) defaultProjection(source);
  }
  if (volume.image !== undefined) {
    volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? "");
  }
  defaultVolumeSource(volume);
  const claim = volume.ephemeral?.volumeClaimTemplate;
  if (claim !== undefined) claim.spec.volumeMode ??= "Filesystem";
}

function defaultProjection(source: Draft<VolumeProjection>): void {
  if (source.serviceAccountToken !== undefined) {
    source.serviceAccountToken.expirationSeconds ??= 3600;
  }
  for (const file of source.downwardAPI?.items ?? []) {
    defaultFieldRef(file.fieldRef);
    defaultResourceFieldRef(file.resourceFieldRef);
  }
}
