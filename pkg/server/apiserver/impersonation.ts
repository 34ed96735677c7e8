import { ApiError } from "../../api/api-error.ts";
import type { UserInfo } from "./authn/authenticator.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { forbiddenError } from "./authz/forbidden.ts";
import type { Incoming } from "./exchange.ts";

const extraPrefix = "impersonate-extra-";
const serviceAccountPrefix = "system:serviceaccount:";

/** Who the request is to be made as: the user itself where it asks for no other. Forbidden where it may not. */
export function impersonatedUser(
  headers: Incoming["headers"],
  user: UserInfo,
  authorizer: Authorizer,
): UserInfo {
  if (!asks(headers)) return user;
  const username = valuesOf(headers, "impersonate-user")[0] ?? "";
  const groups = valuesOf(headers, "impersonate-group");
  const uid = valuesOf(headers, "impersonate-uid")[0] ?? "";
  const extra = extraOf(headers);
  if (username === "") {
    throw new ApiError(
      "InternalError",
      "Internal error occurred: requested impersonation without specifying a user name",
    );
  }

  const mayBe = (
    group: string,
    resource: string,
    name: string,
    namespace = "",
    subresource = "",
  ) => {
    const attributes = {
      type: "resource",
      user,
      verb: "impersonate",
      group,
      version: "v1",
      resource,
      subresource,
      namespace,
      name,
    } as const;
    const decision = authorizer.authorize(attributes);
    if (!decision.allowed) throw forbiddenError(attributes, decision);
  };
  const account = serviceAccountOf(username);
  if (account === undefined) mayBe("", "users", username);
  else mayBe("", "serviceaccounts", account.name, account.namespace);
  for (const group of groups) mayBe("", "groups", group);
  if (uid !== "") mayBe("authentication.k8s.io", "uids", uid);
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) mayBe("authentication.k8s.io", "userextras", value, "", key);
  }
  return {
    username,
    groups: groupsOf(username, groups, account?.namespace),
    ...(uid === "" ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Hardly any request asks for it. One that asks for a part only is refused: it does not mean itself. */
function asks(headers: Incoming["headers"]): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

function groupsOf(
  username: string,
  asked: readonly string[],
  namespace: string | undefined,
): readonly string[] {
  const groups =
    asked.length > 0 || namespace === undefined
      ? [...asked]
      : ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  const own = username === "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
  const settled =
    groups.includes("system:authenticated") || groups.includes("system:unauthenticated");
  return settled ? groups : [...groups, own];
}

function serviceAccountOf(
  username: string,
): { readonly namespace: string; readonly name: string } | undefined {
  if (!username.startsWith(serviceAccountPrefix)) return undefined;
  const [namespace = "", name = "", ...more] = username
    .slice(serviceAccountPrefix.length)
    .split(":");
  return namespace === "" || name === "" || more.length > 0 ? undefined : { namespace, name };
}

function extraOf(headers: Incoming["headers"]): Readonly<Record<string, readonly string[]>> {
  const extra: Record<string, readonly string[]> = {};
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    extra[decodeKey(header.slice(extraPrefix.length))] = valuesOf(headers, header);
  }
  return extra;
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** Node joins a repeated header with ", "; no name that may be impersonated holds that. */
function valuesOf(headers: Incoming["headers"], name: string): readonly string[] {
  const value = headers[name];
  if (value === undefined) return [];
  return typeof value === "string" ? value.split(", ") : value;
}
