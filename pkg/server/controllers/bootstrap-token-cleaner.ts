import type { Secret } from "../../api/generated/core-v1.generated.ts";
import { secretResource } from "../../api/resources/secret.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped } from "../../client/watches.ts";

const tokenType = "bootstrap.kubernetes.io/token";
/** Longer sleeps are taken in pieces. */
const lookAgainMs = 24 * 3_600_000;

/** Removes the Secrets of bootstrap tokens whose time is over. */
export function bootstrapTokenCleaner(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly secrets: Informer<Secret>;
}): Controller {
  const { client, clock, secrets } = deps;
  return {
    name: "token-cleaner",
    watches: [
      watchMapped(secrets, ({ type, metadata: { namespace, name } }) =>
        type === tokenType && namespace === "kube-system" ? [`${namespace}/${name}`] : [],
      ),
    ],
    async reconcile(key, signal) {
      const secret = secrets.get(key);
      const expiration = secret?.data?.["expiration"];
      if (secret === undefined || expiration === undefined) return undefined;
      // What cannot be read has ended: the API does not take such a token either.
      const endMs = Date.parse(Buffer.from(expiration, "base64").toString("utf8"));
      const leftMs = Number.isNaN(endMs) ? 0 : endMs - clock.now();
      if (leftMs > 0) return { requeueAfterMs: Math.min(leftMs, lookAgainMs) };
      const { uid, resourceVersion } = secret.metadata;
      await client.delete(secretResource, key, signal, { preconditions: { uid, resourceVersion } });
      return undefined;
    },
  };
}
