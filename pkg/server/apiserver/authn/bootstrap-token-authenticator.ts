import { timingSafeEqual } from "node:crypto";
import { secretResource } from "../../../api/resources/secret.ts";
import type { Clock } from "../../../base/clock.ts";
import type { ObjectReader } from "../admission/admission.ts";
import { forAudiences, type TokenAuthenticator } from "./token-authenticator.ts";

export interface BootstrapTokenDeps {
  /** Audiences of the API itself. */
  readonly audiences: readonly string[];
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const secretType = "bootstrap.kubernetes.io/token";

/** Tokens by which new nodes introduce themselves: `<id>.<secret>`, each a Secret `bootstrap-token-<id>` of kube-system. */
export function createBootstrapTokenAuthenticator(deps: BootstrapTokenDeps): TokenAuthenticator {
  return forAudiences(deps.audiences, (token) => {
    const [, id, secret] = tokenPattern.exec(token) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const kept = deps.reader.get(secretResource, "kube-system", `bootstrap-token-${id}`);
    if (kept === undefined || kept.metadata.deletionTimestamp !== undefined) return undefined;
    const text = (key: string) => Buffer.from(kept.data?.[key] ?? "", "base64").toString("utf8");
    if (kept.type !== secretType || text("token-id") !== id) return undefined;
    const expected = Buffer.from(text("token-secret"));
    const sent = Buffer.from(secret);
    if (expected.length !== sent.length || !timingSafeEqual(expected, sent)) return undefined;
    if (hasEnded(text("expiration"), deps.clock.now())) return undefined;
    if (text("usage-bootstrap-authentication") !== "true") return undefined;
    const extra = text("auth-extra-groups");
    const groups = extra === "" ? [] : extra.split(",");
    if (!groups.every((group) => groupPattern.test(group))) return undefined;
    return {
      username: `system:bootstrap:${id}`,
      groups: [...new Set(["system:bootstrappers", ...groups])].sort(),
    };
  });
}

/** What cannot be read has ended. */
function hasEnded(expiration: string, nowMs: number): boolean {
  return expiration !== "" && !(Date.parse(expiration) > nowMs);
}
