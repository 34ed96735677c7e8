import {
  type TokenRequest,
  tokenRequestSchema,
} from "../../../api/generated/authentication-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { Schema } from "../../../api/schema.ts";
import type { AdmissionRequest } from "../admission/admission.ts";
import { admit, validateAdmission } from "../resource-store.ts";
import type { ValueSubresource } from "../subresources/subresource.ts";
import type { TokenIssuer } from "./token-request.ts";

/** `serviceaccounts/<name>/token`: gives out a token, and stores nothing. */
export function createTokenSubresource(issue: TokenIssuer): ValueSubresource {
  return {
    name: "token",
    isOf: (resource) => resource.group === "" && resource.plural === "serviceaccounts",
    body: {
      group: "authentication.k8s.io",
      version: "v1",
      kind: "TokenRequest",
      schema: tokenRequestSchema as Schema<KubernetesObject>,
    },
    async create(deps, context, { resource, namespace = "", name }, body, options) {
      const request: AdmissionRequest = {
        operation: "CREATE",
        resource,
        subresource: "token",
        namespace,
        name,
        object: body,
        previous: undefined,
        user: context.user,
        dryRun: options.dryRun,
        warnings: context.warnings,
      };
      await admit(deps, request);
      await validateAdmission(deps, request);
      const { metadata, spec } = body as unknown as TokenRequest;
      return issue(namespace, name, { spec, metadata });
    },
  };
}
