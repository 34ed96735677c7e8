import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  immutableDetail,
  invalid,
  invalidEach,
  notSupported,
} from "../field-error.ts";
import type {
  Container,
  ContainerStatus,
  Pod,
  PodSpec,
  PodStatus,
} from "../generated/core-v1.generated.ts";
import { checkIpAddress, ipFamilyOf } from "../ip-address.ts";
import { checkDnsSubdomain, checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { validateId } from "./validate-security-context.ts";

/** What may be said of a pod's state, after what was said before. */
export function validatePodStatus(next: Pod, previous: Pod): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { status } = next;
  validateConditions(status, errors);
  validateNomination(status, previous, errors);
  if ((status.observedGeneration ?? 0) < 0) {
    const detail = "must be a non-negative integer";
    errors.push(invalid("status.observedGeneration", status.observedGeneration, detail));
  }
  if ((status.qosClass ?? "") !== (previous.status.qosClass ?? "")) {
    errors.push(invalid("status.qosClass", status.qosClass ?? "", immutableDetail));
  }
  validateTransitions(status, previous, errors);
  validateClaims(next, errors);
  validateIps("podIPs", status, previous.status, errors);
  validateHostIp(status, errors);
  validateIps("hostIPs", status, previous.status, errors);
  for (const list of statusLists) {
    (status[list] ?? []).forEach(({ user }, index) => {
      validateUser(user?.linux, `status.${list}[${index}].user.linux`, errors);
    });
  }
  validateAllocations(next, errors);
  return errors;
}

const statusLists = [
  "containerStatuses",
  "initContainerStatuses",
  "ephemeralContainerStatuses",
] as const;

const systemConditions: ReadonlySet<string> = new Set(["PodScheduled", "Ready", "Initialized"]);

function validateConditions({ conditions = [] }: PodStatus, errors: FieldError[]): void {
  conditions.forEach(({ type, observedGeneration = 0 }, index) => {
    const path = `status.conditions[${index}]`;
    if (observedGeneration < 0) {
      const detail = "must be a non-negative integer";
      errors.push(invalid(`${path}.observedGeneration`, observedGeneration, detail));
    }
    if (systemConditions.has(type)) return;
    addAll(errors, invalidEach(`${path}.Type`, type, checkQualifiedName(type)));
  });
}

function validateNomination(
  { nominatedNodeName: name = "" }: PodStatus,
  previous: Pod,
  errors: FieldError[],
): void {
  if (name === "" || name === previous.status.nominatedNodeName) return;
  const path = "status.nominatedNodeName";
  addAll(errors, invalidEach(path, name, checkDnsSubdomain(name)));
  if ((previous.spec.nodeName ?? "") !== "") {
    errors.push(forbidden(path, "may not be set on pods that are already bound to a node"));
  }
}

// ---- containers that have ended ---------------------------------------------------

function validateTransitions(next: PodStatus, previous: Pod, errors: FieldError[]): void {
  const { spec, status } = previous;
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  const anyRestartsAll = all.some((container) =>
    container.restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );
  const lists = {
    containerStatuses: spec.containers,
    initContainerStatuses: spec.initContainers ?? [],
    ephemeralContainerStatuses: [],
  };
  for (const list of statusLists) {
    if (anyRestartsAll && list !== "ephemeralContainerStatuses") continue;
    (status[list] ?? []).forEach((before, index) => {
      const { terminated } = before.state ?? {};
      const now = next[list]?.find(({ name }) => name === before.name);
      if (terminated === undefined || now === undefined || now.state?.terminated !== undefined) {
        return;
      }
      const container = lists[list].find(({ name }) => name === before.name);
      if (container !== undefined && restarts(container, spec, terminated.exitCode)) return;
      errors.push(
        forbidden(
          `status.${list}[${index}].state`,
          "may not be transitioned to non-terminated state",
        ),
      );
    });
  }
}

/** Whether a container that ended with this code is started again. */
function restarts(container: Container, spec: PodSpec, exitCode: number): boolean {
  const { restartPolicy: own, restartPolicyRules: rules = [] } = container;
  if (own !== undefined) {
    const rule = rules.find(({ exitCodes }) => {
      const isNamed = exitCodes?.values?.includes(exitCode) === true;
      return exitCodes?.operator === "In" ? isNamed : exitCodes?.operator === "NotIn" && !isNamed;
    });
    if (rule?.action === "Restart" || rule?.action === "RestartAllContainers") return true;
  }
  switch (own ?? spec.restartPolicy) {
    case "Never":
      return false;
    case "OnFailure":
      return exitCode !== 0;
    default:
      return true;
  }
}

// ---- addresses and users ----------------------------------------------------------

function validateHostIp({ hostIP = "", hostIPs = [] }: PodStatus, errors: FieldError[]): void {
  const [first] = hostIPs;
  if (first === undefined || first.ip === hostIP) return;
  errors.push(invalid("status.hostIPs[0].ip", first.ip, "must be equal to `hostIP`"));
}

/** At most one address of each family. What was accepted once may stay. */
function validateIps(
  list: "podIPs" | "hostIPs",
  next: PodStatus,
  previous: PodStatus,
  errors: FieldError[],
): void {
  const addresses = next[list] ?? [];
  const kept = new Set((previous[list] ?? []).map(({ ip }) => ip));
  addresses.forEach(({ ip }, index) => {
    if (kept.has(ip)) return;
    addAll(errors, invalidEach(`status.${list}[${index}]`, ip, checkIpAddress(ip)));
  });
  if (addresses.length < 2) return;
  const families = new Set(addresses.map(({ ip }) => ipFamilyOf(ip)));
  if (addresses.length === 2 && families.size === 2) return;
  const detail = "may specify no more than one IP for each IP family";
  errors.push(invalid(`status.${list}`, addresses, detail));
}

function validateUser(
  user: NonNullable<ContainerStatus["user"]>["linux"],
  path: string,
  errors: FieldError[],
): void {
  if (user === undefined) return;
  validateId(user.uid, `${path}.uid`, errors);
  validateId(user.gid, `${path}.gid`, errors);
  (user.supplementalGroups ?? []).forEach((group, index) => {
    validateId(group, `${path}.supplementalGroups[${index}]`, errors);
  });
}

// ---- devices ----------------------------------------------------------------------

function validateClaims({ spec, status }: Pod, errors: FieldError[]): void {
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  (status.resourceClaimStatuses ?? []).forEach(({ name, resourceClaimName }, index) => {
    const path = `status.resourceClaimStatuses[${index}]`;
    if (!claims.has(name)) {
      const detail = "must match the name of an entry in `spec.resourceClaims`";
      errors.push(invalid(`${path}.name`, name, detail));
    }
    if (seen.has(name)) errors.push(duplicate(`${path}.name`, name));
    seen.add(name);
    if (resourceClaimName !== undefined) {
      const problems = checkDnsSubdomain(resourceClaimName);
      addAll(errors, invalidEach(`${path}.resourceClaimName`, resourceClaimName, problems));
    }
  });
}

const healths = ["Healthy", "Unhealthy", "Unknown"];

function validateAllocations({ spec, status }: Pod, errors: FieldError[]): void {
  const lists = { containerStatuses: spec.containers, initContainerStatuses: spec.initContainers };
  for (const [list, containers = []] of Object.entries(lists)) {
    (status[list as keyof typeof lists] ?? []).forEach((container, index) => {
      const of = containers.find(({ name }) => name === container.name);
      validateAllocated(container, of, `status.${list}[${index}]`, errors);
    });
  }
  (status.ephemeralContainerStatuses ?? []).forEach(({ allocatedResourcesStatus }, index) => {
    if ((allocatedResourcesStatus ?? []).length === 0) return;
    errors.push(
      forbidden(
        `status.ephemeralContainerStatuses[${index}].allocatedResourcesStatus`,
        "must not be specified in container status",
      ),
    );
  });
}

function validateAllocated(
  { allocatedResourcesStatus = [] }: ContainerStatus,
  container: Container | undefined,
  path: string,
  errors: FieldError[],
): void {
  allocatedResourcesStatus.forEach(({ name, resources = [] }, index) => {
    const at = `${path}.allocatedResourcesStatus[${index}]`;
    const problem = container === undefined ? undefined : checkAllocated(name, container);
    if (problem !== undefined) errors.push(invalid(`${at}.name`, name, problem));
    const seen = new Set<string>();
    resources.forEach(({ resourceID, health = "" }, position) => {
      const part = `${at}.resources[${position}]`;
      if (!healths.includes(health)) {
        errors.push(notSupported(`${part}.health`, health, healths));
      }
      if (seen.has(resourceID)) errors.push(duplicate(`${part}.resourceID`, resourceID));
      seen.add(resourceID);
    });
  });
}

function checkAllocated(name: string, { resources }: Container): string | undefined {
  if (!name.startsWith("claim:")) {
    return Object.hasOwn(resources?.requests ?? {}, name)
      ? undefined
      : "must match one of the container's resource requests";
  }
  const names = (resources?.claims ?? []).map((claim) =>
    (claim.request ?? "") === "" ? `claim:${claim.name}` : `claim:${claim.name}/${claim.request}`,
  );
  return names.includes(name)
    ? undefined
    : "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
}
