import { ApiError } from "../../../api/api-error.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { deepFreeze } from "../../../base/deep-freeze.ts";
import type { Revision } from "../../../datastore/datastore.ts";
import { type Hub, type HubEvent, type StoredObject, storageKey, storagePrefix } from "../hub.ts";
import type { WatchOptions } from "../list-options.ts";
import { unstored } from "../resource-store.ts";
import { parseRevision } from "../revisions.ts";
import { selectionOf } from "../selection.ts";
import { asServed } from "../served-view.ts";

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED";

/** Takes what a watch has to tell. Must neither throw nor wait. */
export interface WatchSink {
  /**
   * What is there at the start, where a sink rather takes it bit by bit: it is read whenever the sink wants, before
   * whatever it is told of later. Default: an ADDED for each.
   */
  state?(objects: Iterable<StoredObject>): void;
  event(type: WatchEventType, stored: StoredObject): void;
  /** Everything up to `revision` has been told; `initial`: this is the end of what was there at the start. */
  bookmark(revision: Revision, initial: boolean): void;
  /** Called after the events of one step: what was told may be sent now. */
  flush(): void;
  /** The watch has ended by this. */
  fail(error: ApiError): void;
}

/**
 * Tells `sink` of every change after the asked-for version, each once and in order; without a version, or at
 * "0", first of what is there. An object that enters or leaves the selection is ADDED or DELETED. Returns the
 * way to stop. At any time between two calls of `sink`, all up to the hub's revision has been told.
 */
export function watchObjects(
  hub: Hub,
  resource: ResourceDefinition,
  namespace: string | undefined,
  options: WatchOptions,
  sink: WatchSink,
): () => void {
  const selection = selectionOf(resource, options.labelSelector, options.fieldSelector);
  const asked = parseRevision(options.resourceVersion) ?? 0;
  // One object's watch need not hear of the others, nor look at each state for the name it has anyway.
  const ofOne =
    selection.name !== undefined && (namespace !== undefined || resource.scope === "cluster");
  const prefix = ofOne
    ? storageKey(resource, namespace, selection.name)
    : storagePrefix(resource, namespace);
  const matches = ofOne && selection.byNameAlone ? undefined : selection.matches;
  let after = asked;
  let done = false;
  let unwatch: (() => void) | undefined;

  const stop = () => {
    done = true;
    unwatch?.();
  };
  const fail = (error: ApiError) => {
    if (done) return;
    stop();
    sink.fail(error);
  };

  const startsWithState = options.sendInitialEvents ?? asked === 0;
  if (startsWithState) {
    const { objects, revision } = hub.snapshot(prefix);
    const selected = selectedOf(objects, resource, matches);
    if (sink.state !== undefined) sink.state(selected);
    else for (const stored of selected) sink.event("ADDED", stored);
    after = revision;
    if (options.sendInitialEvents === true && options.allowWatchBookmarks)
      sink.bookmark(after, true);
    sink.flush();
  } else if (asked === 0) after = hub.revision;

  unwatch = hub.watch(prefix, after, {
    onEvents(events) {
      if (done) return;
      for (const told of events) {
        const event = servedEvent(resource, told);
        if (matches === undefined) sink.event(typeOf[event.type], event.current);
        else tellSelected(event, matches, sink);
      }
      sink.flush();
    },
    onExpired: () => fail(tooOld(after, hub.oldestRevision)),
  });
  if (done) unwatch();
  return stop;
}

function* selectedOf(
  objects: Iterable<StoredObject>,
  resource: ResourceDefinition,
  matches: ((object: KubernetesObject) => boolean) | undefined,
): Generator<StoredObject> {
  for (const kept of objects) {
    const stored = asServed(resource, kept);
    if (matches === undefined || matches(stored.value)) yield stored;
  }
}

function servedEvent(resource: ResourceDefinition, event: HubEvent): HubEvent {
  if (resource.fromStored === undefined) return event;
  const { current, previous } = event;
  return {
    ...event,
    current: asServed(resource, current),
    previous: previous === undefined ? undefined : asServed(resource, previous),
  };
}

const typeOf = { added: "ADDED", modified: "MODIFIED", deleted: "DELETED" } as const;

function tellSelected(
  event: HubEvent,
  matches: (object: KubernetesObject) => boolean,
  sink: WatchSink,
): void {
  const { previous, current } = event;
  const before = previous !== undefined && matches(previous.value);
  const now = event.type !== "deleted" && matches(current.value);
  if (event.type === "deleted") {
    if (before || (previous === undefined && matches(current.value)))
      sink.event("DELETED", current);
  } else if (now) sink.event(before ? "MODIFIED" : "ADDED", current);
  else if (before) sink.event("DELETED", lastSelected(previous, event.revision));
}

/** The last state that was selected, at the revision at which it left: so that the watcher's version moves on. */
function lastSelected(previous: StoredObject, revision: Revision): StoredObject {
  const { value } = previous;
  const left = deepFreeze({
    ...value,
    metadata: { ...value.metadata, resourceVersion: String(revision) },
  });
  return { ...unstored(previous.key, left, { ...previous, revision }), revision };
}

function tooOld(asked: Revision, oldest: Revision): ApiError {
  return new ApiError("Expired", `too old resource version: ${asked} (${oldest})`);
}
