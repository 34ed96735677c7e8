import type { Draft, KubernetesObject } from "../../../api/object.ts";
import type { Column, ResourceDefinition } from "../../../api/resource.ts";
import type { Schema } from "../../../api/schema.ts";
import type { Answered, Exchange } from "../exchange.ts";
import type { RequestContext } from "../request-context.ts";
import type { StoreDeps, Target } from "../resource-store.ts";
import type { ApplyPatch, PatchOptions } from "../verbs/patch.ts";
import type { DeleteOptions, WriteOptions } from "../write-options.ts";

/** What a subresource may use. */
export interface SubresourceDeps extends StoreDeps {
  deleteObject(context: RequestContext, target: Target, options: DeleteOptions): Promise<unknown>;
}

/** A subresource that takes and gives objects: of its own kind, or of its parent's. */
export interface ValueSubresource {
  /** Last word of the path, e.g. `scale`. */
  readonly name: string;
  /** Whether the kind has it. */
  isOf(resource: ResourceDefinition): boolean;
  /** The kind of what is sent, where it is not the parent's own. */
  readonly body?: {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
    readonly schema: Schema<KubernetesObject>;
    readonly columns?: readonly Column<KubernetesObject>[];
  };
  get?(deps: SubresourceDeps, target: Target): KubernetesObject;
  create?(
    deps: SubresourceDeps,
    context: RequestContext,
    target: Target,
    body: Draft<KubernetesObject>,
    options: WriteOptions,
  ): Promise<unknown>;
  /** `next` makes the new state of what `get` gives; called again when another writer was faster. */
  update?(
    deps: SubresourceDeps,
    context: RequestContext,
    target: Target,
    next: (current: KubernetesObject) => Draft<KubernetesObject>,
    options: WriteOptions,
  ): Promise<unknown>;
  /** Server-side apply, where the subresource has it. */
  apply?(
    deps: SubresourceDeps,
    context: RequestContext,
    target: Target,
    patch: ApplyPatch,
    options: PatchOptions,
  ): Promise<unknown>;
}

/** A subresource that is a conversation, or the answer of somebody else: the exchange is handed over to it. */
export interface ConnectSubresource {
  readonly name: string;
  isOf(resource: ResourceDefinition): boolean;
  /** HTTP methods it answers to. */
  readonly methods: readonly string[];
  connect(exchange: Exchange, target: Target): Promise<Answered>;
}
