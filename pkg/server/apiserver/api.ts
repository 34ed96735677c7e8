import { ApiError } from "../../api/api-error.ts";
import type { Draft, KubernetesObject, NewObject } from "../../api/object.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import type { Revision } from "../../datastore/datastore.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { forbiddenError } from "./authz/forbidden.ts";
import { decodeAs } from "./decode-as.ts";
import { type DispatchDeps, isPart, notAllowed, notServed, subresourceDeps } from "./dispatch.ts";
import { everything, type ListOptions, type WatchOptions } from "./list-options.ts";
import type { RequestContext } from "./request-context.ts";
import type { Target } from "./resource-store.ts";
import type { ValueSubresource } from "./subresources/subresource.ts";
import { createObject } from "./verbs/create.ts";
import { deleteObject } from "./verbs/delete.ts";
import { getObject } from "./verbs/get.ts";
import { listObjects } from "./verbs/list.ts";
import { type Patch, patchObject, patchValue } from "./verbs/patch.ts";
import { updateObject } from "./verbs/update.ts";
import { type WatchSink, watchObjects } from "./verbs/watch.ts";
import { type DeleteOptions, plainDelete, plainWrite } from "./write-options.ts";

/** One object, as those in the process name it. */
export interface ObjectName {
  /** Undefined for cluster-scoped kinds. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/**
 * The API's verbs for those who live in the same process: the same authorization, admission and validation as
 * over HTTP, on plain values, without a socket. What is returned is frozen and shared with all who read it.
 */
export interface Api {
  get<T extends KubernetesObject>(
    context: RequestContext,
    resource: ResourceDefinition<T>,
    object: ObjectName,
  ): Promise<T>;
  list<T extends KubernetesObject>(
    context: RequestContext,
    resource: ResourceDefinition<T>,
    namespace: string | undefined,
    options?: Partial<ListOptions>,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  /** See `watchObjects`. Returns the way to stop. */
  watch(
    context: RequestContext,
    resource: ResourceDefinition,
    namespace: string | undefined,
    options: WatchOptions,
    sink: WatchSink,
  ): () => void;
  create<T extends KubernetesObject>(
    context: RequestContext,
    resource: ResourceDefinition<T>,
    object: NewObject<T>,
  ): Promise<T>;
  update<T extends KubernetesObject>(
    context: RequestContext,
    resource: ResourceDefinition<T>,
    object: T,
    subresource?: string,
  ): Promise<T>;
  patch<T extends KubernetesObject>(
    context: RequestContext,
    resource: ResourceDefinition<T>,
    object: ObjectName,
    patch: Patch,
    subresource?: string,
  ): Promise<T>;
  delete(
    context: RequestContext,
    resource: ResourceDefinition,
    object: ObjectName,
    options?: Partial<DeleteOptions>,
  ): Promise<void>;
  getSubresource(
    context: RequestContext,
    resource: ResourceDefinition,
    parent: ObjectName,
    subresource: string,
  ): Promise<unknown>;
  createSubresource(
    context: RequestContext,
    resource: ResourceDefinition,
    parent: ObjectName,
    subresource: string,
    body: unknown,
  ): Promise<unknown>;
  /** The latest revision that readers and watchers in this process have seen. */
  readonly revision: Revision;
  /** Resolves once every watcher in this process has been told of `revision`. */
  caughtUp(revision: Revision, signal: AbortSignal): Promise<void>;
}

/** What is written by ourselves has the right type already: it is only brought into its stored form. */
const trusted = { fieldValidation: "Ignore" } as const;

export function createApi(deps: DispatchDeps & { readonly authorizer: Authorizer }): Api {
  const { hub, authorizer } = deps;

  function authorize(
    context: RequestContext,
    verb: string,
    { resource, namespace, name }: Target,
    subresource = "",
  ): void {
    const { group, version, plural } = resource;
    const attributes = {
      type: "resource",
      user: context.user,
      verb,
      group,
      version,
      resource: plural,
      subresource,
      namespace: namespace ?? "",
      name,
    } as const;
    const decision = authorizer.authorize(attributes);
    if (!decision.allowed) throw forbiddenError(attributes, decision);
  }

  function subresourceOf(resource: ResourceDefinition, name: string): ValueSubresource {
    const found = deps.valueSubresources.find((sub) => sub.name === name && sub.isOf(resource));
    if (found === undefined) throw notServed();
    return found;
  }

  async function write(
    context: RequestContext,
    target: Target,
    subresource: string,
    next: (current: KubernetesObject) => Draft<KubernetesObject>,
  ): Promise<unknown> {
    const sub = subresourceOf(target.resource, subresource);
    if (sub.update === undefined) throw notAllowed();
    return await sub.update(subresourceDeps(deps), context, target, next, plainWrite);
  }

  return {
    async get(context, typed, { namespace, name }) {
      const target: Target = { resource: erased(typed), namespace, name };
      authorize(context, "get", target);
      const stored = await getObject(deps, context, target, "");
      return stored.value as never;
    },
    async list(context, typed, namespace, options = {}) {
      const resource = erased(typed);
      authorize(context, "list", { resource, namespace, name: "" });
      const asked = { ...everything, ...options };
      const page = await listObjects(deps, context, resource, namespace, asked);
      return {
        items: page.objects.map((stored) => stored.value as never),
        resourceVersion: page.resourceVersion,
      };
    },
    watch(context, resource, namespace, options, sink) {
      authorize(context, "watch", { resource, namespace, name: "" });
      return watchObjects(hub, resource, namespace, options, sink);
    },
    async create(context, typed, object) {
      const resource = erased(typed);
      const namespace = resource.scope === "cluster" ? undefined : object.metadata.namespace;
      authorize(context, "create", { resource, namespace, name: "" });
      const { object: draft } = decodeAs(resource, resource.schema, object, trusted);
      if (resource.storage === "none") {
        const virtual = deps.virtualResources.find((each) => each.resource === resource);
        if (virtual?.create === undefined) throw notServed();
        return (await virtual.create(context, namespace, draft, plainWrite)) as never;
      }
      const stored = await createObject(deps, context, resource, namespace, draft, plainWrite);
      return stored.value as never;
    },
    async update(context, typed, object, subresource = "") {
      const resource = erased(typed);
      const { namespace, name } = object.metadata;
      const target: Target = { resource, namespace, name };
      authorize(context, "update", target, subresource);
      if (subresource === "" || isPart(resource, subresource)) {
        const { object: draft } = decodeAs(resource, resource.schema, object, trusted);
        const written = await updateObject(deps, context, target, subresource, draft, plainWrite);
        return written.stored.value as never;
      }
      const { body = resource } = subresourceOf(resource, subresource);
      const next = () => decodeAs(body, body.schema, object, trusted).object;
      return (await write(context, target, subresource, next)) as never;
    },
    async patch(context, typed, { namespace, name }, patch, subresource = "") {
      const resource = erased(typed);
      const target: Target = { resource, namespace, name };
      authorize(context, "patch", target, subresource);
      const options = { ...plainWrite, ...trusted };
      if (subresource === "" || isPart(resource, subresource)) {
        const written = await patchObject(deps, context, target, subresource, patch, options);
        return written.stored.value as never;
      }
      const { body = resource } = subresourceOf(resource, subresource);
      const next = patchValue(body, patch, options, context);
      return (await write(context, target, subresource, next)) as never;
    },
    async delete(context, resource, { namespace, name }, options = {}) {
      const target: Target = { resource, namespace, name };
      authorize(context, "delete", target);
      await deleteObject(deps, context, target, { ...plainDelete, ...options });
    },
    getSubresource: (context, resource, { namespace, name }, subresource) =>
      new Promise((resolve) => {
        const target: Target = { resource, namespace, name };
        authorize(context, "get", target, subresource);
        const sub = subresourceOf(resource, subresource);
        if (sub.get === undefined) throw notAllowed();
        resolve(sub.get(subresourceDeps(deps), target));
      }),
    async createSubresource(context, resource, { namespace, name }, subresource, body) {
      const target: Target = { resource, namespace, name };
      authorize(context, "create", target, subresource);
      const sub = subresourceOf(resource, subresource);
      if (sub.create === undefined) throw notAllowed();
      const kind = sub.body ?? resource;
      const { object: draft } = decodeAs(kind, kind.schema, body, trusted);
      return await sub.create(subresourceDeps(deps), context, target, draft, plainWrite);
    },
    get revision() {
      return hub.revision;
    },
    caughtUp: (revision, signal) => hub.caughtUp(revision, signal),
  };
}

/** A definition without its type parameter: what is stored under a kind is of that kind. */
function erased<T extends KubernetesObject>(resource: ResourceDefinition<T>): ResourceDefinition {
  return resource as unknown as ResourceDefinition;
}

/** True where `caught` only says that there is no such object. */
export function isNotFound(caught: unknown): boolean {
  return caught instanceof ApiError && caught.reason === "NotFound";
}
