import { ApiError } from "../../../api/api-error.ts";
import type { Decision, RequestAttributes } from "./authorizer.ts";

/** What the API answers to a request that no authorizer allowed. */
export function forbiddenError(attributes: RequestAttributes, decision: Decision): ApiError {
  const user = JSON.stringify(attributes.user.username);
  const because = decision.reason === "" ? "" : `: ${decision.reason}`;
  if (attributes.type === "path") {
    const path = JSON.stringify(attributes.path);
    return new ApiError(
      "Forbidden",
      `forbidden: User ${user} cannot ${attributes.verb} path ${path}${because}`,
      { details: {} },
    );
  }
  const { group, resource, subresource, namespace, name, verb } = attributes;
  const what = JSON.stringify(subresource === "" ? resource : `${resource}/${subresource}`);
  const where =
    namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return ApiError.forbidden(
    { group, plural: resource },
    name,
    `User ${user} cannot ${verb} resource ${what} in API group ${JSON.stringify(group)} ${where}${because}`,
  );
}
