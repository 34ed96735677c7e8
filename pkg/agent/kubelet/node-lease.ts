import { ApiError } from "../../api/api-error.ts";
import type { Lease } from "../../api/generated/coordination-v1.generated.ts";
import { objectKey } from "../../api/object.ts";
import { leaseResource } from "../../api/resources/lease.ts";
import { formatMicroTime } from "../../api/time.ts";
import { type BackoffPolicy, backoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";

const namespace = "kube-node-lease";
const leaseDurationSeconds = 40;
const renewMs = 10_000;
/** After a failure it is tried sooner, so that one lost answer does not cost a quarter of the lease. */
const retry: BackoffPolicy = { firstMs: 2_000, maxMs: renewMs };

/** Tells the cluster every ten seconds that this node is alive. */
export function createNodeLease(deps: {
  readonly client: Pick<Client, "get" | "create" | "update">;
  readonly nodeName: string;
  /** The Node's uid, once it is registered. */
  readonly nodeUid: () => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}): Service {
  const { client, nodeName, clock, logger } = deps;
  let held: Lease | undefined;

  async function renew(signal: AbortSignal): Promise<void> {
    held ??= await client.get(leaseResource, objectKey(namespace, nodeName), signal);
    const spec = {
      holderIdentity: nodeName,
      leaseDurationSeconds,
      renewTime: formatMicroTime(clock.now()),
    };
    const uid = deps.nodeUid();
    const owner = { apiVersion: "v1", kind: "Node", name: nodeName, uid: uid ?? "" };
    const ownerReferences = uid === undefined ? {} : { ownerReferences: [owner] };
    if (held === undefined) {
      held = await client.create(
        leaseResource,
        {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { name: nodeName, namespace, ...ownerReferences },
          spec,
        },
        signal,
      );
      return;
    }
    const metadata = { ...held.metadata, ...ownerReferences };
    held = await client.update(leaseResource, { ...held, metadata, spec }, signal);
  }

  return {
    name: "node lease",
    async run(signal) {
      let failures = 0;
      while (!signal.aborted) {
        let waitMs = renewMs;
        try {
          await renew(signal);
          failures = 0;
        } catch (caught) {
          if (signal.aborted) return;
          // Whatever it was, what we hold may be out of date.
          held = undefined;
          failures += 1;
          waitMs = backoffMs(retry, failures);
          const error = ApiError.from(caught);
          logger.warn("the node's lease cannot be renewed yet", { error: error.message });
        }
        await clock.sleep(waitMs, signal).catch(() => {});
      }
    },
  };
}
