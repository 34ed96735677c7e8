import type { ManagedFieldsEntry, OwnerReference } from "./generated/meta-v1.generated.ts";

/** The metadata of an object as the API server stores and serves it. */
export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
  readonly selfLink?: string;
}

/** Metadata as a client writes it: in a template, or in an object that is to be created. */
export type TemplateMeta = Partial<ObjectMeta>;

/** Any object of the API, deeply read-only: the same value is shared by all who read it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** `namespace/name`, or `name` for a cluster-scoped object: what work queues and listers are keyed by. */
export type ObjectKey = string;

export function objectKey(namespace: string | undefined, name: string): ObjectKey {
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

export function keyOf(object: { readonly metadata: TemplateMeta }): ObjectKey {
  return objectKey(object.metadata.namespace, object.metadata.name ?? "");
}

export function splitKey(key: ObjectKey): {
  readonly namespace: string | undefined;
  readonly name: string;
} {
  const slash = key.indexOf("/");
  if (slash === -1) return { namespace: undefined, name: key };
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** `T` with every level writable: an unshared copy that is still being made. */
export type Draft<T> = T extends string | number | boolean | undefined | null
  ? T
  : T extends readonly (infer Item)[]
    ? Draft<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: Draft<T[Key]> }
      : T;

/** What a client sends to create a `T`: the server fills in the rest of the metadata, and the defaults. */
export type NewObject<T extends KubernetesObject> = Omit<T, "metadata" | "status"> & {
  readonly metadata: TemplateMeta;
  readonly status?: unknown;
};
