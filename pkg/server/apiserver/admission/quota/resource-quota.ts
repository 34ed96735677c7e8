import type { ResourceQuota } from "../../../../api/generated/core-v1.generated.ts";
import type { Draft, KubernetesObject } from "../../../../api/object.ts";
import { compareQuantities } from "../../../../api/quantity.ts";
import type { ResourceDefinition } from "../../../../api/resource.ts";
import { resourceQuotaResource } from "../../../../api/resources/resourcequota.ts";
import { add, amountsOf, listOf, masked } from "../../../../api/shared/quota/amounts.ts";
import { countUsage } from "../../../../api/shared/quota/count-usage.ts";
import { evaluatorOf } from "../../../../api/shared/quota/evaluators.ts";
import type { Clock } from "../../../../base/clock.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../admission.ts";
import { admissionForbidden, isAbout } from "../refusal.ts";
import type { ChargedWrite } from "./charge.ts";
import type { LimitedResource } from "./configuration.ts";
import { QuotaLedger, type QuotaLedgerDeps, type Taken } from "./quota-ledger.ts";

export interface ResourceQuotaDeps {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** Every kind that is stored at the moment. */
  storedResources(): readonly ResourceDefinition[];
  readonly writeQuotaUsed: QuotaLedgerDeps["writeUsed"];
  readonly configuration?: { readonly limitedResources?: readonly LimitedResource[] };
}

/**
 * No namespace gets more than its quotas say, however many ask at once.
 *
 * As upstream, `status.used` is where it is decided: a creation is counted there before it is stored (see
 * `QuotaLedger`), and the resourcequota controller counts again what is really there. Upstream's count can
 * overtake a creation that is counted and not yet stored, and so let one too many in; here, whoever writes the
 * status cannot lower it beneath what is there and what this server is about to store.
 */
export function createResourceQuota(deps: ResourceQuotaDeps): AdmissionPlugin {
  const { reader, clock } = deps;
  const quotasOf = (namespace: string) => reader.list(resourceQuotaResource, namespace);
  const limited = deps.configuration?.limitedResources ?? [];
  const ledger = new QuotaLedger({
    limited,
    quotas: quotasOf,
    writeUsed: deps.writeQuotaUsed,
    now: () => clock.now(),
  });
  /** Counted, and not known yet to be stored. */
  const pending = new Map<AdmissionRequest, Taken>();

  function raiseUsed(quota: Draft<ResourceQuota>, previous: ResourceQuota): void {
    const { status } = quota;
    const names = Object.keys(status?.hard ?? {});
    if (status === undefined || names.length === 0) return;
    const counted = new Set(names);
    const world = {
      resources: deps.storedResources(),
      list: (resource: ResourceDefinition, namespace: string) => reader.list(resource, namespace),
    };
    let least = countUsage(previous, names, world, clock.now());
    for (const [request, taken] of pending) {
      const amounts = taken.get(previous.metadata.name);
      const isHere = request.namespace === previous.metadata.namespace;
      if (amounts === undefined || !isHere || isStored(reader, request)) continue;
      least = add(least, masked(amounts, counted));
    }
    const used = amountsOf(status.used);
    for (const [name, amount] of least) {
      const sent = used.get(name);
      if (sent !== undefined && compareQuantities(sent, amount) < 0) used.set(name, amount);
    }
    status.used = listOf(used);
  }

  async function keepFromFalling({ namespace = "", object, previous }: AdmissionRequest) {
    if (previous === undefined) return;
    await ledger.idle(namespace);
    raiseUsed(object as Draft<ResourceQuota>, previous as ResourceQuota);
  }

  async function take(request: AdmissionRequest, namespace: string, write: ChargedWrite) {
    const refuse = (why: string) => admissionForbidden(request, why);
    const taken = await ledger.take(namespace, write, refuse, request.dryRun);
    if (taken.size > 0) pending.set(request, taken);
  }

  async function settle(request: AdmissionRequest, taken: Taken, isStored: boolean) {
    if (!isStored) await ledger.giveBack(request.namespace ?? "", taken);
    pending.delete(request);
  }

  // Most writes are nothing to any quota: they wait for nobody.
  return {
    name: "ResourceQuota",
    admit(request) {
      if (request.operation !== "UPDATE" || !isAbout(request, "resourcequotas/status")) return;
      return keepFromFalling(request);
    },
    validate(request) {
      const { namespace } = request;
      if (namespace === undefined) return;
      if (limited.length === 0 && quotasOf(namespace).length === 0) return;
      const write = chargedWrite(request);
      return write === undefined ? undefined : take(request, namespace, write);
    },
    settle(request, isStored) {
      const taken = pending.get(request);
      return taken === undefined ? undefined : settle(request, taken, isStored);
    },
  };
}
/** What quotas see of a request; undefined where it is nothing to them. */
function chargedWrite(request: AdmissionRequest): ChargedWrite | undefined {
  const { operation, resource, subresource } = request;
  const evaluator = evaluatorOf(resource);
  if (evaluator === undefined) return undefined;
  const object = request.object as KubernetesObject;
  const isStatus = subresource === "status";
  if (operation === "CREATE") {
    return subresource === ""
      ? { evaluator, resource, isStatus, object, previous: undefined }
      : undefined;
  }
  const { previous } = request;
  if (operation !== "UPDATE" || previous === undefined) return undefined;
  if (evaluator.mayTakeMore?.(subresource, object, previous) !== true) return undefined;
  return { evaluator, resource, isStatus, object, previous };
}

/** Whether the hub shows already what a request writes. */
function isStored(reader: ObjectReader, request: AdmissionRequest): boolean {
  const { namespace, name, previous } = request;
  const current = reader.get(request.resource, namespace, name);
  if (previous !== undefined) return current !== previous;
  return current?.metadata.uid === (request.object as KubernetesObject).metadata.uid;
}
