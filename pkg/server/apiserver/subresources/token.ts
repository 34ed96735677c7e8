import { tokenRequestSchema } from "../../../api/generated/authentication-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { Schema } from "../../../api/schema.ts";
import type { TokenIssuer } from "../authn/token-request.ts";
import { admit, validateAdmission } from "../resource-store.ts";
import type { ValueSubresource } from "./subresource.ts";

/** `serviceaccounts/token`: a token that ends by itself, or with the object it is bound to. */
export function createTokenSubresource(issue: TokenIssuer): ValueSubresource {
  return {
    name: "token",
    isOf: (resource) => resource.group === "" && resource.plural === "serviceaccounts",
    body: {
      group: "authentication.k8s.io",
      version: "v1",
      kind: "TokenRequest",
      schema: tokenRequestSchema as unknown as Schema<KubernetesObject>,
    },
    async create(deps, context, target, body, options) {
      const request = {
        operation: "CREATE",
        resource: target.resource,
        subresource: "token",
        namespace: target.namespace,
        name: target.name,
        object: body,
        previous: undefined,
        user: context.user,
        dryRun: options.dryRun,
        warnings: context.warnings,
      } as const;
      await admit(deps, request);
      await validateAdmission(deps, request);
      return issue(
        target.namespace ?? "",
        target.name,
        body as unknown as Parameters<TokenIssuer>[2],
      );
    },
  };
}
