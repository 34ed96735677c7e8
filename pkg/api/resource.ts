import type { Draft, KubernetesObject } from "./object.ts";
import type { Schema } from "./schema.ts";

/** Why a field is refused, in the words of `k8s.io/apimachinery/pkg/util/validation/field`. */
export interface FieldError {
  readonly type:
    | "Required value"
    | "Invalid value"
    | "Not found"
    | "Duplicate value"
    | "Forbidden"
    | "Too long"
    | "Too many"
    | "Unsupported value"
    | "Internal error"
    | "Type invalid";
  /** As in `spec.containers[0].name`. */
  readonly path: string;
  /** What was sent; printed in the message except for "Required value", "Forbidden" and the like. */
  readonly value?: unknown;
  readonly detail: string;
}

/** A column of `kubectl get`. */
export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** OpenAPI format; `name` marks the column that holds the object's name. */
  readonly format?: string;
  readonly description?: string;
  /** 0 (the default) is always shown, 1 only with `-o wide`. */
  readonly priority?: number;
  /** `nowMs` is for ages. */
  cell(object: T, nowMs: number): string | number | boolean | null;
}

/** What `scale` reads and writes: paths into the object. */
export interface ScaleMapping {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** The selector, printed as a string, of the pods that are counted. */
  readonly labelSelector: (object: KubernetesObject) => string;
}

/** Who makes an object, for kinds that keep it. */
export interface Requester {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** A subresource by which a part of an object is written, by rules of its own: `approval`. */
export interface PartRules<T extends KubernetesObject> {
  /** Last touches, in place: keeps what a write of this part must not change. */
  prepareUpdate(draft: Draft<T>, previous: T, nowMs: number): void;
  validateUpdate(next: T, previous: T): readonly FieldError[];
}

/** How a kind behaves where kinds differ. Everything else is the same for all and is not said here. */
export interface Strategy<T extends KubernetesObject> {
  /** Fills in what the client left out, in place. Runs on each decoded object, of any verb, before admission. */
  defaults?(draft: Draft<T>, nowMs: number): void;
  /**
   * Last touches to an object about to be created, in place: clears what only the system may set.
   * A kind with a status says here what that of a new object is; a Node, alone, brings its own.
   */
  prepareCreate?(draft: Draft<T>, requester: Requester, nowMs: number): void;
  /**
   * Last touches to an update of the main resource, in place: keeps what a spec write must not change.
   * Where the kind has a `status` subresource, status is kept before this is called.
   */
  prepareUpdate?(draft: Draft<T>, previous: T): void;
  /** Last touches to a write of the `status` subresource. Everything but status and a little metadata is kept before. */
  prepareStatusUpdate?(draft: Draft<T>, previous: T, nowMs: number): void;
  /** Last touches to an object that is about to be deleted, in place: a finalizer holds it until more than itself is gone. */
  prepareDelete?(draft: Draft<T>, nowMs: number): void;
  /** Of a new object; also runs on each update. Names and metadata in general are checked elsewhere. */
  validate?(object: T): readonly FieldError[];
  /** Of a new object only, besides `validate`: what may come to be later, but not be there from the start. */
  validateCreate?(object: T): readonly FieldError[];
  validateUpdate?(next: T, previous: T): readonly FieldError[];
  validateStatusUpdate?(next: T, previous: T): readonly FieldError[];
  /** Sentences for the `Warning` header. */
  warnings?(object: T, previous: T | undefined): readonly string[];
  /** When `metadata.generation` grows. Default: when something outside metadata and status changed. */
  generationChanged?(next: T, previous: T): boolean;
  /**
   * Whether changes of the spec are counted in `metadata.generation`. Default: where there is a status of its own,
   * outside the core group; and where `generationChanged` says when.
   */
  countsGenerations?: boolean;
  /** What belongs to a deleted object stays, unless the client says otherwise: in kinds from before there was a choice. */
  orphansDependents?: boolean;
  /** The spec is completed with the object's own name or uid: `prepareCreate` needs them, and a new name a new spec. */
  namesItself?: boolean;
  /** Grace period of a delete, in seconds; `undefined`: deletes at once. Only pods have one. */
  deletionGraceSeconds?(object: T, requestedSeconds: number | undefined): number | undefined;
}

export type StandardVerb =
  | "create"
  | "delete"
  | "deletecollection"
  | "get"
  | "list"
  | "patch"
  | "update"
  | "watch";

export interface ResourceDefinition<T extends KubernetesObject = KubernetesObject>
  extends Strategy<T> {
  /** "" is the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: T["kind"];
  /** Lower-case plural, as in paths. */
  readonly plural: string;
  readonly singular: string;
  /** Of a list of its objects. Default: the kind with `List` behind it. */
  readonly listKind?: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: "cluster" | "namespace";
  readonly schema: Schema<T>;
  /** Default: all. A review kind has `["create"]` and nothing stored. */
  readonly verbs: readonly StandardVerb[];
  /** "none": answered by a handler, never stored (the review kinds). */
  readonly storage: "stored" | "none";
  /** How soon a write must be on the disk. Default: durable. */
  durability(object: T): "durable" | "lazy" | "at-close";
  readonly nameRule:
    | "dns-subdomain"
    | "dns-label"
    | "dns-1035-label"
    | "path-segment"
    | "ip-address";
  readonly subresources: {
    readonly status: boolean;
    readonly scale?: ScaleMapping;
    /** By name; each is got, replaced and patched as the object itself is. */
    readonly parts?: Readonly<Record<string, PartRules<T>>>;
  };
  /**
   * What nobody comes to own by a write, as paths of field names by subresource ("" is the main resource). Default,
   * with a status: the status, and for a write of that, the spec.
   */
  readonly resetFields: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** What users of this version are told with each answer: that it is going to end, and what to use instead. */
  readonly deprecationWarning?: string | undefined;
  /** Whether an object may be replaced without saying which version of it is replaced. Default: by the kind's history. */
  readonly unconditionalUpdate?: boolean;
  readonly columns: readonly Column<T>[];
  /** The order of a list's rows in a table. Default: the list's own, by name. */
  readonly compareRows?: CompareObjects<T> | undefined;
  /** Field selectors besides `metadata.name` and `metadata.namespace`. */
  readonly selectableFields: Readonly<Record<string, ReadField<T>>>;
  /**
   * Where objects of this version are stored as another: that one's definition, which has none itself. All that is
   * said here (defaults, rules, columns) is of this version's form; `toStored` and `fromStored` lead from one to the other.
   */
  readonly storedAs: ResourceDefinition | undefined;
  /** An object of this version as it is stored. Pure; may share parts. Undefined: as it is. */
  readonly toStored: Convert | undefined;
  /**
   * A stored object as this version shows it. Pure; the very same object where nothing differs, so that its bytes are
   * served as they lie there. Undefined: as it is.
   */
  readonly fromStored: Convert | undefined;
}

type Convert = (object: KubernetesObject) => KubernetesObject;

/** Reads one field of a `T` as text; written as a method's type so that a list of all kinds can be typed. */
type ReadField<T> = { read(object: T): string }["read"];

/** Less than 0 where `a` comes first; written as a method's type so that a list of all kinds can be typed. */
type CompareObjects<T> = { compare(a: T, b: T): number }["compare"];

type Defaulted =
  | "singular"
  | "shortNames"
  | "categories"
  | "verbs"
  | "storage"
  | "durability"
  | "nameRule"
  | "subresources"
  | "resetFields"
  | "columns"
  | "selectableFields"
  | "storedAs"
  | "toStored"
  | "fromStored";

const allVerbs: readonly StandardVerb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

/** Everything the system needs to know of a kind, said once: routes, discovery, tables, storage read it. */
export function defineResource<T extends KubernetesObject>(
  definition: Omit<ResourceDefinition<T>, Defaulted> &
    Partial<Pick<ResourceDefinition<T>, Defaulted>>,
): ResourceDefinition<T> {
  return Object.freeze({
    singular: definition.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    storage: "stored",
    durability: () => "durable",
    nameRule: "dns-subdomain",
    subresources: { status: false },
    resetFields: {},
    columns: [],
    selectableFields: {},
    storedAs: undefined,
    toStored: undefined,
    fromStored: undefined,
    ...definition,
  } satisfies ResourceDefinition<T>);
}

/** `pods`, `deployments.apps`: how messages and RBAC name a resource. */
export function groupResourceOf(resource: {
  readonly group: string;
  readonly plural: string;
}): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(resource: {
  readonly group: string;
  readonly version: string;
}): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}
