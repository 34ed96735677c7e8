import type { X509Certificate } from "node:crypto";
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { subjectAccessReviewResource } from "../../../api/resources/subjectaccessreview.ts";
import { tokenReviewResource } from "../../../api/resources/tokenreview.ts";
import type { Client } from "../../../client/client.ts";

/** Who asks the node, as its certificate or token says. */
interface NodeUser {
  readonly username: string;
  readonly groups: readonly string[];
}

/** What a request brings. */
export interface NodeCredentials {
  /** Verified against the cluster's client CA by the TLS handshake. */
  readonly certificate: X509Certificate | undefined;
  readonly bearerToken: string | undefined;
}

export type Access =
  | { readonly outcome: "allowed" }
  | { readonly outcome: "unauthorized" }
  | { readonly outcome: "forbidden"; readonly message: string };

/** How long an answer of the API server is believed, in milliseconds: kubelet's webhook defaults. */
const allowedMs = 5 * 60_000;
const deniedMs = 30_000;
const cacheEntriesMax = 1_000;

/**
 * Lets in whom the API server lets in: the node asks it who a token is (TokenReview) and whether they may use
 * `nodes/<subresource>` (SubjectAccessReview), as kubelet's webhook modes do. Nobody is let in anonymously.
 */
export class NodeAccess {
  readonly #client: Client;
  readonly #nodeName: string;
  readonly #users = new LRUCache<string, NodeUser>({ max: cacheEntriesMax, ttl: deniedMs });
  readonly #decisions = new LRUCache<string, boolean>({ max: cacheEntriesMax });

  constructor(client: Client, nodeName: string) {
    this.#client = client;
    this.#nodeName = nodeName;
  }

  async check(
    credentials: NodeCredentials,
    verb: string,
    path: string,
    signal: AbortSignal,
  ): Promise<Access> {
    const user = await this.#userOf(credentials, signal);
    if (user === undefined) return { outcome: "unauthorized" };
    // The API server's own certificate: it has authorised the request before it came here.
    if (user.groups.includes("system:masters")) return { outcome: "allowed" };
    const subresource = subresourceOf(path);
    if (await this.#mayUse(user, verb, subresource, signal)) return { outcome: "allowed" };
    return {
      outcome: "forbidden",
      message: `Forbidden (user=${user.username}, verb=${verb}, resource=nodes, subresource=${subresource})`,
    };
  }

  async #userOf(credentials: NodeCredentials, signal: AbortSignal): Promise<NodeUser | undefined> {
    const { certificate, bearerToken } = credentials;
    if (certificate !== undefined) {
      const subject = certificate.subject.split("\n").map(attributeOf);
      const username = subject.find(([name]) => name === "CN")?.[1];
      const groups = subject.flatMap(([name, value]) =>
        name === "O" && value !== undefined ? [value] : [],
      );
      return username === undefined ? undefined : { username, groups };
    }
    if (bearerToken === undefined) return undefined;
    const key = createHash("sha256").update(bearerToken).digest("base64");
    const known = this.#users.get(key);
    if (known !== undefined) return known;
    const review = await this.#client.create(
      tokenReviewResource,
      {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        metadata: {},
        spec: { token: bearerToken },
      },
      signal,
    );
    const user = review.status.authenticated === true ? review.status.user : undefined;
    if (user?.username === undefined) return undefined;
    const found = { username: user.username, groups: user.groups ?? [] };
    this.#users.set(key, found);
    return found;
  }

  async #mayUse(
    user: NodeUser,
    verb: string,
    subresource: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const key = JSON.stringify([user.username, user.groups, verb, subresource]);
    const known = this.#decisions.get(key);
    if (known !== undefined) return known;
    const review = await this.#client.create(
      subjectAccessReviewResource,
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        metadata: {},
        spec: {
          user: user.username,
          groups: user.groups,
          resourceAttributes: {
            group: "",
            version: "v1",
            resource: "nodes",
            name: this.#nodeName,
            verb,
            subresource,
          },
        },
      },
      signal,
    );
    this.#decisions.set(key, review.status.allowed, {
      ttl: review.status.allowed ? allowedMs : deniedMs,
    });
    return review.status.allowed;
  }
}

/** One line of a certificate's subject: `O=system:masters`. */
function attributeOf(line: string): readonly [string, string | undefined] {
  const equals = line.indexOf("=");
  return equals < 0 ? [line, undefined] : [line.slice(0, equals), line.slice(equals + 1)];
}

/** kubelet's mapping of its paths to subresources of Node. */
function subresourceOf(path: string): string {
  if (path.startsWith("/stats")) return "stats";
  if (path.startsWith("/metrics")) return "metrics";
  if (path.startsWith("/logs")) return "log";
  if (path.startsWith("/checkpoint")) return "checkpoint";
  return "proxy";
}
