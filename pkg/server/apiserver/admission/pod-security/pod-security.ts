import { ApiError } from "../../../../api/api-error.ts";
import type { Namespace, Pod } from "../../../../api/generated/core-v1.generated.ts";
import type { FieldError } from "../../../../api/resource.ts";
import { groupResourceOf } from "../../../../api/resource.ts";
import { namespaceResource } from "../../../../api/resources/namespace.ts";
import type { Clock } from "../../../../base/clock.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../admission.ts";
import { auditAnnotation } from "../audit-annotation.ts";
import type { CheckedPod } from "./check.ts";
import { defaultConfiguration, type PodSecurityConfiguration } from "./configuration.ts";
import { printViolations, violationsOf } from "./evaluate.ts";
import { warningsOfExistingPods } from "./existing-pods.ts";
import { podOf } from "./pod-of.ts";
import {
  compareLevels,
  isEquivalent,
  isFullyPrivileged,
  type LevelVersion,
  labelPrefix,
  type Policy,
  policyOf,
  printLevelVersion,
  sameLevelVersion,
} from "./policy.ts";

/** Of a pod's subresources, those that carry no pod. */
const ignoredSubresources: ReadonlySet<string> = new Set([
  "exec",
  "attach",
  "binding",
  "eviction",
  "log",
  "portforward",
  "proxy",
  "status",
]);

/**
 * Holds pods to the Pod Security Standards that their namespace's labels ask for. Pods are refused; of a workload,
 * whose pods would be, its author is warned.
 */
export function createPodSecurity(
  reader: ObjectReader,
  clock: Clock,
  configuration: PodSecurityConfiguration = defaultConfiguration,
): AdmissionPlugin {
  const plugin = new PodSecurity(reader, clock, configuration);
  return {
    name: "PodSecurity",
    validate(request) {
      if (request.operation !== "CREATE" && request.operation !== "UPDATE") return;
      switch (groupResourceOf(request.resource)) {
        case "namespaces":
          plugin.validateNamespace(request);
          break;
        case "pods":
          plugin.validatePod(request);
          break;
        default:
          plugin.validateWorkload(request);
      }
    },
  };
}

class PodSecurity {
  readonly #reader: ObjectReader;
  readonly #clock: Clock;
  readonly #configuration: PodSecurityConfiguration;
  /** Of stored namespaces, which never change: every pod asks. */
  readonly #policies = new WeakMap<Namespace, ReturnType<typeof policyOf>>();

  constructor(reader: ObjectReader, clock: Clock, configuration: PodSecurityConfiguration) {
    this.#reader = reader;
    this.#clock = clock;
    this.#configuration = configuration;
  }

  validateNamespace(request: AdmissionRequest): void {
    if (request.subresource !== "") return;
    const namespace = request.object as Namespace;
    const next = this.#policyOf(namespace);
    const name = namespace.metadata.name;
    if (request.operation === "CREATE") {
      if (next.errors.length > 0) throw ApiError.invalid(request.resource, name, next.errors);
      if (this.#isExemptNamespace(name)) this.#warnOfExemption(request, next.policy);
      return;
    }
    const before = this.#policyOf(request.previous as Namespace);
    if (next.errors.length > 0 && !sameErrors(next.errors, before.errors)) {
      throw ApiError.invalid(request.resource, name, next.errors);
    }
    if (!isStricter(next.policy.enforce, before.policy.enforce)) return;
    if (this.#isExemptNamespace(name)) {
      this.#warnOfExemption(request, next.policy);
      return;
    }
    const { runtimeClasses } = this.#configuration.exemptions;
    request.warnings.push(
      ...warningsOfExistingPods(
        this.#reader,
        this.#clock,
        name,
        next.policy.enforce,
        runtimeClasses,
      ),
    );
  }

  validatePod(request: AdmissionRequest): void {
    if (ignoredSubresources.has(request.subresource)) return;
    if (this.#isExempt(request)) return;
    const namespace = this.#reader.get(namespaceResource, undefined, request.namespace ?? "");
    if (namespace === undefined) {
      const why = `failed to lookup namespace ${JSON.stringify(request.namespace)}`;
      throw new ApiError("InternalError", `Internal error occurred: ${why}`);
    }
    const { policy, errors } = this.#policyOf(namespace);
    if (errors.length === 0 && isFullyPrivileged(policy)) {
      annotate(request, "enforce-policy", printLevelVersion(policy.enforce));
      return;
    }
    const pod = request.object as Pod;
    const previous = request.previous as Pod | undefined;
    if (previous !== undefined && !isSignificantUpdate(pod, previous)) return;
    const checked = podOf(request.resource, pod);
    if (checked === undefined) return;
    this.#evaluate(request, policy, errors, checked, true);
  }

  validateWorkload(request: AdmissionRequest): void {
    if (request.subresource !== "") return;
    const checked = podOf(request.resource, request.object);
    if (checked === undefined || this.#isExempt(request)) return;
    const namespace = this.#reader.get(namespaceResource, undefined, request.namespace ?? "");
    if (namespace === undefined) {
      const why = `failed to lookup namespace ${JSON.stringify(request.namespace)}`;
      annotate(request, "error", why);
      return;
    }
    const { policy, errors } = this.#policyOf(namespace);
    const tells = policy.warn.level !== "privileged" || policy.audit.level !== "privileged";
    if (errors.length > 0 || tells) this.#evaluate(request, policy, errors, checked, false);
  }

  #evaluate(
    request: AdmissionRequest,
    policy: Policy,
    errors: readonly FieldError[],
    pod: CheckedPod,
    enforces: boolean,
  ): void {
    const { runtimeClassName } = pod.spec;
    if (
      runtimeClassName !== undefined &&
      this.#configuration.exemptions.runtimeClasses.includes(runtimeClassName)
    ) {
      annotate(request, "exempt", "runtimeClass");
      return;
    }
    if (errors.length > 0) {
      annotate(request, "error", `Failed to parse policy: ${printErrors(errors)}`);
    }
    const audited = violation(policy.audit, pod);
    if (audited !== undefined) annotate(request, "audit-violations", `would violate ${audited}`);
    if (enforces) {
      annotate(request, "enforce-policy", printLevelVersion(policy.enforce));
      const refused = violation(policy.enforce, pod);
      if (refused !== undefined) {
        throw ApiError.forbidden(request.resource, request.name, `violates ${refused}`);
      }
    }
    const warned = violation(policy.warn, pod);
    if (warned !== undefined) request.warnings.push(`would violate ${warned}`);
  }

  #policyOf(namespace: Namespace): ReturnType<typeof policyOf> {
    const known = this.#policies.get(namespace);
    if (known !== undefined) return known;
    const policy = policyOf(namespace.metadata.labels, this.#configuration.defaults);
    if (Object.isFrozen(namespace)) this.#policies.set(namespace, policy);
    return policy;
  }

  #isExemptNamespace(name: string): boolean {
    return this.#configuration.exemptions.namespaces.includes(name);
  }

  #isExempt(request: AdmissionRequest): boolean {
    const { usernames } = this.#configuration.exemptions;
    const why = this.#isExemptNamespace(request.namespace ?? "")
      ? "namespace"
      : usernames.includes(request.user.username)
        ? "user"
        : undefined;
    if (why !== undefined) annotate(request, "exempt", why);
    return why !== undefined;
  }

  /** Who labels a namespace that is exempt should know that the labels do nothing. */
  #warnOfExemption(request: AdmissionRequest, policy: Policy): void {
    if (isFullyPrivileged(policy) || isEquivalent(policy, this.#configuration.defaults)) return;
    const { labels = {}, name } = (request.object as Namespace).metadata;
    const asked = (["enforce", "audit", "warn"] as const).filter((mode) => {
      const isSet = [mode, `${mode}-version`].some(
        (key) => labels[`${labelPrefix}${key}`] !== undefined,
      );
      return isSet && policy[mode].level !== "privileged";
    });
    const printed = asked.map((mode) => `${mode}=${printLevelVersion(policy[mode])}`).join(", ");
    request.warnings.push(
      `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${printed}) will be ignored`,
    );
  }
}

/** `PodSecurity "restricted:latest": …`; undefined where the pod keeps to it. */
function violation(asked: LevelVersion, pod: CheckedPod): string | undefined {
  const violations = violationsOf(asked, pod);
  if (violations.length === 0) return undefined;
  return `PodSecurity "${printLevelVersion(asked)}": ${printViolations(violations)}`;
}

function printErrors(errors: readonly FieldError[]): string {
  const lines = errors.map(
    ({ path, type, value, detail }) => `${path}: ${type}: ${JSON.stringify(value)}: ${detail}`,
  );
  return lines.length === 1 ? String(lines[0]) : `[${lines.join(", ")}]`;
}

function annotate(request: AdmissionRequest, key: string, value: string): void {
  auditAnnotation(request, `${labelPrefix}${key}`, value);
}

/** Whether pods that were allowed may now be refused. */
function isStricter(next: LevelVersion, before: LevelVersion): boolean {
  if (sameLevelVersion(next, before) || next.level === "privileged") return false;
  return next.minor !== before.minor || compareLevels(next.level, before.level) > 0;
}

function sameErrors(a: readonly FieldError[], b: readonly FieldError[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Of what an update of a pod may change, only images and new containers can break a policy. */
function isSignificantUpdate(next: Pod, previous: Pod): boolean {
  const imagesOf = (pod: Pod): string =>
    JSON.stringify(
      [pod.spec?.containers, pod.spec?.initContainers].map((list) => list?.map(imageOf) ?? []),
    );
  if (imagesOf(next) !== imagesOf(previous)) return true;
  const known = new Map(
    (previous.spec?.ephemeralContainers ?? []).map(({ name, image }) => [name, image]),
  );
  return (next.spec?.ephemeralContainers ?? []).some(
    ({ name, image }) => !known.has(name) || known.get(name) !== image,
  );
}

function imageOf({ image }: { readonly image?: string }): string {
  return image ?? "";
}
