import { ApiError } from "../../api/api-error.ts";
import { withCondition } from "../../api/conditions.ts";
import type { Namespace, NamespaceCondition, Pod } from "../../api/generated/core-v1.generated.ts";
import { type KubernetesObject, keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { groupResourceOf, type ResourceDefinition } from "../../api/resource.ts";
import { namespaceResource } from "../../api/resources/namespace.ts";
import { podResource } from "../../api/resources/pod.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import type { LiveKinds } from "../../client/live-kinds.ts";
import { watchMapped, watchSelf } from "../../client/watches.ts";

/** What goes by itself, like pods, tells of it; whatever else has finalizers is looked at again after this. */
const lookAgainMs = 1_000;
const deletionsAtOnceMax = 50;

/** What is left of one kind in a namespace that ends. */
export interface Remaining {
  /** As in `pods` or `deployments.apps`. */
  readonly resource: string;
  readonly count: number;
  /** How many objects wait for each finalizer. */
  readonly finalizers: Readonly<Record<string, number>>;
}

/**
 * The conditions of a namespace that ends, in upstream's words. `failure` is why content could not be deleted.
 *
 * @package
 */
export function planConditions(
  namespace: Namespace,
  remaining: readonly Remaining[],
  failure: string | undefined,
  nowMs: number,
): readonly NamespaceCondition[] {
  const finalizers = new Map<string, number>();
  for (const each of remaining) {
    for (const [name, count] of Object.entries(each.finalizers)) {
      finalizers.set(name, (finalizers.get(name) ?? 0) + count);
    }
  }
  const left = remaining
    .map(({ resource, count }) => `${resource}. has ${count} resource instances`)
    .sort();
  const waiting = [...finalizers]
    .map(([name, count]) => `${name} in ${count} resource instances`)
    .sort();
  const wanted: readonly [string, "True" | "False", string, string][] = [
    [
      "NamespaceDeletionDiscoveryFailure",
      "False",
      "ResourcesDiscovered",
      "All resources successfully discovered",
    ],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      "False",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ],
    failure === undefined
      ? [
          "NamespaceDeletionContentFailure",
          "False",
          "ContentDeleted",
          "All content successfully deleted, may be waiting on finalization",
        ]
      : [
          "NamespaceDeletionContentFailure",
          "True",
          "ContentDeletionFailed",
          `Failed to delete all resource types, 1 remaining: ${failure}`,
        ],
    left.length === 0
      ? ["NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"]
      : [
          "NamespaceContentRemaining",
          "True",
          "SomeResourcesRemain",
          `Some resources are remaining: ${left.join(", ")}`,
        ],
    waiting.length === 0
      ? [
          "NamespaceFinalizersRemaining",
          "False",
          "ContentHasNoFinalizers",
          "All content-preserving finalizers finished",
        ]
      : [
          "NamespaceFinalizersRemaining",
          "True",
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${waiting.join(", ")}`,
        ],
  ];
  let conditions = namespace.status.conditions ?? [];
  for (const [type, status, reason, message] of wanted) {
    const lastTransitionTime = formatTime(nowMs);
    conditions = withCondition(conditions, { type, status, reason, message, lastTransitionTime });
  }
  return conditions;
}

/** Empties each namespace that is being deleted, pods first, and then lets it go. */
export function namespaceController(deps: {
  readonly client: Client;
  readonly namespaces: Informer<Namespace>;
  readonly pods: Informer<Pod>;
  /** Every kind there is at the moment, custom ones included. */
  readonly kinds: LiveKinds;
  readonly clock: Clock;
}): Controller {
  const { client, namespaces, pods, kinds, clock } = deps;
  const isPods = (resource: ResourceDefinition) =>
    groupResourceOf(resource) === groupResourceOf(podResource);

  async function empty(
    resource: ResourceDefinition,
    namespace: string,
    signal: AbortSignal,
  ): Promise<Remaining | undefined> {
    const { items } = await client.list(resource, { namespace }, signal);
    const alive = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    for (let start = 0; start < alive.length; start += deletionsAtOnceMax) {
      const batch = alive.slice(start, start + deletionsAtOnceMax);
      await Promise.all(batch.map((object) => remove(resource, object, signal)));
    }
    const left =
      alive.length === 0 ? items : (await client.list(resource, { namespace }, signal)).items;
    if (left.length === 0) return undefined;
    const finalizers: Record<string, number> = {};
    for (const { metadata } of left) {
      for (const name of metadata.finalizers ?? []) finalizers[name] = (finalizers[name] ?? 0) + 1;
    }
    return { resource: groupResourceOf(resource), count: left.length, finalizers };
  }

  async function remove(
    resource: ResourceDefinition,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<void> {
    await client.delete(resource, keyOf(object), signal, {
      propagationPolicy: "Background",
      preconditions: { uid: object.metadata.uid },
    });
  }

  /** Pods first: what they use must not go before they have ended. */
  async function emptyAll(
    namespace: string,
    signal: AbortSignal,
  ): Promise<{ readonly remaining: readonly Remaining[]; readonly failure: ApiError | undefined }> {
    const contents = kinds.stored.filter(
      ({ scope, storage, verbs }) =>
        scope === "namespace" &&
        storage === "stored" &&
        verbs.includes("list") &&
        verbs.includes("delete"),
    );
    const remaining: Remaining[] = [];
    let failure: ApiError | undefined;
    const work = async (resource: ResourceDefinition) => {
      try {
        const left = await empty(resource, namespace, signal);
        if (left !== undefined) remaining.push(left);
      } catch (caught) {
        if (signal.aborted) throw caught;
        failure ??= ApiError.from(caught);
      }
    };
    for (const resource of contents.filter(isPods)) await work(resource);
    if (remaining.length > 0) return { remaining, failure };
    for (const resource of contents) if (!isPods(resource)) await work(resource);
    return { remaining, failure };
  }

  return {
    name: "namespace",
    workers: 10,
    watches: [
      watchSelf(namespaces),
      watchMapped(pods, ({ metadata }) => {
        const { namespace = "" } = metadata;
        return namespaces.get(namespace)?.metadata.deletionTimestamp === undefined
          ? []
          : [namespace];
      }),
    ],
    async reconcile(key, signal) {
      const namespace = namespaces.get(key);
      if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
      if (!(namespace.spec.finalizers ?? []).includes("kubernetes")) return undefined;

      const { remaining, failure } = await emptyAll(key, signal);
      const conditions = planConditions(namespace, remaining, failure?.message, clock.now());
      const status = {
        ...namespace.status,
        phase: "Terminating" as const,
        ...(conditions.length === 0 ? {} : { conditions }),
      };
      let current = namespace;
      if (!equalJson(status, namespace.status)) {
        const next = { ...namespace, status };
        current = await client.update(namespaceResource, next, signal, { subresource: "status" });
      }
      if (failure !== undefined) throw failure;
      if (remaining.length > 0) return { requeueAfterMs: lookAgainMs };
      const finalizers = (current.spec.finalizers ?? []).filter((name) => name !== "kubernetes");
      const finalized = { ...current, spec: { ...current.spec, finalizers } };
      await client.update(namespaceResource, finalized, signal, { subresource: "finalize" });
      return undefined;
    },
  };
}
