import { ApiError } from "../../../api/api-error.ts";
import type { Decision, RequestAttributes } from "./authorizer.ts";

/** What the API answers to a request that no authorizer allowed. */
export function forbiddenError(attributes: RequestAttributes, decision: Decision): ApiError {
  const user = plain(JSON.stringify(attributes.user.username));
  const because = decision.reason === "" ? "" : `: ${decision.reason}`;
  if (attributes.type === "path") {
    const path = plain(JSON.stringify(attributes.path));
    return new ApiError(
      "Forbidden",
      `forbidden: User ${user} cannot ${plain(attributes.verb)} path ${path}${because}`,
      { details: {} },
    );
  }
  const { group, resource, subresource, namespace, name } = attributes;
  const verb = plain(attributes.verb);
  const what = plain(JSON.stringify(subresource === "" ? resource : `${resource}/${subresource}`));
  const where =
    namespace === ""
      ? "at the cluster scope"
      : `in the namespace ${plain(JSON.stringify(namespace))}`;
  return ApiError.forbidden(
    { group, plural: resource },
    name,
    `User ${user} cannot ${verb} resource ${what} in API group ${plain(JSON.stringify(group))} ${where}${because}`,
  );
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** What the client itself has sent is never markup to whoever shows the message. */
function plain(text: string): string {
  return text.replace(/[&<>]/g, (character) => escapes[character] ?? character);
}
