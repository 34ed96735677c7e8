import { type KeyObject, randomUUID } from "node:crypto";
import { ApiError } from "../../../api/api-error.ts";
import { invalid } from "../../../api/field-error.ts";
import type {
  BoundObjectReference,
  TokenRequest,
  TokenRequestSpec,
} from "../../../api/generated/authentication-v1.generated.ts";
import type { ServiceAccount } from "../../../api/generated/core-v1.generated.ts";
import type { KubernetesObject, TemplateMeta } from "../../../api/object.ts";
import type { FieldError, ResourceDefinition } from "../../../api/resource.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { secretResource } from "../../../api/resources/secret.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import { formatTime } from "../../../api/time.ts";
import type { Clock } from "../../../base/clock.ts";
import type { ObjectReader } from "../admission/admission.ts";
import { serviceAccountUsername } from "./service-account-authenticator.ts";
import { type BoundObject, signToken } from "./service-account-token.ts";

export interface TokenIssuerDeps {
  readonly issuer: string;
  readonly privateKey: KeyObject;
  /** The API's own audiences: what a request that names none asks for. */
  readonly audiences: readonly string[];
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

const defaultExpirationSeconds = 3_600;
const minExpirationSeconds = 600;
const maxExpirationSeconds = 2 ** 32;
/** Exactly what the automatic volume asks for: old clients that never read their token again get a year. */
const extendedFromSeconds = 3_607;
const extendedToSeconds = 365 * 24 * 3_600;

/** Answers a create of `serviceaccounts/<name>/token`. `request` is decoded; only its spec counts. */
export type TokenIssuer = (
  namespace: string,
  name: string,
  request: { readonly spec: TokenRequestSpec; readonly metadata?: TemplateMeta },
) => TokenRequest;

export function createTokenIssuer(deps: TokenIssuerDeps): TokenIssuer {
  return (namespace, name, request) => {
    checkPlace(namespace, name, request.metadata);
    const account = deps.reader.get(serviceAccountResource, namespace, name);
    if (account === undefined) throw ApiError.notFound(serviceAccountResource, name);
    const { uid } = account.metadata;
    const meant = request.metadata?.uid ?? "";
    if (meant !== "" && meant !== uid) {
      throw ApiError.conflict(
        { group: tokenRequestKind.group, plural: tokenRequestKind.kind },
        name,
        `the UID in the token request (${meant}) does not match the UID of the service account (${uid})`,
      );
    }
    const { boundObjectRef } = request.spec;
    const spec = {
      audiences: request.spec.audiences?.length ? request.spec.audiences : deps.audiences,
      expirationSeconds: request.spec.expirationSeconds ?? defaultExpirationSeconds,
      ...(boundObjectRef === undefined ? {} : { boundObjectRef }),
    };
    const errors = validateExpiration(spec.expirationSeconds);
    if (errors.length > 0) throw ApiError.invalid(tokenRequestKind, "", errors);
    const bound = boundObjectRef === undefined ? {} : findBound(deps, account, boundObjectRef);
    const nowSeconds = Math.floor(deps.clock.now() / 1000);
    const isExtended =
      bound.pod !== undefined &&
      spec.expirationSeconds === extendedFromSeconds &&
      sameAudiences(spec.audiences, deps.audiences);
    const lifetime = isExtended ? extendedToSeconds : spec.expirationSeconds;
    const token = signToken(
      {
        aud: spec.audiences,
        exp: nowSeconds + lifetime,
        iat: nowSeconds,
        iss: deps.issuer,
        jti: randomUUID(),
        "kubernetes.io": {
          namespace,
          ...(bound.node === undefined ? {} : { node: bound.node }),
          ...(bound.pod === undefined ? {} : { pod: bound.pod }),
          ...(bound.secret === undefined ? {} : { secret: bound.secret }),
          serviceaccount: { name, uid: account.metadata.uid },
          ...(isExtended ? { warnafter: nowSeconds + spec.expirationSeconds } : {}),
        },
        nbf: nowSeconds,
        sub: serviceAccountUsername(namespace, name),
      },
      deps.privateKey,
    );
    const createdAt = formatTime(deps.clock.now());
    return {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      // The answer is not stored, so it has no version; its uid is the account's.
      metadata: { name, namespace, uid, creationTimestamp: createdAt } as TokenRequest["metadata"],
      spec,
      status: {
        token,
        expirationTimestamp: formatTime((nowSeconds + spec.expirationSeconds) * 1000),
      },
    };
  };
}

const tokenRequestKind = { group: "authentication.k8s.io", kind: "TokenRequest" };

/** What is said of the account in the body is what the URL says. */
function checkPlace(namespace: string, name: string, meta: TemplateMeta = {}): void {
  const wrong = (field: "name" | "namespace", value: string) => {
    const detail = `must match the service account ${field} if specified`;
    return ApiError.invalid(tokenRequestKind, name, [invalid(`metadata.${field}`, value, detail)]);
  };
  if (meta.name && meta.name !== name) throw wrong("name", meta.name);
  if (meta.namespace && meta.namespace !== namespace) throw wrong("namespace", meta.namespace);
}

function validateExpiration(seconds: number): readonly FieldError[] {
  const path = "spec.expirationSeconds";
  if (seconds < minExpirationSeconds) {
    return [invalid(path, seconds, "may not specify a duration less than 10 minutes")];
  }
  if (seconds > maxExpirationSeconds) {
    return [invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")];
  }
  return [];
}

function sameAudiences(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((audience) => right.includes(audience));
}

interface Bound {
  readonly pod?: BoundObject;
  readonly secret?: BoundObject;
  readonly node?: BoundObject;
}

function findBound(
  deps: TokenIssuerDeps,
  account: ServiceAccount,
  reference: BoundObjectReference,
): Bound {
  const { namespace = "", name: accountName } = account.metadata;
  const name = reference.name ?? "";
  const find = <T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    within: string | undefined,
  ): T => {
    const object = deps.reader.get(resource, within, name);
    if (object === undefined) throw ApiError.notFound(resource, name);
    if (reference.uid !== undefined && reference.uid !== "") {
      if (reference.uid !== object.metadata.uid) {
        throw ApiError.conflict(
          { group: resource.group, plural: resource.kind },
          name,
          `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
        );
      }
    }
    return object;
  };
  switch (`${reference.apiVersion ?? ""} ${reference.kind ?? ""}`) {
    case "v1 Pod": {
      const pod = find(podResource, namespace);
      if (pod.spec?.serviceAccountName !== accountName) {
        throw ApiError.badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(accountName)} to pod running with different serviceaccount name.`,
        );
      }
      const nodeName = pod.spec.nodeName ?? "";
      const node = nodeName === "" ? undefined : deps.reader.get(nodeResource, undefined, nodeName);
      return {
        pod: { name, uid: pod.metadata.uid },
        ...(node === undefined ? {} : { node: { name: nodeName, uid: node.metadata.uid } }),
      };
    }
    case "v1 Secret":
      return { secret: { name, uid: find(secretResource, namespace).metadata.uid } };
    case "v1 Node":
      return { node: { name, uid: find(nodeResource, undefined).metadata.uid } };
    default: {
      const [group, version] = splitApiVersion(reference.apiVersion ?? "");
      throw ApiError.badRequest(
        `cannot bind token to object of type ${group}/${version}, Kind=${reference.kind ?? ""}`,
      );
    }
  }
}

function splitApiVersion(apiVersion: string): readonly [string, string] {
  const slash = apiVersion.indexOf("/");
  if (slash === -1) return ["", apiVersion];
  return [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}
