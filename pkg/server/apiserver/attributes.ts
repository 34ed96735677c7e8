import { type FieldSelector, parseFieldSelector } from "../../api/fields.ts";
import type { RequestAttributes } from "./authz/authorizer.ts";
import type { Exchange } from "./exchange.ts";

/** What an authorizer is asked about a request. */
export function attributesOf(exchange: Exchange): RequestAttributes {
  const { info, user, query } = exchange;
  if (info.type === "path") return { type: "path", user, verb: info.verb, path: info.path };
  const { verb, group, version, resource, subresource, namespace, name } = info;
  const selector = selecting.has(verb) ? (query.get("fieldSelector") ?? "") : "";
  const fieldSelector = selector === "" ? undefined : readable(selector);
  return {
    type: "resource",
    user,
    verb,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

const selecting: ReadonlySet<string> = new Set(["list", "watch", "deletecollection"]);

/** Whoever may make the request without it is told later what is wrong with it. */
function readable(selector: string): FieldSelector | undefined {
  try {
    return parseFieldSelector(selector);
  } catch {
    return undefined;
  }
}
