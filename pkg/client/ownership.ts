import { ApiError } from "../api/api-error.ts";
import type { OwnerReference } from "../api/generated/meta-v1.generated.ts";
import { type KubernetesObject, keyOf } from "../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../api/resource.ts";
import type { Client } from "./client.ts";

/** The reference that names the object's one controller. */
export function controllerOf(object: {
  readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] };
}): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference that makes `owner` an object's controller. */
export function controllerReference(
  owner: KubernetesObject,
  resource: Pick<ResourceDefinition, "group" | "version" | "kind">,
): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** What an owner should do about the objects it might own. */
export interface ClaimPlan<T extends KubernetesObject> {
  /** Ours already, and still wanted. */
  readonly owned: readonly T[];
  /** Wanted, and nobody's: to be adopted. */
  readonly adopt: readonly T[];
  /** Ours, but not wanted any more: to be let go. */
  readonly release: readonly T[];
}

/**
 * Who of `candidates` belongs to the owner: an object that names it as controller, as long as `matches`; and an
 * orphan that `matches`, unless one of the two is being deleted. An owner that is being deleted changes nothing.
 */
export function planClaims<T extends KubernetesObject>(
  owner: KubernetesObject,
  candidates: readonly T[],
  matches: (object: T) => boolean,
): ClaimPlan<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ownerEnds = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches(object)) owned.push(object);
      else if (!ownerEnds) release.push(object);
    } else if (
      !ownerEnds &&
      object.metadata.deletionTimestamp === undefined &&
      object.metadata.namespace === owner.metadata.namespace &&
      matches(object)
    ) {
      adopt.push(object);
    }
  }
  return { owned, adopt, release };
}

/**
 * Does what `planClaims` says, and returns the objects that the owner then has. Before the first adoption it asks
 * the server whether the owner is still there and not being deleted: a lister may be behind.
 */
export async function claimObjects<Owner extends KubernetesObject, T extends KubernetesObject>(
  deps: { readonly client: Client },
  owner: { readonly resource: ResourceDefinition<Owner>; readonly object: Owner },
  candidates: {
    readonly resource: ResourceDefinition<T>;
    readonly objects: readonly T[];
    matches(object: T): boolean;
  },
  signal: AbortSignal,
): Promise<readonly T[]> {
  const { client } = deps;
  const plan = planClaims(owner.object, candidates.objects, candidates.matches);
  const claimed: T[] = [...plan.owned];
  for (const object of plan.release)
    await release(client, owner.object, candidates, object, signal);
  if (plan.adopt.length === 0) return claimed;

  const fresh = await client.get(owner.resource, keyOf(owner.object), signal);
  if (
    fresh?.metadata.uid !== owner.object.metadata.uid ||
    fresh.metadata.deletionTimestamp !== undefined
  ) {
    return claimed;
  }
  for (const object of plan.adopt) {
    const adopted = await adopt(client, owner, candidates.resource, object, signal);
    if (adopted !== undefined) claimed.push(adopted);
  }
  return claimed;
}

async function adopt<Owner extends KubernetesObject, T extends KubernetesObject>(
  client: Client,
  owner: { readonly resource: ResourceDefinition<Owner>; readonly object: Owner },
  resource: ResourceDefinition<T>,
  object: T,
  signal: AbortSignal,
): Promise<T | undefined> {
  const reference = controllerReference(owner.object, owner.resource);
  const patch = {
    metadata: { uid: object.metadata.uid, ownerReferences: [reference] },
  };
  try {
    return await client.patch(resource, keyOf(object), { type: "strategic", patch }, signal);
  } catch (caught) {
    if (caught instanceof ApiError && caught.reason === "NotFound") return undefined;
    throw caught;
  }
}

async function release<T extends KubernetesObject>(
  client: Client,
  owner: KubernetesObject,
  candidates: { readonly resource: ResourceDefinition<T> },
  object: T,
  signal: AbortSignal,
): Promise<void> {
  const patch = {
    metadata: {
      uid: object.metadata.uid,
      ownerReferences: [{ $patch: "delete", uid: owner.metadata.uid }],
    },
  };
  try {
    const key = keyOf(object);
    await client.patch(candidates.resource, key, { type: "strategic", patch }, signal);
  } catch (caught) {
    // Gone, or another of the same name with another uid: there is nothing left to let go.
    if (caught instanceof ApiError && ["NotFound", "Invalid", "Conflict"].includes(caught.reason))
      return;
    throw caught;
  }
}
