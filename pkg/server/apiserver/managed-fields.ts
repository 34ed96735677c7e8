import type { Draft, KubernetesObject } from "../../api/object.ts";
import { defaultResetFields, type ResetFields } from "../../api/patch/apply/ownership.ts";
import { trackUpdate } from "../../api/patch/apply/track-update.ts";
import type { JsonObject } from "../../api/patch/json-value.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/resource.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";

/** Notes in the draft's managedFields what `manager` set, compared with `previous`. */
export function trackFields(
  { clock }: { readonly clock: Clock },
  resource: ResourceDefinition,
  previous: KubernetesObject | undefined,
  draft: Draft<KubernetesObject>,
  manager: string,
  subresource: string,
): void {
  const managedFields = trackUpdate({
    schema: resource.schema.object,
    previous: previous as JsonObject | undefined,
    next: draft as unknown as JsonObject,
    manager,
    apiVersion: apiVersionOf(resource),
    subresource,
    resetFields: resetFieldsOf(resource, subresource),
    nowRfc3339: formatTime(clock.now()),
  });
  const meta = draft.metadata as { managedFields?: unknown };
  if (managedFields === undefined) delete meta.managedFields;
  else meta.managedFields = managedFields;
}

/** What nobody owns after a write through this endpoint. */
export function resetFieldsOf(resource: ResourceDefinition, subresource: string): ResetFields {
  const own = resource.resetFields[subresource];
  return own ?? defaultResetFields(subresource, resource.subresources.status);
}
