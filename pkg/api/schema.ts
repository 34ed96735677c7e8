import type { JsonSchema } from "./custom/json-schema.ts";

/**
 * A type of the API at run time: what its fields are called, how each is written, merged and counted.
 * Built-in kinds read theirs from Kubernetes' own definitions; a CustomResourceDefinition becomes one, too.
 * Decoding, pruning, defaults, strategic merge, server-side apply, protobuf and OpenAPI all read this one value.
 */
export interface ObjectSchema {
  /** The definition's name in OpenAPI, e.g. `io.k8s.api.core.v1.Pod`. */
  readonly name: string;
  /** The Go type's name, as decoding errors print it, e.g. `Pod`. */
  readonly goType: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** `x-kubernetes-map-type: atomic`: server-side apply owns it as a whole. */
  readonly atomic: boolean;
  /** Fields not named here are kept (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserveUnknown: boolean;
  /** Of a custom resource: its own schema, which says more than can be read here. It decodes by that. */
  readonly structural?: JsonSchema;
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly required: boolean;
  /**
   * What a decoded object holds where the field was not sent: `{}` for Go's embedded structs, `""`, `0` or
   * `false` for fields that Go always writes. Kind-specific defaults are not here but in the kind's `defaults`.
   */
  readonly zeroValue: unknown;
  /** An empty value (`""`, `0`, `false`, `[]`, a map without entries) differs from none. Else it is not kept. */
  readonly keepsEmpty: boolean;
  /** As decoding errors print it, e.g. `int32`, `v1.PullPolicy`, `[]v1.Container`. */
  readonly goType: string;
  /** Strategic merge patch: the key that identifies a list's items, with `patchStrategy` "merge". */
  readonly patchMergeKey: string | undefined;
  readonly patchStrategy: readonly ("merge" | "retainKeys" | "replace")[];
  /** Undefined where the type has no protobuf form (custom resources). */
  readonly protobuf: ProtobufPlace | undefined;
}

/** Where a field stands on the wire. */
export interface ProtobufPlace {
  readonly number: number;
  readonly type: string;
  /** The field numbers of the messages it lies in: Go's embedded structs are inlined in JSON, but not in protobuf. */
  readonly within: readonly number[];
}

export type FieldType =
  | { readonly kind: "string"; readonly enum?: readonly string[] }
  /** base64 in JSON, bytes in protobuf */
  | { readonly kind: "bytes" }
  | { readonly kind: "time" | "micro-time" | "duration" }
  | { readonly kind: "integer"; readonly bits: 32 | 64 }
  | { readonly kind: "number" }
  | { readonly kind: "boolean" }
  | { readonly kind: "int-or-string" }
  | { readonly kind: "quantity" }
  /** Any JSON value: RawExtension, FieldsV1, JSON. */
  | { readonly kind: "any" }
  | { readonly kind: "object"; readonly schema: () => ObjectSchema }
  | { readonly kind: "map"; readonly value: FieldType; readonly atomic: boolean }
  | {
      readonly kind: "list";
      readonly item: FieldType;
      readonly listType: "atomic" | "set" | "map";
      /** The fields that identify an item of a "map" list. */
      readonly mapKeys: readonly string[];
    };

/** The schema of a `T`; the type parameter only ties the value to the generated interface. */
export interface Schema<T> {
  readonly name: string;
  /** Built on first use: most runs need few of the thousand types. */
  readonly object: ObjectSchema;
  /** Never set: carries `T` for inference. */
  readonly valueType?: T;
}
