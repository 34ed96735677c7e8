import type { KubernetesObject, ObjectKey } from "../api/object.ts";

export interface InformerOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A read-only, eventually current copy of every object of one kind. What it returns is frozen and shared. */
export interface Lister<T extends KubernetesObject> {
  get(key: ObjectKey): T | undefined;
  /** In key order; `namespace` undefined: all of them. */
  list(namespace?: string): readonly T[];
  /** The objects that name `uid` as their controller. Costs what it returns, not what is stored. */
  ownedBy(uid: string): readonly T[];
}

export type InformerEvent<T extends KubernetesObject> =
  | { readonly type: "added"; readonly object: T }
  | { readonly type: "modified"; readonly object: T; readonly previous: T }
  | { readonly type: "deleted"; readonly object: T };

/**
 * A lister that tells of changes. The lister already shows a change when its event is delivered.
 * A subscriber is first told of everything that is there, as "added".
 */
export interface Informer<T extends KubernetesObject> extends Lister<T> {
  /** Returns the way to end the subscription. Handlers must not throw and must not wait. */
  subscribe(handler: (event: InformerEvent<T>) => void): () => void;
  /** Resolves once the first list is in. */
  synced(signal: AbortSignal): Promise<void>;
  /** Resolves once the lister shows `resourceVersion` or later: so that one can read what one wrote. */
  caughtUp(resourceVersion: string, signal: AbortSignal): Promise<void>;
  /** Keeps the copy current until `signal` aborts; reconnects and lists again by itself. */
  run(signal: AbortSignal): Promise<void>;
}
