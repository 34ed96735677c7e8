import { forbidden, invalid } from "../field-error.ts";
import type { Container, Pod, ResourceRequirements } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { isMirrorPod, keepAllBut } from "./pod-parts.ts";
import { isRestartableInitContainer, qosClassOf } from "./pod-resources.ts";

type Lists = Pick<ResourceRequirements, "limits" | "requests">;

/** What a write of `resize` takes over of each container. */
const resized = ["resources", "resizePolicy"] as const;

/** Puts back all that a resize does not speak of; containers that are others than before are left to be refused. */
export function prepareResize(draft: Draft<Pod>, previous: Pod): void {
  const { containers = [], initContainers = [] } = draft.spec as Partial<Draft<Pod>["spec"]>;
  if (
    containers.length !== previous.spec.containers.length ||
    initContainers.length !== (previous.spec.initContainers ?? []).length
  ) {
    return;
  }
  draft.spec.containers = withResized(containers, previous.spec.containers);
  if (initContainers.length > 0) {
    draft.spec.initContainers = withResized(initContainers, previous.spec.initContainers ?? []);
  }
  keepAllBut(draft, previous, ["resources", "containers", "initContainers"]);
}

function withResized(next: Draft<Container>[], previous: readonly Container[]): Draft<Container>[] {
  if (next.some(({ name }, index) => name !== previous[index]?.name)) return next;
  return next.map((container, index) => {
    const kept: Record<string, unknown> = { ...previous[index] };
    for (const field of resized) {
      if (container[field] === undefined) delete kept[field];
      else kept[field] = container[field];
    }
    return kept as unknown as Draft<Container>;
  });
}

/** A running pod's CPU and memory may change, and nothing else; nor may they come or go. */
export function validateResize(next: Pod, previous: Pod): readonly FieldError[] {
  if (isMirrorPod(previous)) return [forbidden("", "static pods cannot be resized")];
  if (previous.spec.os?.name === "windows") {
    return [forbidden("", "windows pods cannot be resized")];
  }
  const errors: FieldError[] = [];
  const before = previous.status.qosClass ?? qosClassOf(previous);
  if (before !== qosClassOf(next)) {
    errors.push(
      invalid(
        "spec",
        next.status.qosClass ?? "",
        "Pod QOS Class may not change as a result of resizing",
      ),
    );
  }
  if (!isSupported(previous)) {
    errors.push(forbidden("spec", "Pod running on node without support for resize"));
  }
  validatePodLevel(next.spec.resources, previous.spec.resources, errors);
  if ((previous.status.nodeAllocatableResourceClaimStatuses ?? []).length > 0) {
    errors.push(forbidden("spec", "pods with node allocatable resource claims cannot be resized"));
  }
  const ordering = validateOrder(next, previous);
  if (ordering.length > 0) return [...errors, ...ordering];
  validateRemovals(next, previous, errors);
  validateContainers(next, previous, errors);
  return errors;
}

/** A node that resizes tells what the containers have now. */
function isSupported({ status }: Pod): boolean {
  const running = status.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

const requirementLists = ["requests", "limits"] as const;

function isRemoved(
  next: Readonly<Record<string, string>> | undefined,
  previous: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.keys(previous ?? {}).some((name) => !Object.hasOwn(next ?? {}, name));
}

function validatePodLevel(
  next: Lists | undefined,
  previous: Lists | undefined,
  errors: FieldError[],
): void {
  if (previous !== undefined && next === undefined) {
    errors.push(forbidden("spec.resources", "pod-level resources cannot be removed"));
    return;
  }
  for (const list of previous === undefined ? [] : requirementLists) {
    if (!isRemoved(next?.[list], previous?.[list])) continue;
    errors.push(
      forbidden(`spec.resources.${list}`, `pod-level resource ${list} cannot be removed`),
    );
  }
  if (!equalJson(withoutResizable(next), withoutResizable(previous))) {
    errors.push(forbidden("spec", "only cpu and memory resources are mutable at pod-level"));
  }
}

/** All but what can be resized; undefined and empty are the same. */
function withoutResizable(resources: Lists | undefined): unknown {
  const kept = (list: Readonly<Record<string, string>> | undefined) => {
    const { cpu: _, memory: __, ...others } = list ?? {};
    return others;
  };
  const { limits, requests, ...others } = resources ?? {};
  return { ...others, limits: kept(limits), requests: kept(requests) };
}

function validateOrder({ spec: next }: Pod, { spec: previous }: Pod): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ["containers", "initContainers"] as const) {
    const path = `spec.${list}`;
    const containers = next[list] ?? [];
    const before = previous[list] ?? [];
    if (containers.length !== before.length) {
      errors.push(forbidden(path, `${list} may not be added or removed on resize`));
      continue;
    }
    containers.forEach(({ name }, index) => {
      if (name === before[index]?.name) return;
      const detail = `${list} may not be renamed or reordered on resize`;
      errors.push(forbidden(`${path}[${index}].name`, detail));
    });
  }
  return errors;
}

function validateRemovals(
  { spec: next }: Pod,
  { spec: previous }: Pod,
  errors: FieldError[],
): void {
  for (const list of ["initContainers", "containers"] as const) {
    (previous[list] ?? []).forEach(({ resources }, index) => {
      const now = next[list]?.[index]?.resources;
      for (const kind of requirementLists) {
        if (!isRemoved(now?.[kind], resources?.[kind])) continue;
        errors.push(
          forbidden(
            `spec.${list}[${index}].resources.${kind}`,
            `resource ${kind} cannot be removed`,
          ),
        );
      }
    });
  }
}

function validateContainers(
  { spec: next }: Pod,
  { spec: previous }: Pod,
  errors: FieldError[],
): void {
  next.containers.forEach((container, index) => {
    if (!isOnlyResized(container, previous.containers[index])) {
      errors.push(forbidden("spec", "only cpu and memory resources are mutable"));
    }
  });
  (next.initContainers ?? []).forEach((container, index) => {
    const before = previous.initContainers?.[index];
    const path = `spec.initContainers[${index}]`;
    if (!isOnlyResized(container, before)) {
      errors.push(
        forbidden(path, "only cpu and memory resources for init or sidecar containers are mutable"),
      );
    }
    if (equalJson(container, before) || isRestartableInitContainer(container)) return;
    for (const { restartPolicy } of container.resizePolicy ?? []) {
      if (restartPolicy !== "RestartContainer") continue;
      errors.push(
        forbidden(
          path,
          "non-sidecar init containers with a resize policy of RestartContainer cannot be resized",
        ),
      );
    }
  });
}

function isOnlyResized(next: Container, previous: Container | undefined): boolean {
  const comparable = (container: Container | undefined) => ({
    ...container,
    resources: withoutResizable(container?.resources),
  });
  return equalJson(comparable(next), comparable(previous));
}
