import { draftOf } from "../../../api/draft.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { groupResourceOf, type ResourceDefinition } from "../../../api/resource.ts";
import { trackFields } from "../managed-fields.ts";
import { requireName } from "../object-name.ts";
import type { RequestContext } from "../request-context.ts";
import { type StoreDeps, type Target, updateStored, type Written } from "../resource-store.ts";
import type { WriteOptions } from "../write-options.ts";
import { fillNamespace } from "./create.ts";

/** Kinds that a PUT creates where there is none. */
const createdByUpdate: ReadonlySet<string> = new Set([
  "clusterrolebindings.rbac.authorization.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "endpoints",
  "events",
  "events.events.k8s.io",
  "leases.coordination.k8s.io",
  "limitranges",
  "rolebindings.rbac.authorization.k8s.io",
  "roles.rbac.authorization.k8s.io",
  "runtimeclasses.node.k8s.io",
  "services",
]);

export function mayCreateByUpdate(resource: ResourceDefinition): boolean {
  return createdByUpdate.has(groupResourceOf(resource));
}

/** Replaces an object, or only the part of it that is a subresource. `draft` is decoded, and belongs to this call. */
export async function updateObject(
  deps: StoreDeps,
  context: RequestContext,
  target: Target,
  subresource: string,
  draft: Draft<KubernetesObject>,
  options: WriteOptions,
): Promise<Written> {
  const { resource, namespace, name } = target;
  fillNamespace(resource, namespace, draft);
  requireName(draft.metadata.name, name);
  resource.defaults?.(draft, deps.clock.now());
  const manager = options.fieldManager ?? context.fieldManager;
  const uid = draft.metadata.uid as string | undefined;
  return await updateStored(deps, context, {
    target,
    subresource,
    mayCreate: subresource === "" && mayCreateByUpdate(resource),
    options,
    preconditions: uid === undefined || uid === "" ? {} : { uid },
    async next(previous) {
      await context.pause?.();
      const next = draftOf(draft) as Draft<KubernetesObject>;
      trackFields(deps, resource, previous, next, manager, subresource);
      return next;
    },
  });
}
