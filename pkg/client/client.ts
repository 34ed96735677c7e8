import type { KubernetesObject, NewObject, ObjectKey } from "../api/object.ts";
import type { ResourceDefinition } from "../api/resource.ts";
import type { Informer, InformerOptions } from "./informer.ts";

/** Which objects a list or a watch is about. Selectors are in the syntax of `kubectl -l` and `--field-selector`. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ObjectList<T extends KubernetesObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type PatchBody =
  | { readonly type: "json"; readonly operations: readonly unknown[] }
  | { readonly type: "merge" | "strategic"; readonly patch: unknown }
  | { readonly type: "apply"; readonly object: unknown; readonly force?: boolean };

/** Options of a write; `subresource` is `status`, `scale`, `binding`, `finalize`, `token`, … */
export interface WriteOptions {
  readonly subresource?: string;
}

/**
 * Typed verbs on the API, the same in process and over the wire. Every failure is an `ApiError`.
 * What is returned is deeply read-only and may be shared.
 */
export interface Client {
  /** Undefined where there is no such object. */
  get<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
    signal: AbortSignal,
  ): Promise<T | undefined>;
  list<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<ObjectList<T>>;
  /** With `subresource`, posts to it: `metadata` names the parent, and the answer is the subresource's own kind. */
  create<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    object: NewObject<T>,
    signal: AbortSignal,
  ): Promise<T>;
  /** What a subresource shows of an object. Undefined where there is no such object. */
  getSubresource(
    resource: ResourceDefinition,
    key: ObjectKey,
    subresource: string,
    signal: AbortSignal,
  ): Promise<unknown>;
  createSubresource(
    resource: ResourceDefinition,
    key: ObjectKey,
    subresource: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<unknown>;
  /** Conflict where `object` is not of the current resourceVersion. */
  update<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    object: T,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  patch<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
    patch: PatchBody,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  /** An object that is not there is no error. */
  delete<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
    signal: AbortSignal,
    options?: DeleteOptions,
  ): Promise<void>;
  /**
   * A live, read-only view of a kind. Nothing is fetched before its `run`; two calls with the same resource and
   * options may return the same informer.
   */
  informer<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    options?: InformerOptions,
  ): Informer<T>;
}
