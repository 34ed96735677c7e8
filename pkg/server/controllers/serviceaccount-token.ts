import type { Secret, ServiceAccount } from "../../api/generated/core-v1.generated.ts";
import { keyOf, objectKey } from "../../api/object.ts";
import { secretResource } from "../../api/resources/secret.ts";
import { serviceAccountResource } from "../../api/resources/serviceaccount.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped, watchSelf } from "../../client/watches.ts";

const tokenType = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

/** Whose token it is to be, and where it is to lie. */
export interface SecretToken {
  readonly namespace: string;
  readonly secretName: string;
  readonly accountName: string;
  readonly accountUid: string;
}

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

/**
 * What a Secret for a token is to become; undefined where it is right.
 *
 * @package
 */
export function filled(
  secret: Secret,
  account: ServiceAccount,
  rootCa: string,
  issue: (token: SecretToken) => string,
): Secret | undefined {
  const { namespace = "", name, annotations = {} } = secret.metadata;
  const data = { ...secret.data };
  const ca = base64(rootCa);
  const { name: accountName, uid: accountUid } = account.metadata;
  if (data["ca.crt"] === ca && data["namespace"] && data["token"]) {
    if (annotations[uidAnnotation] === accountUid) return undefined;
  }
  data["ca.crt"] = ca;
  data["namespace"] ||= base64(namespace);
  data["token"] ||= base64(issue({ namespace, secretName: name, accountName, accountUid }));
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...annotations, [nameAnnotation]: accountName, [uidAnnotation]: accountUid },
    },
    data,
  };
}

/** Fills the Secrets that ask for an account's token, and removes them with their account. */
export function serviceAccountTokenController(deps: {
  readonly client: Client;
  readonly secrets: Informer<Secret>;
  readonly serviceAccounts: Informer<ServiceAccount>;
  /** PEM of the CA that pods verify the API server by. */
  readonly rootCa: string;
  issueToken(token: SecretToken): string;
}): Controller {
  const { client, secrets, serviceAccounts, rootCa, issueToken } = deps;
  const namesAccount = (secret: Secret, account: string) =>
    secret.type === tokenType && secret.metadata.annotations?.[nameAnnotation] === account;

  /** An account lists only Secrets that are there. */
  async function forget(key: string, signal: AbortSignal): Promise<void> {
    const slash = key.indexOf("/");
    const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)];
    for (const account of serviceAccounts.list(namespace)) {
      const kept = (account.secrets ?? []).filter((reference) => reference.name !== name);
      if (kept.length === (account.secrets ?? []).length) continue;
      await client.update(serviceAccountResource, { ...account, secrets: kept }, signal);
    }
  }

  return {
    name: "serviceaccount-token",
    watches: [
      watchSelf(secrets),
      watchMapped(serviceAccounts, ({ metadata: { namespace = "", name } }) =>
        secrets
          .list(namespace)
          .filter((secret) => namesAccount(secret, name))
          .map(keyOf),
      ),
    ],
    async reconcile(key, signal) {
      const secret = secrets.get(key);
      if (secret === undefined) {
        await forget(key, signal);
        return undefined;
      }
      if (secret.type !== tokenType || secret.metadata.deletionTimestamp !== undefined) {
        return undefined;
      }
      const { namespace, annotations = {}, uid, resourceVersion } = secret.metadata;
      const account = serviceAccounts.get(objectKey(namespace, annotations[nameAnnotation] ?? ""));
      const meant = annotations[uidAnnotation] ?? "";
      if (account === undefined || (meant !== "" && meant !== account.metadata.uid)) {
        const preconditions = { uid, resourceVersion };
        await client.delete(secretResource, key, signal, { preconditions });
        return undefined;
      }
      const next = filled(secret, account, rootCa, issueToken);
      if (next !== undefined) await client.update(secretResource, next, signal);
      return undefined;
    },
  };
}
