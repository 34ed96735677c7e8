import { ApiError } from "../../../api/api-error.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Revision } from "../../../datastore/datastore.ts";
import {
  type Hub,
  type HubListResult,
  type StoredObject,
  storageKey,
  storagePrefix,
} from "../hub.ts";
import type { ListOptions } from "../list-options.ts";
import type { RequestContext } from "../request-context.ts";
import { parseRevision, untilRevision } from "../revisions.ts";
import { type Selection, selectionOf } from "../selection.ts";
import { asServed } from "../served-view.ts";

/** A part of a list, all of it at one revision. */
export interface ObjectPage {
  readonly objects: readonly StoredObject[];
  readonly resourceVersion: string;
  /** "" where nothing follows. */
  readonly continue: string;
  /** Undefined where nothing follows, or selectors make it unknown. */
  readonly remainingItemCount: number | undefined;
}

interface ListDeps {
  readonly hub: Hub;
  readonly clock: Clock;
}

/** The objects that `options` ask for, in key order. A past that is forgotten is Expired. */
export async function listObjects(
  deps: ListDeps,
  context: RequestContext,
  resource: ResourceDefinition,
  namespace: string | undefined,
  options: ListOptions,
): Promise<ObjectPage> {
  const selection = selectionOf(resource, options.labelSelector, options.fieldSelector);
  const from = options.continue === "" ? undefined : decodeContinue(options);
  const at = await revisionOf(deps, context, options, from);
  const prefix = storagePrefix(resource, namespace);
  if (selection.name !== undefined && from === undefined && at === undefined) {
    const one = byName(deps.hub, resource, namespace, selection);
    if (one !== undefined) return one;
  }
  const scan = { hub: deps.hub, resource, prefix, selection };
  return collect(scan, options.limit, from?.startAfter, at);
}

/** Which past is asked for; undefined: the present. */
async function revisionOf(
  deps: ListDeps,
  context: RequestContext,
  options: ListOptions,
  from: ContinueToken | undefined,
): Promise<Revision | undefined> {
  if (from !== undefined) return from.revision;
  const asked = parseRevision(options.resourceVersion);
  if (asked === undefined || asked === 0) return undefined;
  await untilRevision(deps, asked, context.signal);
  const exact =
    options.resourceVersionMatch === "Exact" ||
    // What clients from before resourceVersionMatch rely on.
    (options.resourceVersionMatch === "" && options.limit > 0);
  return exact ? asked : undefined;
}

function byName(
  hub: Hub,
  resource: ResourceDefinition,
  namespace: string | undefined,
  selection: Selection,
): ObjectPage | undefined {
  if (resource.scope === "namespace" && namespace === undefined) return undefined;
  const found = hub.get(storageKey(resource, namespace, selection.name ?? ""));
  const stored = found === undefined ? undefined : asServed(resource, found);
  const matches = stored !== undefined && selection.matches?.(stored.value) !== false;
  return {
    objects: matches ? [stored] : [],
    resourceVersion: String(hub.revision),
    continue: "",
    remainingItemCount: undefined,
  };
}

/** With selectors, the hub is read in parts of this size until the page is full. */
const scanObjects = 1_000;

interface Scan {
  readonly hub: Hub;
  readonly resource: ResourceDefinition;
  readonly prefix: string;
  readonly selection: Selection;
}

function collect(
  { hub, resource, prefix, selection }: Scan,
  limit: number,
  startAfter: string | undefined,
  at: Revision | undefined,
): ObjectPage {
  if (selection.matches === undefined) {
    const range = { prefix, ...(startAfter === undefined ? {} : { startAfter }) };
    const listed = unexpired(hub.list(limit > 0 ? { ...range, limit } : range, at), startAfter);
    const objects =
      resource.fromStored === undefined
        ? listed.objects
        : listed.objects.map((stored) => asServed(resource, stored));
    return pageOf(objects, listed.revision, listed.hasMore, listed.remaining);
  }
  const found: StoredObject[] = [];
  let after = startAfter;
  let revision = at;
  for (;;) {
    const range = { prefix, ...(after === undefined ? {} : { startAfter: after }) };
    const listed = unexpired(
      hub.list(limit > 0 ? { ...range, limit: scanObjects } : range, revision),
      startAfter,
    );
    revision = listed.revision;
    for (const [index, kept] of listed.objects.entries()) {
      const stored = asServed(resource, kept);
      if (!selection.matches(stored.value)) continue;
      found.push(stored);
      if (found.length !== limit) continue;
      const more = listed.hasMore || index + 1 < listed.objects.length;
      return pageOf(found, listed.revision, more, undefined);
    }
    if (!listed.hasMore) return pageOf(found, listed.revision, false, undefined);
    after = listed.objects.at(-1)?.key;
  }
}

function pageOf(
  objects: readonly StoredObject[],
  revision: Revision,
  hasMore: boolean,
  remaining: number | undefined,
): ObjectPage {
  const last = objects.at(-1);
  const follows = hasMore && last !== undefined;
  return {
    objects,
    resourceVersion: String(revision),
    continue: follows ? encodeContinue({ revision, startAfter: last.key }) : "",
    remainingItemCount: follows ? remaining : undefined,
  };
}

type Listed = Extract<HubListResult, { outcome: "listed" }>;

function unexpired(result: HubListResult, startAfter: string | undefined): Listed {
  if (result.outcome === "listed") return result;
  if (startAfter === undefined) {
    throw new ApiError("Expired", "The resourceVersion for the provided list is too old.");
  }
  throw new ApiError(
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    { continue: encodeContinue({ revision: undefined, startAfter }) },
  );
}

/** Where a list goes on. Without a revision: with what is there now. */
interface ContinueToken {
  readonly revision: Revision | undefined;
  readonly startAfter: string;
}

function encodeContinue({ revision, startAfter }: ContinueToken): string {
  const token = { v: "meta.k8s.io/v1", rv: revision ?? -1, start: startAfter };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function decodeContinue(options: ListOptions): ContinueToken {
  if (options.resourceVersion !== "" && options.resourceVersion !== "0") {
    throw ApiError.badRequest("specifying resource version is not allowed when using continue");
  }
  try {
    const token: unknown = JSON.parse(Buffer.from(options.continue, "base64url").toString());
    const { v, rv, start } = token as { v?: unknown; rv?: unknown; start?: unknown };
    if (v === "meta.k8s.io/v1" && Number.isSafeInteger(rv) && typeof start === "string") {
      return { revision: rv === -1 ? undefined : Number(rv), startAfter: start };
    }
  } catch {
    // Said below, like every other token that is not ours.
  }
  throw ApiError.badRequest("continue key is not valid: it was not made by this server");
}
