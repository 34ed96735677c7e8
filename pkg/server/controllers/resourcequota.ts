import type { ResourceQuota } from "../../api/generated/core-v1.generated.ts";
import { type KubernetesObject, keyOf, type ObjectKey } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { groupResourceOf, type ResourceDefinition } from "../../api/resource.ts";
import { resourceQuotaResource } from "../../api/resources/resourcequota.ts";
import { amountsOf, listOf, masked, sameAmounts } from "../../api/shared/quota/amounts.ts";
import { type CountedWorld, countUsage } from "../../api/shared/quota/count-usage.ts";
import { evaluatorOf } from "../../api/shared/quota/evaluators.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller, ControllerDeps, Watch } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import type { LiveKinds } from "../../client/live-kinds.ts";
import { watchChanges } from "../../client/watches.ts";

/** What was given for a creation that came to nothing in another server is found so late at the latest. */
const recountMs = 5 * 60_000;
/** What was on its way when there was no bound yet has arrived by then. */
const newBoundsRecountMs = 1_000;

export type QuotaStatus = NonNullable<ResourceQuota["status"]>;

/**
 * What a quota's status should say, with what is counted now; what no kind there is counts for keeps its old count.
 *
 * @package
 */
export function planQuotaStatus(
  quota: ResourceQuota,
  world: CountedWorld,
  nowMs: number,
): { readonly status: QuotaStatus; readonly isChanged: boolean } {
  const hard = amountsOf(quota.spec?.hard);
  const names = new Set(hard.keys());
  const before = amountsOf(quota.status?.used);
  const counted = countUsage(quota, [...names], world, nowMs);
  const used = masked(new Map([...before, ...counted]), names);
  const isChanged =
    quota.status?.used === undefined ||
    !sameAmounts(used, before) ||
    !sameAmounts(hard, amountsOf(quota.status.hard));
  return { status: { hard: listOf(hard), used: listOf(used) }, isChanged };
}

/** Counts what each quota's namespace has; of what is made, admission keeps count itself. */
export function resourceQuotaController(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly kinds: LiveKinds;
  readonly informer: ControllerDeps["informer"];
}): Controller {
  const { client, clock, kinds, informer: informerOf } = deps;
  const quotas = informerOf(resourceQuotaResource);
  const watched = new Map<string, Informer<KubernetesObject>>();

  function newWatches(): Watch[] {
    const found = kinds.stored.filter(
      (resource) => isCountable(resource) && !watched.has(groupResourceOf(resource)),
    );
    return found.map((resource) => {
      const informer = informerOf<KubernetesObject>(resource);
      watched.set(groupResourceOf(resource), informer);
      return watchKind(resource, informer);
    });
  }

  /** Only of what may give something back: what takes more has passed admission. */
  function watchKind(resource: ResourceDefinition, informer: Informer<KubernetesObject>): Watch {
    const evaluator = evaluatorOf(resource);
    const givesBack = (object: KubernetesObject, previous: KubernetesObject | undefined) =>
      previous === undefined
        ? informer.get(keyOf(object)) === undefined
        : evaluator?.mayGiveBack?.(object, previous, clock.now()) === true;
    return {
      informer,
      keysFor(object, previous): readonly ObjectKey[] {
        if (!givesBack(object, previous)) return [];
        return quotas
          .list(object.metadata.namespace)
          .filter(({ spec }) =>
            Object.keys(spec?.hard ?? {}).some((name) => evaluator?.counts(name)),
          )
          .map(keyOf);
      },
    };
  }

  const world: CountedWorld = {
    get resources() {
      return kinds.stored;
    },
    list: (resource, namespace) => watched.get(groupResourceOf(resource))?.list(namespace) ?? [],
  };

  return {
    name: "resourcequota",
    watches: [
      watchChanges(quotas, (quota, previous) =>
        isToBeCounted(quota, previous) ? [keyOf(quota)] : [],
      ),
      ...newWatches(),
    ],
    furtherWatches(add) {
      const look = () => {
        const found = newWatches();
        for (const watch of found) add(watch);
        // A watch begins with all that are there: those that were waiting for the new kind are counted now.
        if (found.length > 0)
          add(watchChanges(quotas, (quota) => (isCounted(quota) ? [] : [keyOf(quota)])));
      };
      look();
      return kinds.subscribe(look);
    },
    async reconcile(key, signal) {
      const quota = quotas.get(key);
      if (quota === undefined) return undefined;
      const { status, isChanged } = planQuotaStatus(quota, world, clock.now());
      if (isChanged) {
        await client.update(resourceQuotaResource, { ...quota, status }, signal, {
          subresource: "status",
        });
      }
      const isNew = !equalJson(status.hard, quota.status?.hard);
      return { requeueAfterMs: isNew ? newBoundsRecountMs : recountMs };
    },
  };
}

/** Whether each of its bounds has a count; one on a kind that is not there has none. */
function isCounted({ status }: ResourceQuota): boolean {
  return Object.keys(status?.hard ?? {}).every((name) => status?.used?.[name] !== undefined);
}

function isCountable(resource: ResourceDefinition): boolean {
  const { scope, storage, verbs } = resource;
  return (
    scope === "namespace" &&
    storage === "stored" &&
    verbs.includes("list") &&
    verbs.includes("watch") &&
    evaluatorOf(resource) !== undefined
  );
}

/** Admission, too, writes what is used, at each creation: that is no reason to count. */
function isToBeCounted(quota: ResourceQuota, previous: ResourceQuota | undefined): boolean {
  if (previous === undefined) return true;
  const hard = amountsOf(quota.spec?.hard);
  return (
    !sameAmounts(hard, amountsOf(previous.spec?.hard)) ||
    !sameAmounts(hard, amountsOf(quota.status?.hard))
  );
}
