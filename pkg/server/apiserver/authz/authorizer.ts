import type { FieldSelector } from "../../../api/fields.ts";
import type { UserInfo } from "../authn/authenticator.ts";

/** What is asked, as an authorizer sees it. */
export type RequestAttributes = {
  readonly user: UserInfo;
  /** `get`, `list`, `watch`, `create`, …; the lower-case HTTP method for a path. */
  readonly verb: string;
} & (
  | {
      readonly type: "resource";
      readonly group: string;
      readonly version: string;
      /** Lower-case plural. */
      readonly resource: string;
      /** "" for none. */
      readonly subresource: string;
      /** "" for cluster-scoped, or all namespaces. */
      readonly namespace: string;
      /** "" for none. */
      readonly name: string;
      /** What a list, a watch or a delete of many is narrowed to; absent where that is nothing that can be read. */
      readonly fieldSelector?: FieldSelector;
    }
  | { readonly type: "path"; readonly path: string }
);

export interface Decision {
  readonly allowed: boolean;
  /** Why, for audit and for the review kinds; "" where there is nothing to say. */
  readonly reason: string;
}

/** Says whether a request may be made. Reads only memory. */
export interface Authorizer {
  authorize(attributes: RequestAttributes): Decision;
}
