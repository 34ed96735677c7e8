import { ApiError } from "../../../api/api-error.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import type { StoredObject } from "../hub.ts";
import { trackFields } from "../managed-fields.ts";
import type { RequestContext } from "../request-context.ts";
import { createStored, type StoreDeps } from "../resource-store.ts";
import type { WriteOptions } from "../write-options.ts";

/** Stores a new object. `draft` is decoded, and belongs to this call. */
export async function createObject(
  deps: StoreDeps,
  context: RequestContext,
  resource: ResourceDefinition,
  namespace: string | undefined,
  draft: Draft<KubernetesObject>,
  options: WriteOptions,
): Promise<StoredObject> {
  fillNamespace(resource, namespace, draft);
  resource.defaults?.(draft, deps.clock.now());
  await context.pause?.();
  trackFields(deps, resource, undefined, draft, options.fieldManager ?? context.fieldManager, "");
  return await createStored(deps, context, resource, namespace, draft, options);
}

/** Gives the object the namespace of the request; BadRequest where it names another. */
export function fillNamespace(
  resource: ResourceDefinition,
  namespace: string | undefined,
  draft: Draft<KubernetesObject>,
): void {
  const meta = draft.metadata as { namespace?: string };
  if (resource.scope === "cluster") {
    delete meta.namespace;
    return;
  }
  if (meta.namespace === undefined || meta.namespace === "") meta.namespace = namespace ?? "";
  else if (meta.namespace !== namespace) {
    throw ApiError.badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
}
