import { randomUUID } from "node:crypto";
import { ApiError } from "../../api/api-error.ts";
import { draftOf } from "../../api/draft.ts";
import type { Draft, KubernetesObject } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { groupResourceOf, type ResourceDefinition } from "../../api/resource.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../api/shared/object-meta.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import { deepFreeze } from "../../base/deep-freeze.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission/admission.ts";
import { type Hub, type HubWriteResult, type StoredObject, storageKey } from "./hub.ts";
import { requireName } from "./object-name.ts";
import type { RequestContext } from "./request-context.ts";
import { asServed, asStored } from "./served-view.ts";
import type { Preconditions, WriteOptions } from "./write-options.ts";

/** What the verbs stand on: the objects, the rules every write passes, and the time. */
export interface StoreDeps {
  readonly hub: Hub;
  readonly clock: Clock;
  /** In order; every write passes all of them. */
  readonly admission: readonly AdmissionPlugin[];
}

/** One object's place. `namespace` is undefined for cluster-scoped kinds. */
export interface Target<T extends KubernetesObject = KubernetesObject> {
  readonly resource: ResourceDefinition<T>;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** A written object, and whether this write created it. */
export interface Written {
  readonly stored: StoredObject;
  readonly created: boolean;
}

type AnyDraft = Draft<KubernetesObject>;

export function readStored(deps: Pick<StoreDeps, "hub">, target: Target): StoredObject {
  const stored = deps.hub.get(storageKey(target.resource, target.namespace, target.name));
  if (stored === undefined) throw ApiError.notFound(target.resource, target.name);
  return asServed(target.resource, stored);
}

// ---- admission ---------------------------------------------------------------

/** Lets every plugin change the object, in order. */
export async function admit(deps: StoreDeps, request: AdmissionRequest): Promise<void> {
  for (const plugin of deps.admission) {
    const waits = plugin.admit?.(request);
    if (waits !== undefined) await waits;
  }
}

/** Lets every plugin refuse the object as it is going to be stored. */
export async function validateAdmission(deps: StoreDeps, request: AdmissionRequest): Promise<void> {
  for (const plugin of deps.admission) {
    const waits = plugin.validate?.(request);
    if (waits !== undefined) await waits;
  }
}

/** Writes what every plugin has let pass, and tells them what became of it. */
async function settled(
  deps: StoreDeps,
  request: AdmissionRequest,
  write: () => HubWriteResult | Promise<HubWriteResult>,
): Promise<HubWriteResult> {
  let isStored = false;
  try {
    const result = await write();
    isStored = result.outcome === "written";
    return result;
  } finally {
    for (const plugin of deps.admission) {
      const waits = plugin.settle?.(request, isStored);
      if (waits !== undefined) await waits;
    }
  }
}

// ---- create ------------------------------------------------------------------

const generatedNameTriesMax = 8;
const generatedSuffixCharacters = "bcdfghjklmnpqrstvwxz2456789";
const generatedNameCharactersMax = 63;

function generatedName(base: string): string {
  const suffixLength = 5;
  let suffix = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(suffixLength))) {
    suffix += generatedSuffixCharacters[byte % generatedSuffixCharacters.length];
  }
  return base.slice(0, generatedNameCharactersMax - suffixLength) + suffix;
}

/**
 * Stores a new object. `draft` is decoded and defaulted, belongs to the store from now on, and its
 * managedFields tell already who set what.
 */
export async function createStored(
  deps: StoreDeps,
  context: RequestContext,
  resource: ResourceDefinition,
  namespace: string | undefined,
  draft: AnyDraft,
  options: WriteOptions,
): Promise<StoredObject> {
  // Those who come in process bring a value that has the shape of an object, but not yet all of its metadata.
  const meta = draft.metadata as Draft<Partial<KubernetesObject["metadata"]>>;
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== "") {
    throw ApiError.badRequest("resourceVersion should not be set on objects to be created");
  }
  delete meta.resourceVersion;
  const request: AdmissionRequest = {
    operation: "CREATE",
    resource,
    subresource: "",
    namespace,
    name: meta.name ?? "",
    object: draft,
    previous: undefined,
    user: context.user,
    dryRun: options.dryRun,
    warnings: context.warnings,
  };
  await context.pause?.();
  await admit(deps, request);

  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
  // Nobody but the system counts generations; a kind that has one is counted from 1.
  delete meta.generation;
  if (countsGenerations(resource)) meta.generation = 1;
  meta.uid = randomUUID();
  meta.creationTimestamp = formatTime(deps.clock.now());

  const generates = meta.name === undefined || meta.name === "" ? (meta.generateName ?? "") : "";
  const triesMax = generates === "" ? 1 : generatedNameTriesMax;
  const renewed = generates !== "" && resource.namesItself === true;
  for (let tries = 1; ; tries += 1) {
    const next = renewed ? (draftOf(draft) as AnyDraft) : draft;
    // An object that says no name has the empty one, which is for validation to refuse.
    next.metadata.name = generates === "" ? (meta.name ?? "") : generatedName(generates);
    if (renewed || tries === 1) resource.prepareCreate?.(next, context.user, deps.clock.now());
    const object = next as KubernetesObject;
    const errors = [
      ...validateObjectMeta(object.metadata, resource),
      ...(resource.validate?.(object) ?? []),
      ...(resource.validateCreate?.(object) ?? []),
    ];
    if (errors.length > 0) throw ApiError.invalid(resource, object.metadata.name ?? "", errors);
    await context.pause?.();
    const named = { ...request, object: next, name: object.metadata.name };
    context.warnings.push(...(resource.warnings?.(object, undefined) ?? []));
    await validateAdmission(deps, named);

    const key = storageKey(resource, namespace, object.metadata.name);
    if (options.dryRun) {
      if (deps.hub.get(key) === undefined) return unstored(key, object, undefined);
    } else {
      const result = await settled(deps, named, () =>
        deps.hub.create(key, asStored(resource, object), resource.durability(object)),
      );
      if (result.outcome === "written") return asServed(resource, result.stored);
      if (tries === triesMax) throw alreadyExists(resource, object.metadata.name, result.current);
      continue;
    }
    if (tries === triesMax) throw alreadyExists(resource, object.metadata.name, deps.hub.get(key));
  }
}

function alreadyExists(
  resource: ResourceDefinition,
  name: string,
  current: StoredObject | undefined,
): ApiError {
  const error = ApiError.alreadyExists(resource, name);
  if (current?.value.metadata.deletionTimestamp === undefined) return error;
  return new ApiError("AlreadyExists", `object is being deleted: ${error.message}`, {
    ...(error.details === undefined ? {} : { details: error.details }),
  });
}

/** Kinds with a status of their own outside the core group count the changes of their spec, unless they say otherwise. */
function countsGenerations(resource: ResourceDefinition): boolean {
  const { countsGenerations: counts, generationChanged, group, subresources } = resource;
  return counts ?? (generationChanged !== undefined || (group !== "" && subresources.status));
}

// ---- update ------------------------------------------------------------------

/** How the next state of an object comes about. */
export interface Change {
  readonly target: Target;
  /** "" for the main resource. */
  readonly subresource: string;
  /**
   * The next state, made from the current one, which is undefined where `mayCreate` and there is none. Unshared,
   * defaulted, with managedFields. Called again when another writer was faster.
   */
  next(previous: KubernetesObject | undefined): AnyDraft | Promise<AnyDraft>;
  readonly preconditions: Preconditions;
  readonly mayCreate: boolean;
  readonly options: WriteOptions;
  /** The object admission is shown, where it is not the stored kind's own (a Scale, a Binding). */
  readonly shown?: unknown;
}

/** Kinds whose objects may not be replaced without saying which version is replaced. */
const conditionalOnly: ReadonlySet<string> = new Set([
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
  "leases.coordination.k8s.io",
  "poddisruptionbudgets.policy",
  "runtimeclasses.node.k8s.io",
  "volumeattachments.storage.k8s.io",
]);

/** Through these the system writes one thing that a spec write may not: the kind's rules for those do not hold. */
const systemSubresources: ReadonlySet<string> = new Set(["binding", "finalize"]);

/** Another writer can be faster this often; whoever loses more is told of the conflict. */
const updateTriesMax = 64;

const modifiedMeanwhile =
  "the object has been modified; please apply your changes to the latest version and try again";

/**
 * Replaces an object by what `change.next` makes of it, as one step: where another writer comes between, it is
 * made again from what that one wrote. What changes nothing is not written.
 */
export async function updateStored(
  deps: StoreDeps,
  context: RequestContext,
  change: Change,
): Promise<Written> {
  const { target, options } = change;
  const { resource, name } = target;
  const key = storageKey(resource, target.namespace, name);
  let current = deps.hub.get(key);
  for (let tries = 1; ; tries += 1) {
    if (current === undefined) {
      if (!change.mayCreate) throw ApiError.notFound(resource, name);
      const draft = await change.next(undefined);
      requireName(draft.metadata.name, name);
      const stored = await createStored(deps, context, resource, target.namespace, draft, options);
      return { stored, created: true };
    }
    const result = await tryUpdate(deps, context, change, key, current);
    if (result.outcome === "written") {
      return { stored: asServed(resource, result.stored), created: false };
    }
    if (tries === updateTriesMax) throw ApiError.conflict(resource, name, modifiedMeanwhile);
    context.signal.throwIfAborted();
    current = result.current;
  }
}

async function tryUpdate(
  deps: StoreDeps,
  context: RequestContext,
  change: Change,
  key: string,
  current: StoredObject,
): Promise<HubWriteResult> {
  const { target, options, subresource } = change;
  const { resource, name } = target;
  const previous = asServed(resource, current).value;
  checkPreconditions(change, key, previous);
  const draft = await change.next(previous);
  await context.pause?.();
  requireName(draft.metadata.name, name);
  checkVersion(resource, name, draft, previous);

  const request: AdmissionRequest = {
    operation: "UPDATE",
    resource,
    subresource,
    namespace: target.namespace,
    name,
    object: change.shown ?? draft,
    previous,
    user: context.user,
    dryRun: options.dryRun,
    warnings: context.warnings,
  };
  await admit(deps, request);
  keepSystemMeta(draft, previous);
  const nowMs = deps.clock.now();
  if (subresource === "status") prepareStatus(resource, draft, previous, nowMs);
  else if (subresource === "") prepareMain(resource, draft, previous);
  else resource.subresources.parts?.[subresource]?.prepareUpdate(draft, previous, nowMs);
  if (!systemSubresources.has(subresource) && growsGeneration(resource, draft, previous)) {
    draft.metadata.generation = (previous.metadata.generation ?? 0) + 1;
  }

  const object = draft as KubernetesObject;
  const errors = [
    ...validateObjectMeta(object.metadata, resource),
    ...validateObjectMetaUpdate(object.metadata, previous.metadata),
    ...validateKind(resource, subresource, object, previous),
  ];
  if (errors.length > 0) throw ApiError.invalid(resource, name, errors);
  await context.pause?.();
  if (subresource === "") context.warnings.push(...(resource.warnings?.(object, previous) ?? []));
  await validateAdmission(deps, request);

  return await settled(deps, request, () => {
    if (isFinished(resource, object, previous)) {
      if (options.dryRun) {
        return { outcome: "written", stored: unstored(key, asStored(resource, object), current) };
      }
      return deps.hub.delete(key, current.revision, resource.durability(object));
    }
    delete (draft.metadata as { resourceVersion?: string }).resourceVersion;
    const kept = asStored(resource, object);
    if (sameVersion(kept, current.value)) return { outcome: "written", stored: current };
    if (options.dryRun) return { outcome: "written", stored: unstored(key, kept, current) };
    return deps.hub.update(key, kept, current.revision, resource.durability(object));
  });
}

function checkPreconditions(change: Change, key: string, previous: KubernetesObject): void {
  const { uid, resourceVersion } = change.preconditions;
  const { metadata } = previous;
  const failed =
    uid !== undefined && uid !== metadata.uid
      ? `UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`
      : resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion
        ? `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`
        : undefined;
  if (failed === undefined) return;
  throw ApiError.conflict(
    change.target.resource,
    change.target.name,
    `StorageError: invalid object, Code: 4, Key: /registry/${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${failed}`,
  );
}

function checkVersion(
  resource: ResourceDefinition,
  name: string,
  draft: AnyDraft,
  previous: KubernetesObject,
): void {
  const sent = draft.metadata.resourceVersion ?? "";
  if (sent === previous.metadata.resourceVersion) return;
  if (sent !== "" && sent !== "0") throw ApiError.conflict(resource, name, modifiedMeanwhile);
  if (resource.unconditionalUpdate ?? !conditionalOnly.has(groupResourceOf(resource))) return;
  throw ApiError.invalid(resource, name, [
    {
      type: "Invalid value",
      path: "metadata.resourceVersion",
      value: 0,
      detail: "must be specified for an update",
    },
  ]);
}

/** Puts back what no update may touch, where the client left it out or sent its own. */
function keepSystemMeta(draft: AnyDraft, previous: KubernetesObject): void {
  const meta = draft.metadata as Draft<Partial<KubernetesObject["metadata"]>>;
  const before = previous.metadata;
  if (meta.uid === undefined || meta.uid === "") meta.uid = before.uid;
  if (before.namespace !== undefined) meta.namespace ??= before.namespace;
  meta.creationTimestamp = before.creationTimestamp;
  if (before.generation === undefined) delete meta.generation;
  else meta.generation = before.generation;
  if (before.deletionTimestamp === undefined) delete meta.deletionTimestamp;
  else meta.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds === undefined) delete meta.deletionGracePeriodSeconds;
  else meta.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

function prepareMain(
  resource: ResourceDefinition,
  draft: AnyDraft,
  previous: KubernetesObject,
): void {
  if (resource.subresources.status) setOwn(draft, "status", fieldOf(previous, "status"));
  resource.prepareUpdate?.(draft, previous);
}

/** A write of `status` changes nothing else but metadata, and of that not the owners. */
function prepareStatus(
  resource: ResourceDefinition,
  draft: AnyDraft,
  previous: KubernetesObject,
  nowMs: number,
): void {
  for (const field of new Set([...Object.keys(draft), ...Object.keys(previous)])) {
    if (field === "status" || field === "metadata") continue;
    setOwn(draft, field, fieldOf(previous, field));
  }
  setOwn(draft.metadata, "ownerReferences", previous.metadata.ownerReferences);
  resource.prepareStatusUpdate?.(draft, previous, nowMs);
}

function fieldOf(object: object, field: string): unknown {
  return (object as Readonly<Record<string, unknown>>)[field];
}

function setOwn(target: object, field: string, value: unknown): void {
  const writable = target as Record<string, unknown>;
  if (value === undefined) delete writable[field];
  else writable[field] = draftOf(value);
}

function validateKind(
  resource: ResourceDefinition,
  subresource: string,
  object: KubernetesObject,
  previous: KubernetesObject,
): ReturnType<NonNullable<ResourceDefinition["validateUpdate"]>> {
  if (systemSubresources.has(subresource)) return [];
  if (subresource === "status") return resource.validateStatusUpdate?.(object, previous) ?? [];
  const part = resource.subresources.parts?.[subresource];
  if (part !== undefined) return part.validateUpdate(object, previous);
  // A binding sets what no update of a pod may, and has checked by itself that it may.
  if (subresource === "binding") return [];
  return [
    ...(resource.validate?.(object) ?? []),
    ...(resource.validateUpdate?.(object, previous) ?? []),
  ];
}

function growsGeneration(
  resource: ResourceDefinition,
  draft: AnyDraft,
  previous: KubernetesObject,
): boolean {
  if (resource.generationChanged !== undefined) {
    return resource.generationChanged(draft as KubernetesObject, previous);
  }
  if (!countsGenerations(resource)) return false;
  const fields = new Set([...Object.keys(draft), ...Object.keys(previous)]);
  for (const field of fields) {
    if (field === "metadata" || field === "status") continue;
    if (!equalJson(fieldOf(draft, field), fieldOf(previous, field))) return true;
  }
  return false;
}

/** True where nothing holds a deleted object any longer. */
function isFinished(
  resource: ResourceDefinition,
  next: KubernetesObject,
  previous: KubernetesObject,
): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = previous.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0) return false;
  if ((next.metadata.finalizers ?? []).length > 0) return false;
  return !isHeldNamespace(resource, next);
}

/** A namespace lives until its `spec.finalizers` are gone, too. */
export function isHeldNamespace(resource: ResourceDefinition, object: KubernetesObject): boolean {
  if (resource.group !== "" || resource.plural !== "namespaces") return false;
  const spec = fieldOf(object, "spec") as { readonly finalizers?: readonly string[] } | undefined;
  return (spec?.finalizers ?? []).length > 0;
}

/** True where storing `next` would change nothing but the times at which nothing was changed. */
function sameVersion(next: KubernetesObject, previous: KubernetesObject): boolean {
  const plain = (object: KubernetesObject) => {
    const { resourceVersion: _, managedFields, ...metadata } = object.metadata;
    const entries = managedFields?.map(({ time: __, ...entry }) => entry);
    return { ...object, metadata: { ...metadata, managedFields: entries } };
  };
  return equalJson(plain(next), plain(previous));
}

/** What a dry run answers: the object as it would have been stored, at the version that is. */
export function unstored(
  key: string,
  object: KubernetesObject,
  current: StoredObject | undefined,
): StoredObject {
  const revision = current?.revision ?? 0;
  const { resourceVersion: _, ...metadata } = object.metadata;
  const value = deepFreeze({
    ...object,
    metadata: current === undefined ? metadata : { ...metadata, resourceVersion: String(revision) },
  }) as KubernetesObject;
  const json = Buffer.from(JSON.stringify(value));
  const stored: StoredObject = {
    key,
    revision,
    createRevision: current?.createRevision ?? 0,
    json,
    value,
    encoded: (_form, make) => make(stored),
  };
  return stored;
}
