import type { Pod } from "../../api/generated/core-v1.generated.ts";
import { objectKey } from "../../api/object.ts";
import { serviceAccountResource } from "../../api/resources/serviceaccount.ts";
import { parseTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";

interface PodToken {
  readonly token: string;
  readonly renewAtMs: number;
}

/** Tokens of pods' service accounts, bound to their pods, each asked for once until it is time to renew it. */
export interface ServiceAccountTokens {
  get(
    pod: Pod,
    audience: string | undefined,
    expirationSeconds: number,
    signal: AbortSignal,
  ): Promise<PodToken>;
  forget(podUid: string): void;
}

/** As upstream: renewed after 80 % of its life, or after a day. */
const renewAfterShare = 0.8;
const renewAfterMsMax = 24 * 3_600_000;

export function createServiceAccountTokens(
  client: Pick<Client, "createSubresource">,
  clock: Clock,
): ServiceAccountTokens {
  const tokens = new Map<string, PodToken>();
  return {
    async get(pod, audience, expirationSeconds, signal) {
      const key = `${pod.metadata.uid}/${expirationSeconds}/${audience ?? ""}`;
      const known = tokens.get(key);
      if (known !== undefined && known.renewAtMs > clock.now()) return known;
      const account = objectKey(pod.metadata.namespace, pod.spec.serviceAccountName ?? "default");
      const answer = await client.createSubresource(
        serviceAccountResource,
        account,
        "token",
        {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          metadata: {},
          spec: {
            audiences: audience === undefined || audience === "" ? [] : [audience],
            expirationSeconds,
            boundObjectRef: {
              apiVersion: "v1",
              kind: "Pod",
              name: pod.metadata.name,
              uid: pod.metadata.uid,
            },
          },
        },
        signal,
      );
      const { token, expirationTimestamp } = statusOf(answer);
      const now = clock.now();
      const lifeMs = (parseTime(expirationTimestamp) ?? now + expirationSeconds * 1000) - now;
      const fresh = { token, renewAtMs: now + Math.min(lifeMs * renewAfterShare, renewAfterMsMax) };
      tokens.set(key, fresh);
      return fresh;
    },
    forget(podUid) {
      for (const key of tokens.keys()) if (key.startsWith(`${podUid}/`)) tokens.delete(key);
    },
  };
}

function statusOf(answer: unknown): { token: string; expirationTimestamp: string | undefined } {
  const status: unknown =
    typeof answer === "object" && answer !== null && "status" in answer ? answer.status : undefined;
  if (typeof status === "object" && status !== null && "token" in status) {
    const { token } = status;
    const expires = "expirationTimestamp" in status ? status.expirationTimestamp : undefined;
    if (typeof token === "string")
      return { token, expirationTimestamp: typeof expires === "string" ? expires : undefined };
  }
  throw new Error("the server answered a TokenRequest without a token");
}
