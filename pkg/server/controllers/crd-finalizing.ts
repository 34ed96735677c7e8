import { isConditionTrue, withCondition } from "../../api/conditions.ts";
import { storedCustomResource } from "../../api/custom/custom-resource.ts";
import {
  type CustomResourceDefinition,
  customResourceCleanupFinalizer,
  type DefinitionCondition,
} from "../../api/custom/definition.ts";
import { type KubernetesObject, keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { allResources } from "../../api/registry.generated.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import { customResourceDefinitionResource } from "../../api/resources/customresourcedefinition.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

/** Objects that wait for their own finalizers are looked at again after this. */
const lookAgainMs = 1_000;
const deletionsAtOnceMax = 50;

type Outcome = Pick<DefinitionCondition, "status" | "reason" | "message">;

const inProgress: Outcome = {
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
const completed: Outcome = {
  status: "False",
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};
const neverEstablished: Outcome = {
  status: "False",
  reason: "NeverEstablished",
  message: "resource was never established",
};

const overlapping: Outcome = {
  status: "False",
  reason: "OverlappingBuiltInResource",
  message: "instances overlap with built-in resources in storage",
};

/** What a definition of a built-in kind's name would delete is not its own. */
function isBuiltIn({ spec }: CustomResourceDefinition): boolean {
  return allResources.some(
    ({ group, plural }) => group === spec.group && plural === spec.names.plural,
  );
}

/** Deletes all objects of a CustomResourceDefinition that is being deleted, and then lets it go. */
export function crdFinalizingController(deps: {
  readonly client: Client;
  readonly definitions: Informer<CustomResourceDefinition>;
  readonly clock: Clock;
}): Controller {
  const { client, definitions, clock } = deps;

  async function tell(
    crd: CustomResourceDefinition,
    outcome: Outcome,
    signal: AbortSignal,
  ): Promise<CustomResourceDefinition> {
    const conditions = withCondition<DefinitionCondition>(crd.status?.conditions, {
      type: "Terminating",
      lastTransitionTime: formatTime(clock.now()),
      ...outcome,
    });
    if (equalJson(conditions, crd.status?.conditions)) return crd;
    const told = { ...crd, status: { ...crd.status, conditions } };
    const options = { subresource: "status" };
    return await client.update(customResourceDefinitionResource, told, signal, options);
  }

  /** How many are left: those that wait for somebody else. */
  async function deleteInstances(
    resource: ResourceDefinition,
    signal: AbortSignal,
  ): Promise<number> {
    const { items } = await client.list(resource, {}, signal);
    const waiting = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const next = waiting.values();
    await Promise.all(
      Array.from({ length: deletionsAtOnceMax }, async () => {
        for (const object of next) await deleteInstance(resource, object, signal);
      }),
    );
    if (items.length === 0) return 0;
    return (await client.list(resource, {}, signal)).items.length;
  }

  async function deleteInstance(
    resource: ResourceDefinition,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<void> {
    await client.delete(resource, keyOf(object), signal);
  }

  return {
    name: "crd-finalizing",
    watches: [watchSelf(definitions)],
    async reconcile(key, signal) {
      const known = definitions.get(key);
      if (known?.metadata.deletionTimestamp === undefined) return undefined;
      if (!known.metadata.finalizers?.includes(customResourceCleanupFinalizer)) return undefined;
      let crd = await tell(known, inProgress, signal);
      let outcome = neverEstablished;
      const resource = storedCustomResource(crd);
      if (isBuiltIn(crd)) outcome = overlapping;
      else if (resource !== undefined && isConditionTrue(crd.status?.conditions, "Established")) {
        const left = await deleteInstances(resource, signal);
        if (left > 0) return { requeueAfterMs: lookAgainMs };
        outcome = completed;
      }
      crd = await tell(crd, outcome, signal);
      const finalizers = (crd.metadata.finalizers ?? []).filter(
        (finalizer) => finalizer !== customResourceCleanupFinalizer,
      );
      const freed = { ...crd, metadata: { ...crd.metadata, finalizers } };
      await client.update(customResourceDefinitionResource, freed, signal);
      return undefined;
    },
  };
}
