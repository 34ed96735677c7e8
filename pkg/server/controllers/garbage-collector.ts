import { LRUCache } from "lru-cache";
import { ApiError } from "../../api/api-error.ts";
import type { OwnerReference } from "../../api/generated/meta-v1.generated.ts";
import { type KubernetesObject, keyOf, type ObjectKey, objectKey } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { groupResourceOf, type ResourceDefinition } from "../../api/resource.ts";
import type { Client } from "../../client/client.ts";
import type {
  Controller,
  ControllerDeps,
  ReconcileResult,
  Watch,
} from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import type { LiveKinds } from "../../client/live-kinds.ts";
import type { EventRecorder } from "../../client/recorder.ts";

const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";
/** Owners that are known to be gone: their dependents need not ask. One that is forgotten is looked for again. */
const absentOwnersMax = 10_000;
/** An owner's kind that nobody knows yet is looked for again after this. */
const lookAgainMs = 30_000;

/** What an owner reference turned out to be. */
export type OwnerState = "solid" | "dangling" | "waiting" | "unknown";

export type DeletionPlan =
  | { readonly action: "keep" }
  /** Some owners are left: only these references go. */
  | { readonly action: "drop-references"; readonly uids: readonly string[] }
  | {
      readonly action: "delete";
      readonly policy: "Orphan" | "Background" | "Foreground";
    };

/**
 * What becomes of an object whose owners are in these states ("waiting" means: the owner is being deleted in the
 * foreground; of an "unknown" kind nothing can be said: what it may own is kept). `hasDependents`: it is an owner itself.
 *
 * @package
 */
export function planDeletion(
  object: KubernetesObject,
  owners: readonly { readonly uid: string; readonly state: OwnerState }[],
  hasDependents: boolean,
): DeletionPlan {
  const gone = owners.filter(({ state }) => state === "dangling" || state === "waiting");
  if (gone.length === 0) return { action: "keep" };
  if (gone.length < owners.length) {
    return { action: "drop-references", uids: gone.map(({ uid }) => uid) };
  }
  const { finalizers = [] } = object.metadata;
  if (owners.some(({ state }) => state === "waiting") && hasDependents) {
    return { action: "delete", policy: "Foreground" };
  }
  // What the object itself asks for is kept, if it was deleted before by somebody who asked.
  if (finalizers.includes(orphanFinalizer)) return { action: "delete", policy: "Orphan" };
  if (finalizers.includes(foregroundFinalizer)) return { action: "delete", policy: "Foreground" };
  return { action: "delete", policy: "Background" };
}

/** A place where an object of a kind is found. */
interface Located {
  /** As it was when the kind was first seen: to write by, see `current`. */
  readonly resource: ResourceDefinition;
  readonly key: ObjectKey;
  readonly object: KubernetesObject;
}

/** Who is whose: every object that is an owner or has one, by uid. */
class OwnershipGraph {
  readonly #objects = new Map<string, Located>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): Located | undefined {
    return this.#objects.get(uid);
  }

  dependentsOf(uid: string): readonly Located[] {
    const dependents = [...(this.#dependents.get(uid) ?? [])];
    return dependents
      .map((dependent) => this.#objects.get(dependent))
      .filter((located) => located !== undefined);
  }

  set(located: Located): void {
    const { uid } = located.object.metadata;
    this.remove(uid);
    this.#objects.set(uid, located);
    for (const owner of located.object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      if (dependents === undefined) this.#dependents.set(owner.uid, new Set([uid]));
      else dependents.add(uid);
    }
  }

  remove(uid: string): void {
    const known = this.#objects.get(uid);
    this.#objects.delete(uid);
    for (const owner of known?.object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}

/** Deletes what has owners, but none that is left; and does what a delete with a propagation policy asks for. */
export function garbageCollector(deps: {
  readonly client: Client;
  readonly kinds: LiveKinds;
  readonly informer: ControllerDeps["informer"];
  readonly events: EventRecorder;
}): Controller {
  const { client, kinds, informer: informerOf, events } = deps;
  const watched = new Set<string>();
  const graph = new OwnershipGraph();
  const absentOwners = new LRUCache<string, true>({ max: absentOwnersMax });
  const resourceOf = (reference: OwnerReference): ResourceDefinition | undefined =>
    kinds.stored.find((resource) => {
      const group = reference.apiVersion.includes("/") ? reference.apiVersion.split("/", 1)[0] : "";
      return resource.kind === reference.kind && resource.group === group;
    });
  // A custom kind's definition changes with its schema: what is written has to be of the present one.
  const current = (resource: ResourceDefinition): ResourceDefinition =>
    kinds.stored.find((each) => groupResourceOf(each) === groupResourceOf(resource)) ?? resource;

  /** Watches for the kinds that were not there at the last call. */
  function newWatches(): Watch[] {
    const found = kinds.stored
      .filter(isCollected)
      .filter((resource) => !watched.has(groupResourceOf(resource)));
    for (const resource of found) watched.add(groupResourceOf(resource));
    return found.map((resource) => watchKind(resource, informerOf<KubernetesObject>(resource)));
  }

  function watchKind(resource: ResourceDefinition, informer: Informer<KubernetesObject>): Watch {
    informer.subscribe(({ type, object }) => {
      const { uid, namespace } = object.metadata;
      if (type === "deleted") {
        // Its kind may be gone with it, before its dependents are looked at.
        if (graph.dependentsOf(uid).length > 0) absentOwners.set(absentKey(namespace, uid), true);
        graph.remove(uid);
      } else {
        graph.set({ resource, key: keyOf(object), object });
      }
    });
    return {
      informer,
      keysFor(object, previous) {
        const { uid, ownerReferences = [], deletionTimestamp } = object.metadata;
        const owners = ownerReferences.map((owner) => owner.uid);
        if (graph.get(uid) === undefined) {
          // Gone: its dependents have one owner less, and its owners may have waited for it.
          return [...graph.dependentsOf(uid).map((each) => each.object.metadata.uid), ...owners];
        }
        if (deletionTimestamp !== undefined) {
          // Its owners: one that deletes in the foreground may wait only for those that still block it.
          return previous?.metadata.deletionTimestamp === undefined ||
            !equalJson(previous.metadata.finalizers, object.metadata.finalizers)
            ? [uid, ...owners]
            : [];
        }
        const before = previous?.metadata.ownerReferences ?? [];
        if (equalJson(before, ownerReferences)) return [];
        return [uid, ...before.map((owner) => owner.uid)];
      },
    };
  }

  async function stateOf(
    dependent: Located,
    reference: OwnerReference,
    signal: AbortSignal,
  ): Promise<OwnerState> {
    const { namespace } = dependent.object.metadata;
    const known = graph.get(reference.uid);
    if (known !== undefined && fits(known, reference, namespace)) {
      const { deletionTimestamp, finalizers = [] } = known.object.metadata;
      const waits = deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer);
      return waits && reference.blockOwnerDeletion === true ? "waiting" : "solid";
    }
    const isAbsent = (scope: string | undefined) =>
      absentOwners.has(absentKey(scope, reference.uid));
    if (isAbsent(namespace) || isAbsent(undefined)) return "dangling";
    const resource = resourceOf(reference);
    if (resource === undefined) return "unknown";
    if (resource.scope === "namespace" && namespace === undefined) {
      tellInvalidNamespace(dependent, reference, "");
      return "solid";
    }
    if (known !== undefined) tellInvalidNamespace(dependent, reference, namespace ?? "");
    const scope = resource.scope === "namespace" ? namespace : undefined;
    const live = await client.get(resource, objectKey(scope, reference.name), signal);
    if (live?.metadata.uid === reference.uid) return "solid";
    absentOwners.set(absentKey(scope, reference.uid), true);
    return "dangling";
  }

  function fits({ object }: Located, reference: OwnerReference, namespace?: string) {
    const { name, namespace: scope } = object.metadata;
    if (object.kind !== reference.kind || name !== reference.name) return false;
    return scope === undefined || scope === namespace;
  }

  function tellInvalidNamespace(
    { object }: Located,
    { apiVersion, kind, name, uid }: OwnerReference,
    namespace: string,
  ): void {
    const reference = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
    const message = `ownerRef ${reference} does not exist in namespace "${namespace}"`;
    events.event(object, "Warning", "OwnerRefInvalidNamespace", message);
  }

  async function dropReferences(
    { resource, key, object }: Located,
    uids: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { uid, resourceVersion, ownerReferences = [] } = object.metadata;
    const kept = ownerReferences.filter((reference) => !uids.includes(reference.uid));
    const patch = { metadata: { uid, resourceVersion, ownerReferences: kept } };
    await ignoringGone(client.patch(current(resource), key, { type: "merge", patch }, signal));
  }

  async function dropFinalizer(
    { resource, key, object }: Located,
    finalizer: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { uid, resourceVersion, finalizers = [] } = object.metadata;
    const kept = finalizers.filter((each) => each !== finalizer);
    const patch = { metadata: { uid, resourceVersion, finalizers: kept } };
    await ignoringGone(client.patch(current(resource), key, { type: "merge", patch }, signal));
  }

  /** Looks at the owners of an object that is not being deleted. */
  async function judge(located: Located, signal: AbortSignal): Promise<ReconcileResult> {
    const { object, resource, key } = located;
    const { ownerReferences = [], uid, resourceVersion, deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined || ownerReferences.length === 0) return undefined;
    const owners: { uid: string; state: OwnerState }[] = [];
    for (const reference of ownerReferences) {
      owners.push({ uid: reference.uid, state: await stateOf(located, reference, signal) });
    }
    const plan = planDeletion(object, owners, graph.dependentsOf(uid).length > 0);
    switch (plan.action) {
      case "keep":
        return owners.some(({ state }) => state === "unknown")
          ? { requeueAfterMs: lookAgainMs }
          : undefined;
      case "drop-references":
        await dropReferences(located, plan.uids, signal);
        return undefined;
      case "delete":
        await client.delete(current(resource), key, signal, {
          propagationPolicy: plan.policy,
          preconditions: { uid, resourceVersion },
        });
        return undefined;
    }
  }

  /** Sets the dependents of an object free, and then lets it go. */
  async function orphan(located: Located, signal: AbortSignal): Promise<void> {
    const { uid } = located.object.metadata;
    for (const dependent of graph.dependentsOf(uid)) await dropReferences(dependent, [uid], signal);
    await dropFinalizer(located, orphanFinalizer, signal);
  }

  /** Deletes the dependents of an object, and lets it go when those that block it are gone. */
  async function deleteDependents(located: Located, signal: AbortSignal): Promise<void> {
    const { uid } = located.object.metadata;
    const dependents = graph.dependentsOf(uid);
    const blocks = ({ object }: Located) =>
      object.metadata.ownerReferences?.some(
        (reference) => reference.uid === uid && reference.blockOwnerDeletion === true,
      );
    if (!dependents.some(blocks)) {
      await dropFinalizer(located, foregroundFinalizer, signal);
      return;
    }
    for (const dependent of dependents) await judge(dependent, signal);
  }

  return {
    name: "garbage-collector",
    workers: 20,
    watches: newWatches(),
    furtherWatches(add) {
      const look = () => {
        for (const watch of newWatches()) add(watch);
      };
      look();
      return kinds.subscribe(look);
    },
    async reconcile(uid, signal) {
      const located = graph.get(uid);
      if (located === undefined) return undefined;
      const { deletionTimestamp, finalizers = [] } = located.object.metadata;
      if (deletionTimestamp === undefined) return await judge(located, signal);
      if (finalizers.includes(orphanFinalizer)) await orphan(located, signal);
      else if (finalizers.includes(foregroundFinalizer)) await deleteDependents(located, signal);
      return undefined;
    },
  };
}

/** Kinds that can be followed and deleted; Events, which only tell, are neither owned nor owners. */
function isCollected({ group, plural, storage, verbs }: ResourceDefinition): boolean {
  if (plural === "events" && (group === "" || group === "events.k8s.io")) return false;
  return (
    storage === "stored" &&
    verbs.includes("list") &&
    verbs.includes("watch") &&
    verbs.includes("delete")
  );
}

function absentKey(namespace: string | undefined, uid: string): string {
  return `${namespace ?? ""}/${uid}`;
}

async function ignoringGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (caught) {
    if (ApiError.from(caught).reason !== "NotFound") throw caught;
  }
}
