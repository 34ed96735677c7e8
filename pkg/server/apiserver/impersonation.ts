import type { IncomingHttpHeaders } from "node:http";
import { LRUCache } from "lru-cache";
import { ApiError } from "../../api/api-error.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../../api/names.ts";
import type { UserInfo } from "./authn/authenticator.ts";
import { allHeaderValues, headerKey, headerNamesWith } from "./authn/header-values.ts";
import { serviceAccountGroups } from "./authn/service-account-authenticator.ts";
import { authenticatedUser } from "./authn/token-authenticator.ts";
import type { Authorizer, RequestAttributes } from "./authz/authorizer.ts";
import { forbiddenError } from "./authz/forbidden.ts";

/** Who a request is to be made as, as its headers say it. */
interface Wanted {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Says who the request is to be made as: the user itself where it asks for no other. Forbidden where it may not. */
export type Impersonation = (
  headers: IncomingHttpHeaders,
  user: UserInfo,
  /** What is asked, by `user`. */
  attributes: () => RequestAttributes,
) => UserInfo;

/** How each user last came to be another is remembered for this many, so that it is tried first. */
const rememberedUsersMax = 10_000;

/**
 * One may be allowed to be another altogether (`impersonate`), or only in one of the constrained ways: what for is
 * then authorized, too (`impersonate-on:<mode>:<verb>`), and `system:masters` is nobody's to be.
 */
export function createImpersonation(authorizer: Authorizer): Impersonation {
  const remembered = new LRUCache<string, Mode>({ max: rememberedUsersMax });
  return (headers, user, attributes) => {
    if (!asks(headers)) return user;
    const wanted = wantedOf(headers);
    if (wanted === undefined) return user;
    const asked = attributes();
    const first = remembered.get(user.username);
    const rest = modes.filter((mode) => mode !== first);
    let refusal: unknown;
    for (const mode of first === undefined ? rest : [first, ...rest]) {
      if (!mode.applies(wanted, user)) continue;
      try {
        const become = impersonate(authorizer, mode, wanted, user, asked);
        remembered.set(user.username, mode);
        return become;
      } catch (caught) {
        refusal ??= caught;
      }
    }
    throw refusal;
  };
}

/** Hardly any request asks for it. */
function asks(headers: IncomingHttpHeaders): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

const extraPrefix = "impersonate-extra-";

function wantedOf(headers: IncomingHttpHeaders): Wanted | undefined {
  const groups = allHeaderValues(headers, "impersonate-group");
  const wanted: Wanted = {
    username: allHeaderValues(headers, "impersonate-user")[0] ?? "",
    uid: allHeaderValues(headers, "impersonate-uid")[0] ?? "",
    groups,
    extra: Object.fromEntries(
      headerNamesWith(headers, extraPrefix).map((name) => [
        headerKey(name, extraPrefix),
        allHeaderValues(headers, name),
      ]),
    ),
  };
  if (wanted.username !== "") return wanted;
  if (wanted.uid === "" && groups.length === 0 && Object.keys(wanted.extra).length === 0) {
    return undefined;
  }
  throw ApiError.badRequest(`requested ${goPrint(wanted)} without impersonating a user name`);
}

/** As Go prints the value that it is upstream. */
function goPrint({ username, uid, groups, extra }: Wanted): string {
  const quote = (text: string) => JSON.stringify(text);
  const list = (values: readonly string[]) => `[]string{${values.map(quote).join(", ")}}`;
  const keys = Object.keys(extra).sort();
  const map = keys.map((key) => `${quote(key)}:${list(extra[key] ?? []).replace("[]string", "")}`);
  return (
    `&user.DefaultInfo{Name:${quote(username)}, UID:${quote(uid)}, ` +
    `Groups:${groups.length === 0 ? "[]string(nil)" : list(groups)}, ` +
    `Extra:map[string][]string${keys.length === 0 ? "(nil)" : `{${map.join(", ")}}`}}`
  );
}

// ---- the ways of being another -------------------------------------------------

interface Mode {
  /** Undefined: everything at once, as it always was. */
  readonly name: string | undefined;
  applies(wanted: Wanted, user: UserInfo): boolean;
}

const nodeNameExtra = "authentication.kubernetes.io/node-name";

/** In the order in which they are tried. */
const modes: readonly Mode[] = [
  {
    // A pod's account may be the node that the pod runs on.
    name: "associated-node",
    applies(wanted, user) {
      const node = nodeOf(wanted.username);
      const own = user.extra?.[nodeNameExtra] ?? [];
      return (
        isNameAlone(wanted) &&
        node !== undefined &&
        accountOf(user.username) !== undefined &&
        own.length === 1 &&
        own[0] === node
      );
    },
  },
  {
    name: "arbitrary-node",
    applies: (wanted) => isNameAlone(wanted) && nodeOf(wanted.username) !== undefined,
  },
  {
    name: "serviceaccount",
    applies: (wanted) => isNameAlone(wanted) && accountOf(wanted.username) !== undefined,
  },
  {
    name: "user-info",
    applies: ({ username }) => nodeOf(username) === undefined && accountOf(username) === undefined,
  },
  { name: undefined, applies: () => true },
];

function isNameAlone({ uid, groups, extra }: Wanted): boolean {
  return uid === "" && groups.length === 0 && Object.keys(extra).length === 0;
}

function nodeOf(username: string): string | undefined {
  const prefix = "system:node:";
  if (!username.startsWith(prefix)) return undefined;
  const name = username.slice(prefix.length);
  return checkDnsSubdomain(name).length === 0 ? name : undefined;
}

function accountOf(
  username: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const [system, kind, namespace = "", name = "", ...more] = username.split(":");
  if (system !== "system" || kind !== "serviceaccount" || more.length > 0) return undefined;
  if (checkDnsLabel(namespace).length > 0 || checkDnsSubdomain(name).length > 0) return undefined;
  return { namespace, name };
}

type ResourceAttributes = Extract<RequestAttributes, { readonly type: "resource" }>;

/** Throws what the client is told where it may not. */
function impersonate(
  authorizer: Authorizer,
  mode: Mode,
  wanted: Wanted,
  user: UserInfo,
  asked: RequestAttributes,
): UserInfo {
  const isConstrained = mode.name !== undefined;
  // Which node it is, and which account's pod, is known already: what is allowed is to be one's own node.
  const isOwnNode = mode.name === "associated-node";
  const requester = isOwnNode ? { ...user, extra: associatedExtra(user) } : user;
  const authentication = "authentication.k8s.io";
  const base: ResourceAttributes = {
    type: "resource",
    user: requester,
    verb: isConstrained ? `impersonate:${mode.name}` : "impersonate",
    group: isConstrained ? authentication : "",
    version: "v1",
    resource: "",
    subresource: "",
    namespace: "",
    name: "",
  };
  const require = (attributes: RequestAttributes): void => {
    const decision = authorizer.authorize(attributes);
    if (!decision.allowed) throw forbiddenError(attributes, decision);
  };
  if (isConstrained) {
    require({ ...asked, user: requester, verb: `impersonate-on:${mode.name}:${asked.verb}` });
  }
  const { username, uid, groups, extra } = wanted;
  const account = accountOf(username);
  const node = isConstrained ? nodeOf(username) : undefined;
  if (account !== undefined) require({ ...base, resource: "serviceaccounts", ...account });
  else if (node !== undefined) {
    require({ ...base, resource: "nodes", name: isOwnNode ? "*" : node });
  } else require({ ...base, resource: "users", name: username });
  if (uid !== "") require({ ...base, group: authentication, resource: "uids", name: uid });
  requireGroups(require, base, groups, isConstrained);
  requireExtra(
    require,
    { ...base, group: authentication, resource: "userextras" },
    extra,
    isConstrained,
  );
  const become = {
    username,
    groups: groupsOf(groups, account?.namespace, node),
    ...(uid === "" ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
  return withOwnGroup(become);
}

function associatedExtra({ extra = {} }: UserInfo): UserInfo["extra"] & object {
  return { "authentication.kubernetes.io/associated-node-keys": Object.keys(extra).sort() };
}

/** From so many on, it is first asked whether all of them are allowed. */
const manyChecks = 4;

type Require = (attributes: RequestAttributes) => void;

function requireGroups(
  require: Require,
  base: ResourceAttributes,
  groups: readonly string[],
  isConstrained: boolean,
): void {
  const attributes = { ...base, resource: "groups" };
  if (isConstrained) {
    if (groups.includes("")) {
      throw refusal(attributes, "impersonating the empty string group is not allowed");
    }
    if (groups.includes("system:masters")) {
      const named = { ...attributes, name: "system:masters" };
      throw refusal(named, "impersonating the system:masters group is not allowed");
    }
    if (groups.length >= manyChecks && allows(require, { ...attributes, name: "*" })) return;
  }
  for (const name of groups) require({ ...attributes, name });
}

function requireExtra(
  require: Require,
  attributes: ResourceAttributes,
  extra: Wanted["extra"],
  isConstrained: boolean,
): void {
  const pairs = Object.entries(extra).flatMap(([subresource, values]) =>
    values.map((name) => ({ subresource, name })),
  );
  if (isConstrained) {
    const problem = extraProblem(extra);
    if (problem !== undefined) throw refusal(attributes, problem);
    const isLarge = pairs.length >= manyChecks || Object.keys(extra).length >= manyChecks;
    if (isLarge && allows(require, { ...attributes, subresource: "*", name: "*" })) return;
  }
  for (const pair of pairs) require({ ...attributes, ...pair });
}

function allows(require: Require, attributes: RequestAttributes): boolean {
  try {
    require(attributes);
    return true;
  } catch {
    return false;
  }
}

function refusal(attributes: RequestAttributes, reason: string): ApiError {
  return forbiddenError(attributes, { allowed: false, reason });
}

function extraProblem(extra: Wanted["extra"]): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === "") return "impersonating the empty string key in extra is not allowed";
    const [host = "", ...path] = key.split("/");
    if (host === "" || path.join("/") === "") {
      return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`;
    }
    const [problem] = checkDnsSubdomain(host);
    if (problem !== undefined) {
      return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${JSON.stringify(host)}: ${problem}`;
    }
    if (values.includes("")) {
      return "impersonating the empty string value in extra is not allowed";
    }
  }
  return undefined;
}

function groupsOf(
  asked: readonly string[],
  namespace: string | undefined,
  node: string | undefined,
): readonly string[] {
  if (node !== undefined) return ["system:nodes"];
  return asked.length === 0 && namespace !== undefined ? serviceAccountGroups(namespace) : asked;
}

function withOwnGroup(user: UserInfo): UserInfo {
  if (user.username !== "system:anonymous") return authenticatedUser(user);
  const own = "system:unauthenticated";
  return user.groups.includes(own) ? user : { ...user, groups: [...user.groups, own] };
}
