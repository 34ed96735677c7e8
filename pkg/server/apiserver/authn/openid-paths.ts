import type { KeyObject } from "node:crypto";
import type { PathHandler } from "../path-handler.ts";
import { reply } from "../reply.ts";
import { jsonWebKeySet, openidConfiguration } from "./service-account-token.ts";

export interface OpenidOptions {
  readonly issuer: string;
  readonly publicKeys: readonly KeyObject[];
}

/** By these, others verify ServiceAccount tokens without asking the API of each. */
export function openidPaths({ issuer, publicKeys }: OpenidOptions): readonly PathHandler[] {
  const keysPath = "/openid/v1/jwks";
  const configuration = openidConfiguration(issuer, `${issuer}${keysPath}`, publicKeys);
  return [
    {
      path: "/.well-known/openid-configuration",
      handle: (exchange) => reply(exchange, 200, "application/json", JSON.stringify(configuration)),
    },
    {
      path: keysPath,
      handle: (exchange) =>
        reply(exchange, 200, "application/jwk-set+json", JSON.stringify(jsonWebKeySet(publicKeys))),
    },
  ];
}
