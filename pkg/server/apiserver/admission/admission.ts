import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import type { UserInfo } from "../authn/authenticator.ts";

/** A write on its way to the store, as admission sees it. */
export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly resource: ResourceDefinition;
  /** "" for the main resource. */
  readonly subresource: string;
  readonly namespace: string | undefined;
  /** "" while a generated name is not yet chosen. */
  readonly name: string;
  /**
   * The object to be written, still a draft of its own: `admit` may change it in place. Undefined for DELETE.
   * For a subresource with its own kind (binding, eviction, token) it is that body.
   */
  readonly object: unknown;
  /** The stored object, for UPDATE and DELETE. */
  readonly previous: KubernetesObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Sentences for the `Warning` header may be added. */
  readonly warnings: string[];
  /** What the audit log tells besides of this request; undefined where none is kept of it. */
  readonly auditAnnotations?: Map<string, string>;
}

/** One rule of admission. Refuses by throwing an `ApiError`. `admit` runs, in order, before any `validate`. */
export interface AdmissionPlugin {
  /** As in kube-apiserver's `--enable-admission-plugins`. */
  readonly name: string;
  admit?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
  /** Called once for each request that every plugin let pass, as soon as it is stored, or known not to be. */
  settle?(request: AdmissionRequest, isStored: boolean): void | Promise<void>;
}

/** What admission, authorization and allocation may read: the current state, from memory. */
export interface ObjectReader {
  get<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined;
  list<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    namespace?: string,
  ): readonly T[];
}
