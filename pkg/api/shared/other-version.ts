import { draftOf } from "../draft.ts";
import type { Draft, KubernetesObject } from "../object.ts";
import { defineResource, type FieldError, type ResourceDefinition } from "../resource.ts";

/** Where a further version of a kind differs from the one that its objects are stored as. */
export interface OtherVersion<T extends KubernetesObject, S extends KubernetesObject>
  extends Pick<ResourceDefinition<T>, "version" | "schema"> {
  /** Default: the stored version's. */
  readonly group?: string;
  /** Fills in what the client left out, in this version's fields; the stored version's defaults follow. */
  defaults?(draft: Draft<T>): void;
  /** Rules of this version alone, besides the stored one's. */
  validate?(object: T): readonly FieldError[];
  validateCreate?(object: T): readonly FieldError[];
  validateUpdate?(next: T, previous: T): readonly FieldError[];
  readonly columns?: ResourceDefinition<T>["columns"];
  readonly selectableFields?: ResourceDefinition<T>["selectableFields"];
  /** Pure. `apiVersion` and `kind` are set by the caller. */
  toStored(object: T): S;
  fromStored(object: S): T;
}

/**
 * A further version of `stored`'s kind, for `kubectl get <kind>.<version>.<group>` and clients of its age. What is
 * not said of it is as with `stored`: its rules are asked with the object in the stored form.
 */
export function otherVersion<T extends KubernetesObject, S extends KubernetesObject>(
  stored: ResourceDefinition<S>,
  own: OtherVersion<T, S>,
): ResourceDefinition<T> {
  const group = own.group ?? stored.group;
  const apiVersion = group === "" ? own.version : `${group}/${own.version}`;
  const storedApiVersion =
    stored.group === "" ? stored.version : `${stored.group}/${stored.version}`;
  const toStored = (object: T): S => ({ ...own.toStored(object), apiVersion: storedApiVersion });
  const fromStored = (object: S): T => ({ ...own.fromStored(object), apiVersion });

  /** Lets the stored version touch a draft of this one. */
  function through(draft: Draft<T>, touch: (kept: Draft<S>) => void): void {
    const kept = draftOf(toStored(draft as T)) as Draft<S>;
    touch(kept);
    const back = draftOf(fromStored(kept as S)) as Record<string, unknown>;
    const fields = draft as Record<string, unknown>;
    for (const field of Object.keys(fields)) if (!Object.hasOwn(back, field)) delete fields[field];
    Object.assign(fields, back);
  }

  return defineResource<T>({
    group,
    version: own.version,
    kind: stored.kind,
    plural: stored.plural,
    singular: stored.singular,
    shortNames: stored.shortNames,
    categories: stored.categories,
    scope: stored.scope,
    verbs: stored.verbs,
    nameRule: stored.nameRule,
    subresources: {
      status: stored.subresources.status,
      ...(stored.subresources.scale === undefined ? {} : { scale: stored.subresources.scale }),
    },
    schema: own.schema,
    storedAs: stored as unknown as ResourceDefinition,
    toStored: (object) => toStored(object as T),
    fromStored: (object) => fromStored(object as S),
    durability: (object) => stored.durability(toStored(object)),
    columns:
      own.columns ??
      stored.columns.map((column) => ({
        ...column,
        cell: (object: T, nowMs: number) => column.cell(toStored(object), nowMs),
      })),
    selectableFields:
      own.selectableFields ??
      Object.fromEntries(
        Object.entries(stored.selectableFields).map(([field, read]) => [
          field,
          (object: T) => read(toStored(object)),
        ]),
      ),
    defaults(draft, nowMs) {
      own.defaults?.(draft);
      const { defaults } = stored;
      if (defaults !== undefined) through(draft, (kept) => defaults(kept, nowMs));
    },
    prepareCreate(draft, requester, nowMs) {
      through(draft, (kept) => stored.prepareCreate?.(kept, requester, nowMs));
    },
    prepareUpdate(draft, previous) {
      through(draft, (kept) => stored.prepareUpdate?.(kept, toStored(previous)));
    },
    prepareStatusUpdate(draft, previous, nowMs) {
      through(draft, (kept) => stored.prepareStatusUpdate?.(kept, toStored(previous), nowMs));
    },
    validate: (object) => [
      ...(stored.validate?.(toStored(object)) ?? []),
      ...(own.validate?.(object) ?? []),
    ],
    validateCreate: (object) => [
      ...(stored.validateCreate?.(toStored(object)) ?? []),
      ...(own.validateCreate?.(object) ?? []),
    ],
    validateUpdate: (next, previous) => [
      ...(stored.validateUpdate?.(toStored(next), toStored(previous)) ?? []),
      ...(own.validateUpdate?.(next, previous) ?? []),
    ],
    validateStatusUpdate: (next, previous) =>
      stored.validateStatusUpdate?.(toStored(next), toStored(previous)) ?? [],
    warnings: (object, previous) =>
      stored.warnings?.(
        toStored(object),
        previous === undefined ? undefined : toStored(previous),
      ) ?? [],
    ...(stored.countsGenerations === undefined
      ? {}
      : { countsGenerations: stored.countsGenerations }),
    ...(stored.generationChanged === undefined
      ? {}
      : {
          generationChanged: (next: T, previous: T) =>
            stored.generationChanged?.(toStored(next), toStored(previous)) ?? false,
        }),
  });
}
