import { ApiError } from "../../api/api-error.ts";
import { draftOf } from "../../api/draft.ts";
import type { Draft, KubernetesObject } from "../../api/object.ts";
import { groupResourceOf, type ResourceDefinition, type StandardVerb } from "../../api/resource.ts";
import { readDeleteOptions, readObject, readPatch } from "./content.ts";
import type { Answered, Exchange } from "./exchange.ts";
import { type Format, formatOf } from "./format.ts";
import { parseListOptions } from "./list-options.ts";
import type { RequestInfo } from "./request-info.ts";
import { type StoreDeps, type Target, unstored } from "./resource-store.ts";
import type { ResourceTable } from "./resource-table.ts";
import { selectionOf } from "./selection.ts";
import type {
  ConnectSubresource,
  SubresourceDeps,
  ValueSubresource,
} from "./subresources/subresource.ts";
import { createObject } from "./verbs/create.ts";
import { deleteObject } from "./verbs/delete.ts";
import { deleteCollection } from "./verbs/delete-collection.ts";
import { getObject } from "./verbs/get.ts";
import { listObjects } from "./verbs/list.ts";
import { patchObject, patchValue } from "./verbs/patch.ts";
import { updateObject } from "./verbs/update.ts";
import type { VirtualResource } from "./virtual-resource.ts";
import { replyWatch, type WatchDeps } from "./watch-reply.ts";
import { parseWriteOptions } from "./write-options.ts";

export interface DispatchDeps extends StoreDeps, WatchDeps {
  readonly resources: ResourceTable;
  readonly virtualResources: readonly VirtualResource[];
  readonly valueSubresources: readonly ValueSubresource[];
  readonly connectSubresources: readonly ConnectSubresource[];
}

export type ResourceInfo = Extract<RequestInfo, { type: "resource" }>;

/** Answers a request for a resource, once it is known who asks and that they may. */
export async function dispatch(
  deps: DispatchDeps,
  exchange: Exchange,
  info: ResourceInfo,
): Promise<Answered> {
  const resource = deps.resources.find(info.group, info.version, info.resource);
  if (resource === undefined) throw notServed();
  const namespace = namespaceOf(resource, info);
  const target: Target = { resource, namespace, name: info.name };
  if (resource.deprecationWarning !== undefined)
    exchange.warnings.push(resource.deprecationWarning);
  if (info.subresource !== "") return await dispatchSubresource(deps, exchange, info, target);
  // Objects are not for HEAD, as in Kubernetes.
  if (exchange.method === "HEAD") throw notAllowed();
  if (!resource.verbs.includes(info.verb as StandardVerb)) throw notOffered(resource, info.verb);
  if (isMisplaced(resource, info)) {
    const isCustom = resource.schema.object.structural !== undefined;
    throw info.name === "" && !isCustom ? notAllowed() : notServed();
  }
  if (info.name === "" && needsName.has(info.verb)) throw notAllowed();
  if (resource.storage === "none") return await dispatchVirtual(deps, exchange, info, target);
  if (info.verb === "watch") return replyWatch(deps, exchange, resource, namespace);

  // What the client cannot be answered in is refused before anything is done.
  const format = formatOf(exchange, resource, deps.clock.now());
  switch (info.verb as Exclude<StandardVerb, "watch">) {
    case "get": {
      const version = exchange.query.get("resourceVersion") ?? "";
      const stored = await getObject(deps, exchange, target, version);
      return format.replyStored(200, stored);
    }
    case "list": {
      const options = parseListOptions(exchange.query);
      const page = await listObjects(deps, exchange, resource, namespace, options);
      return await format.replyPage(page);
    }
    case "create": {
      if (info.name !== "") throw notAllowed();
      const options = parseWriteOptions(exchange.query, "CreateOptions");
      const draft = await readObject(exchange, resource, options.fieldValidation);
      const stored = await createObject(deps, exchange, resource, namespace, draft, options);
      return format.replyStored(201, stored);
    }
    case "update": {
      const options = parseWriteOptions(exchange.query, "UpdateOptions");
      const draft = await readObject(exchange, resource, options.fieldValidation);
      const written = await updateObject(deps, exchange, target, "", draft, options);
      return format.replyStored(written.created ? 201 : 200, written.stored);
    }
    case "patch": {
      const { patch, options } = await readPatch(exchange);
      const written = await patchObject(deps, exchange, target, "", patch, options);
      return format.replyStored(written.created ? 201 : 200, written.stored);
    }
    case "delete":
      return await dispatchDelete(deps, exchange, target, format);
    case "deletecollection": {
      const selection = parseListOptions(exchange.query);
      const options = await readDeleteOptions(exchange);
      const page = await deleteCollection(deps, exchange, resource, namespace, selection, options);
      return await format.replyPage(page);
    }
  }
}

/** Kinds whose delete answers with the object, as upstream's do; all others with a Status. */
const answeredWithObject: ReadonlySet<string> = new Set([
  "pods",
  "podtemplates",
  "persistentvolumes",
  "persistentvolumeclaims",
  "replicationcontrollers",
  "resourcequotas",
  "serviceaccounts",
]);

async function dispatchDelete(
  deps: DispatchDeps,
  exchange: Exchange,
  target: Target,
  format: Format,
): Promise<Answered> {
  const { resource } = target;
  const options = await readDeleteOptions(exchange);
  const { gone, stored } = await deleteObject(deps, exchange, target, options);
  const status = !gone && options.orphanDependents === false ? 202 : 200;
  if (!gone || answeredWithObject.has(groupResourceOf(resource))) {
    return format.replyStored(status, stored);
  }
  return format.replyValue(status, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name: target.name,
      ...(resource.group === "" ? {} : { group: resource.group }),
      kind: resource.plural,
      uid: stored.value.metadata.uid,
    },
  });
}

async function dispatchVirtual(
  deps: DispatchDeps,
  exchange: Exchange,
  info: ResourceInfo,
  target: Target,
): Promise<Answered> {
  const { resource, namespace } = target;
  const virtual = deps.virtualResources.find((each) => each.resource === resource);
  if (virtual === undefined) throw notServed();
  if (info.verb === "get" || info.verb === "list") {
    const objects = virtual.list?.() ?? [];
    return await replyMadeUp(exchange, info.verb, target, objects, deps.clock.now());
  }
  if (virtual.create === undefined) throw notAllowed();
  const options = parseWriteOptions(exchange.query, "CreateOptions");
  const draft = await readObject(exchange, resource, options.fieldValidation);
  const answer = await virtual.create(exchange, namespace, draft, options);
  return formatOf(exchange, resource, deps.clock.now()).replyValue(201, answer);
}

/** Answers with what is there only while it is looked at: it has no version. */
async function replyMadeUp(
  exchange: Exchange,
  verb: "get" | "list",
  { resource, name }: Target,
  objects: readonly KubernetesObject[],
  nowMs: number,
): Promise<Answered> {
  const format = formatOf(exchange, resource, nowMs);
  if (verb === "get") {
    const object = objects.find(({ metadata }) => metadata.name === name);
    if (object === undefined) throw ApiError.notFound(resource, name);
    return await format.replyObject(200, object);
  }
  const { labelSelector, fieldSelector } = parseListOptions(exchange.query);
  const { matches } = selectionOf(resource, labelSelector, fieldSelector);
  return await format.replyPage({
    objects: objects
      .filter((object) => matches?.(object) !== false)
      .map((object) => unstored(object.metadata.name, object, undefined)),
    resourceVersion: "",
    continue: "",
    remainingItemCount: undefined,
  });
}

async function dispatchSubresource(
  deps: DispatchDeps,
  exchange: Exchange,
  info: ResourceInfo,
  target: Target,
): Promise<Answered> {
  const { resource } = target;
  if (isMisplaced(resource, info)) throw notServed();
  const connect = deps.connectSubresources.find(
    (each) => each.name === info.subresource && each.isOf(resource),
  );
  if (connect !== undefined) {
    if (!connect.methods.includes(exchange.method)) throw notAllowed();
    return await connect.connect(exchange, target);
  }
  if (exchange.method === "HEAD") throw notAllowed();
  if (isPart(resource, info.subresource)) {
    return await dispatchPart(deps, exchange, info, target);
  }
  const sub = deps.valueSubresources.find(
    (each) => each.name === info.subresource && each.isOf(resource),
  );
  if (sub === undefined) throw notServed();
  return await dispatchValue(deps, exchange, info, target, sub);
}

/** Whether what is written through a subresource is the object itself, of which only a part counts. */
export function isPart({ subresources }: ResourceDefinition, name: string): boolean {
  if (name === "status") return subresources.status;
  return subresources.parts !== undefined && Object.hasOwn(subresources.parts, name);
}

async function dispatchPart(
  deps: DispatchDeps,
  exchange: Exchange,
  info: ResourceInfo,
  target: Target,
): Promise<Answered> {
  const { resource } = target;
  const { subresource } = info;
  const format = formatOf(exchange, resource, deps.clock.now());
  switch (info.verb) {
    case "get": {
      const stored = await getObject(deps, exchange, target, "");
      return format.replyStored(200, stored);
    }
    case "update": {
      const options = parseWriteOptions(exchange.query, "UpdateOptions");
      const draft = await readObject(exchange, resource, options.fieldValidation);
      const { stored } = await updateObject(deps, exchange, target, subresource, draft, options);
      return format.replyStored(200, stored);
    }
    case "patch": {
      const { patch, options } = await readPatch(exchange);
      const { stored } = await patchObject(deps, exchange, target, subresource, patch, options);
      return format.replyStored(200, stored);
    }
    default:
      throw notAllowed();
  }
}

async function dispatchValue(
  deps: DispatchDeps,
  exchange: Exchange,
  info: ResourceInfo,
  target: Target,
  sub: ValueSubresource,
): Promise<Answered> {
  const { resource } = target;
  const format = formatOf(exchange, sub.body ?? resource, deps.clock.now());
  const subDeps = subresourceDeps(deps);
  if (info.verb === "get" && sub.get !== undefined) {
    return format.replyObject(200, sub.get(subDeps, target));
  }
  if (info.verb === "create" && sub.create !== undefined) {
    const options = parseWriteOptions(exchange.query, "CreateOptions");
    const body = await readObject(exchange, sub.body ?? resource, options.fieldValidation);
    return format.replyValue(201, await sub.create(subDeps, exchange, target, body, options));
  }
  if (info.verb === "update" && sub.update !== undefined) {
    const options = parseWriteOptions(exchange.query, "UpdateOptions");
    const body = await readObject(exchange, sub.body ?? resource, options.fieldValidation);
    const next = () => draftOf(body) as Draft<KubernetesObject>;
    return format.replyValue(200, await sub.update(subDeps, exchange, target, next, options));
  }
  if (info.verb === "patch" && sub.update !== undefined) {
    const { patch, options } = await readPatch(exchange);
    if (patch.type === "apply" && sub.apply !== undefined) {
      return format.replyValue(200, await sub.apply(subDeps, exchange, target, patch, options));
    }
    const next = patchValue(sub.body ?? resource, patch, options, exchange);
    return format.replyValue(200, await sub.update(subDeps, exchange, target, next, options));
  }
  throw notAllowed();
}

export function subresourceDeps(deps: DispatchDeps): SubresourceDeps {
  return {
    ...deps,
    deleteObject: (context, what, options) => deleteObject(deps, context, what, options),
  };
}

const needsName: ReadonlySet<string> = new Set(["update", "patch"]);

function namespaceOf(resource: ResourceDefinition, info: ResourceInfo): string | undefined {
  return resource.scope === "cluster" || info.namespace === "" ? undefined : info.namespace;
}

/** Only lists and watches of a namespaced kind may be asked for without a namespace. */
function isMisplaced(resource: ResourceDefinition, info: ResourceInfo): boolean {
  if (resource.scope === "cluster") return info.namespace !== "" && info.resource !== "namespaces";
  return info.namespace === "" && info.verb !== "list" && info.verb !== "watch";
}

export function notServed(): ApiError {
  return new ApiError("NotFound", "the server could not find the requested resource", {
    details: {},
  });
}

/** The path of a list is there, whether or not it can be watched: only then there is somebody to say which verb is not. */
function notOffered(resource: ResourceDefinition, verb: string): ApiError {
  if (verb !== "watch" || !resource.verbs.includes("list")) return notAllowed();
  const what = groupResourceOf(resource);
  return new ApiError(
    "MethodNotAllowed",
    `watch is not supported on resources of kind ${JSON.stringify(what)}`,
    {
      details: {
        ...(resource.group === "" ? {} : { group: resource.group }),
        kind: resource.plural,
      },
    },
  );
}

export function notAllowed(): ApiError {
  return new ApiError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    { details: {} },
  );
}
