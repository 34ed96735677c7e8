import type { Clock } from "../../../base/clock.ts";
import type { Hub, StoredObject } from "../hub.ts";
import type { RequestContext } from "../request-context.ts";
import { readStored, type Target } from "../resource-store.ts";
import { parseRevision, untilRevision } from "../revisions.ts";

/** The object as it is now, which is no older than `resourceVersion` where one is given; NotFound where there is none. */
export async function getObject(
  deps: { readonly hub: Hub; readonly clock: Clock },
  context: RequestContext,
  target: Target,
  resourceVersion: string,
): Promise<StoredObject> {
  const revision = parseRevision(resourceVersion);
  if (revision !== undefined) await untilRevision(deps, revision, context.signal);
  return readStored(deps, target);
}
