import type { RequestAttributes } from "./authz/authorizer.ts";
import type { Exchange } from "./exchange.ts";

/** What an authorizer is asked about a request. */
export function attributesOf(exchange: Exchange): RequestAttributes {
  const { info, user } = exchange;
  if (info.type === "path") return { type: "path", user, verb: info.verb, path: info.path };
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return { type: "resource", user, verb, group, version, resource, subresource, namespace, name };
}
