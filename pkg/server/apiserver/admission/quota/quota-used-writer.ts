import { draftOf } from "../../../../api/draft.ts";
import type { Draft, KubernetesObject } from "../../../../api/object.ts";
import type { ResourceDefinition } from "../../../../api/resource.ts";
import { resourceQuotaResource } from "../../../../api/resources/resourcequota.ts";
import { listOf } from "../../../../api/shared/quota/amounts.ts";
import type { Clock } from "../../../../base/clock.ts";
import { type Hub, storageKey } from "../../hub.ts";
import { trackFields } from "../../managed-fields.ts";
import type { QuotaLedgerDeps } from "./quota-ledger.ts";

/** Who is said to have written what admission counts. */
const fieldManager = "kube-apiserver";

/** Writes `status.used` of a quota where nobody has written the quota meanwhile. */
export function createQuotaUsedWriter(hub: Hub, clock: Clock): QuotaLedgerDeps["writeUsed"] {
  const resource = resourceQuotaResource as unknown as ResourceDefinition;
  return async (quota, used) => {
    const { namespace, name, resourceVersion } = quota.metadata;
    const next = { ...quota, status: { ...quota.status, used: listOf(used) } };
    const draft = draftOf(next) as unknown as Draft<KubernetesObject>;
    trackFields({ clock }, resource, quota, draft, fieldManager, "status");
    delete (draft.metadata as { resourceVersion?: string }).resourceVersion;
    const result = await hub.update(
      storageKey(resource, namespace, name),
      draft as KubernetesObject,
      Number(resourceVersion),
      resource.durability(quota),
    );
    return result.outcome === "written";
  };
}
