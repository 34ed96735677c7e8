import { createPublicKey, type KeyObject } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { AdmissionPlugin, ObjectReader } from "./apiserver/admission/admission.ts";
import type { AdmissionConfiguration } from "./apiserver/admission/admission-configuration.ts";
import { createAdmissionChain } from "./apiserver/admission/chain.ts";
import { createHubObjectReader } from "./apiserver/admission/hub-object-reader.ts";
import { createQuotaUsedWriter } from "./apiserver/admission/quota/quota-used-writer.ts";
import { parseAddressRange } from "./apiserver/allocate/address-range.ts";
import { createServiceAllocation } from "./apiserver/allocate/service-allocation.ts";
import type { Authenticator, UserInfo } from "./apiserver/authn/authenticator.ts";
import {
  createBearerTokenAuthenticator,
  createWebSocketAuthenticator,
} from "./apiserver/authn/bearer-token.ts";
import { createBootstrapTokenAuthenticator } from "./apiserver/authn/bootstrap-token-authenticator.ts";
import { createAuthenticator } from "./apiserver/authn/chain.ts";
import { createLegacyTokenAuthenticator } from "./apiserver/authn/legacy-token-authenticator.ts";
import { openidPaths } from "./apiserver/authn/openid-paths.ts";
import { createRequestHeaderAuthenticator } from "./apiserver/authn/request-header.ts";
import { createTokenAuthenticator } from "./apiserver/authn/service-account-authenticator.ts";
import { anyToken } from "./apiserver/authn/token-authenticator.ts";
import { createTokenFileAuthenticator } from "./apiserver/authn/token-file.ts";
import { createTokenIssuer, type TokenIssuer } from "./apiserver/authn/token-request.ts";
import {
  createCertificateAuthenticator,
  createCertificateAuthority,
} from "./apiserver/authn/x509-authenticator.ts";
import type { Authorizer } from "./apiserver/authz/authorizer.ts";
import { createAuthorizerChain } from "./apiserver/authz/chain.ts";
import { createNodeAuthorizer } from "./apiserver/authz/node-authorizer.ts";
import { createNodeGraph } from "./apiserver/authz/node-graph.ts";
import { createObjectFeed } from "./apiserver/authz/object-feed.ts";
import { createRbacAuthorizer } from "./apiserver/authz/rbac-authorizer.ts";
import { createRbacPolicy } from "./apiserver/authz/rbac-policy.ts";
import { componentStatuses } from "./apiserver/component-statuses.ts";
import type { Hub } from "./apiserver/hub.ts";
import type { PathHandler } from "./apiserver/path-handler.ts";
import type { ResourceTable } from "./apiserver/resource-table.ts";
import { createReviews } from "./apiserver/reviews/reviews.ts";
import type { VirtualResource } from "./apiserver/virtual-resource.ts";
import { nodeRules } from "./bootstrap/cluster-roles.ts";

export interface AccessOptions {
  readonly resources: ResourceTable;
  readonly hub: Hub;
  readonly clock: Clock;
  /** Signs ServiceAccount tokens. */
  readonly serviceAccountKey: KeyObject;
  /** PEM: who vouches for clients. */
  readonly clientAuthorities: string;
  /** PEM: who vouches for front proxies, who say for whom they ask. */
  readonly frontProxyAuthorities: string;
  /** Default: nobody has a token of that kind. */
  readonly tokenFileUsers?: ReadonlyMap<string, UserInfo>;
  /** Whether who brings no credentials may ask; default true. What they may do is up to roles. */
  readonly allowsAnonymous?: boolean;
  /** Default: as upstream without a file. */
  readonly admission?: AdmissionConfiguration;
  /** See `LegacyTokenDeps.noteUse`. */
  noteLegacyTokenUse(namespace: string, secretName: string, date: string): void;
  /** `--cluster-domain` */
  readonly clusterDomain: string;
  /** `--service-cidr` */
  readonly serviceCidr: string;
  /** `--service-node-port-range`, both ends included. */
  readonly nodePorts: { readonly first: number; readonly last: number };
}

/** Who asks, whether they may, and what becomes of what they write: all that an API server asks of others. */
export interface Access {
  readonly reader: ObjectReader;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly admission: readonly AdmissionPlugin[];
  readonly issueToken: TokenIssuer;
  readonly virtualResources: readonly VirtualResource[];
  /** The issuer's discovery documents. */
  readonly paths: readonly PathHandler[];
}

/** Wires authentication, authorization and admission to one hub. */
export function createAccess(options: AccessOptions): Access {
  const { hub, clock, serviceAccountKey } = options;
  const reader = createHubObjectReader(hub);
  const feed = createObjectFeed(hub);
  const policy = createRbacPolicy(reader, feed);
  const authorizer = createAuthorizerChain([
    createNodeAuthorizer(nodeRules, createNodeGraph(feed, reader)),
    createRbacAuthorizer(policy),
  ]);
  const issuer = `https://kubernetes.default.svc.${options.clusterDomain}`;
  const publicKeys = [createPublicKey(serviceAccountKey)];
  const audiences = [issuer, "mini8s"];
  const token = anyToken([
    ...(options.tokenFileUsers === undefined
      ? []
      : [createTokenFileAuthenticator(options.tokenFileUsers, audiences)]),
    createTokenAuthenticator({ issuer, publicKeys, audiences, reader, clock }),
    createLegacyTokenAuthenticator({
      publicKeys,
      audiences,
      reader,
      clock,
      noteUse: options.noteLegacyTokenUse,
    }),
    createBootstrapTokenAuthenticator({ audiences, reader, clock }),
  ]);
  return {
    reader,
    authorizer,
    authenticator: createAuthenticator({
      authenticators: [
        createRequestHeaderAuthenticator(
          createCertificateAuthority(options.frontProxyAuthorities, clock),
        ),
        createCertificateAuthenticator(
          createCertificateAuthority(options.clientAuthorities, clock),
        ),
        createBearerTokenAuthenticator(token),
        createWebSocketAuthenticator(token),
      ],
      allowsAnonymous: options.allowsAnonymous ?? true,
    }),
    admission: createAdmissionChain({
      reader,
      clock,
      authorizer,
      policy,
      resourceOfKind: (apiVersion, kind) => options.resources.ofKind(apiVersion, kind),
      storedResources: () => options.resources.stored,
      writeQuotaUsed: createQuotaUsedWriter(hub, clock),
      configuration: options.admission ?? {},
      serviceAllocation: createServiceAllocation({
        feed,
        clock,
        addresses: parseAddressRange(options.serviceCidr),
        nodePorts: options.nodePorts,
      }),
    }),
    issueToken: createTokenIssuer({
      issuer,
      privateKey: serviceAccountKey,
      audiences,
      reader,
      clock,
    }),
    virtualResources: [
      ...createReviews({ authorizer, policy, authenticateToken: token, clock }),
      componentStatuses,
    ],
    paths: openidPaths({ issuer, publicKeys }),
  };
}
