import { ApiError } from "../../../api/api-error.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import type { ListOptions } from "../list-options.ts";
import type { RequestContext } from "../request-context.ts";
import type { StoreDeps } from "../resource-store.ts";
import type { DeleteOptions } from "../write-options.ts";
import { deleteObject } from "./delete.ts";
import { listObjects, type ObjectPage } from "./list.ts";

/** This many deletes wait for the disk together. */
const deletesAtOnce = 64;

/** Deletes every object that is listed; answers with what was listed. Who is gone meanwhile is no error. */
export async function deleteCollection(
  deps: StoreDeps,
  context: RequestContext,
  resource: ResourceDefinition,
  namespace: string | undefined,
  selection: ListOptions,
  options: DeleteOptions,
): Promise<ObjectPage> {
  const page = await listObjects(deps, context, resource, namespace, selection);
  const waiting = [...page.objects];
  await Promise.all(
    Array.from({ length: Math.min(deletesAtOnce, waiting.length) }, async () => {
      for (let stored = waiting.pop(); stored !== undefined; stored = waiting.pop()) {
        context.signal.throwIfAborted();
        const { metadata } = stored.value;
        const target = { resource, namespace: metadata.namespace, name: metadata.name };
        try {
          await deleteObject(deps, context, target, options);
        } catch (caught) {
          if (!(caught instanceof ApiError) || caught.reason !== "NotFound") throw caught;
        }
      }
    }),
  );
  return page;
}
