import type { Draft, KubernetesObject } from "../../api/object.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import type { RequestContext } from "./request-context.ts";
import type { WriteOptions } from "./write-options.ts";

/** A kind that is never stored: what is posted is answered, or what is asked for is made up on the spot. */
export interface VirtualResource {
  readonly resource: ResourceDefinition;
  /** Every object that there is, for kinds that can be read; they are of the cluster. */
  list?(): readonly KubernetesObject[];
  /** `draft` is decoded, and belongs to this call. */
  create?(
    context: RequestContext,
    namespace: string | undefined,
    draft: Draft<KubernetesObject>,
    options: WriteOptions,
  ): Promise<KubernetesObject> | KubernetesObject;
}
