import type { Draft, KubernetesObject } from "../../api/object.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import type { RequestContext } from "./request-context.ts";
import type { WriteOptions } from "./write-options.ts";

/** A kind that is never stored: what is posted is answered. */
export interface VirtualResource {
  readonly resource: ResourceDefinition;
  /** `draft` is decoded, and belongs to this call. */
  create(
    context: RequestContext,
    namespace: string | undefined,
    draft: Draft<KubernetesObject>,
    options: WriteOptions,
  ): Promise<KubernetesObject> | KubernetesObject;
}
