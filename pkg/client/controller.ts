import type { KubernetesObject, ObjectKey } from "../api/object.ts";
import type { ResourceDefinition } from "../api/resource.ts";
import type { Client } from "./client.ts";
import type { Informer } from "./informer.ts";

/** Whose keys to reconcile when an object of `resource` changed. */
export interface Watch {
  readonly informer: Informer<KubernetesObject>;
  /** `previous` is given on a modification: both the old and the new owner may need work. */
  keysFor(object: KubernetesObject, previous: KubernetesObject | undefined): readonly ObjectKey[];
}

export type ReconcileResult = { readonly requeueAfterMs: number } | undefined;

/**
 * Makes the world match what is asked for, one key at a time. `reconcile` reads the level from the listers,
 * never the event; running it twice changes nothing. When it throws, the runner logs, waits longer each time,
 * and calls it again. A Conflict means: the lister was behind; the runner calls again soon, without an error log.
 * The runner holds a key back until the informers show what its last `reconcile` wrote.
 */
export interface Controller {
  readonly name: string;
  readonly watches: readonly Watch[];
  /**
   * Watches that are found out about while the controller runs. Called once, after `watches` are synced, with the way to
   * add one; returns the way to stop looking.
   */
  readonly furtherWatches?: (add: (watch: Watch) => void) => () => void;
  /** Keys worked on at once; default 5. One key is never worked on twice at once. */
  readonly workers?: number;
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult>;
}

/** What a controller may use. `client`'s writes are noted, so that the runner can hold the key back. */
export interface ControllerDeps {
  readonly client: Client;
  /** The one shared informer of a kind. */
  informer<T extends KubernetesObject>(resource: ResourceDefinition<T>): Informer<T>;
}
