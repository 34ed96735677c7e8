import type { CertificateSigningRequest } from "../../api/generated/certificates-v1.generated.ts";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { parseIp } from "../../api/ip-address.ts";
import { keyOf } from "../../api/object.ts";
import { certificateSigningRequestResource } from "../../api/resources/certificatesigningrequest.ts";
import { subjectAccessReviewResource } from "../../api/resources/subjectaccessreview.ts";
import {
  isJudged,
  kubeletClientProblem,
  kubeletServingProblem,
  requestOf,
  signerNames,
} from "../../api/shared/kubelet-request.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { CertificateRequest } from "../../base/x509/certificate-request.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

/** Whom a request must be allowed, and what is said of it then. */
interface Recognized {
  /** A subresource of certificatesigningrequests that the requester must be allowed to create; undefined: none. */
  readonly permission: "selfnodeclient" | "nodeclient" | undefined;
  readonly message: string;
}

/**
 * As what a request may be approved without a person's judgement, the narrowest first. A node's serving certificate is
 * its own affair as far as it names the node's own addresses.
 *
 * @package
 */
export function recognize(
  { spec }: CertificateSigningRequest,
  request: CertificateRequest,
  nodeOf: (name: string) => Node | undefined,
): readonly Recognized[] {
  const usages = spec.usages ?? [];
  const isOwn = spec.username === request.subject.commonName;
  if (spec.signerName === signerNames.kubeletClient) {
    if (kubeletClientProblem(request, usages) !== undefined) return [];
    const anybodys: Recognized = {
      permission: "nodeclient",
      message: "Auto approving kubelet client certificate after SubjectAccessReview.",
    };
    if (!isOwn) return [anybodys];
    const message = "Auto approving self kubelet client certificate after SubjectAccessReview.";
    return [{ permission: "selfnodeclient", message }, anybodys];
  }
  if (spec.signerName === signerNames.kubeletServing && isOwn) {
    if (kubeletServingProblem(request, usages) !== undefined) return [];
    const node = nodeOf(request.subject.commonName.replace("system:node:", ""));
    if (node === undefined || !namesOnly(request, node)) return [];
    const message = "Auto approving kubelet serving certificate for the node's own addresses.";
    return [{ permission: undefined, message }];
  }
  return [];
}

function namesOnly({ alternativeNames }: CertificateRequest, node: Node): boolean {
  const own = new Set((node.status?.addresses ?? []).map(({ address }) => comparable(address)));
  const { dnsNames, ipAddresses } = alternativeNames;
  return [...dnsNames, ...ipAddresses].every((name) => own.has(comparable(name)));
}

function comparable(name: string): string {
  const ip = parseIp(name);
  return ip === undefined ? name : `${ip.family} ${ip.value}`;
}

/** Says yes to nodes that ask for certificates of their own, where they may have them. */
export function csrApprovingController(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly requests: Informer<CertificateSigningRequest>;
  readonly nodes: Informer<Node>;
}): Controller {
  const { client, clock, requests, nodes } = deps;

  async function mayHave(
    { spec }: CertificateSigningRequest,
    subresource: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { username = "", uid, groups, extra } = spec;
    const review = await client.create(
      subjectAccessReviewResource,
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        metadata: {},
        spec: {
          user: username,
          ...(uid === undefined ? {} : { uid }),
          ...(groups === undefined ? {} : { groups }),
          ...(extra === undefined ? {} : { extra }),
          resourceAttributes: {
            group: "certificates.k8s.io",
            version: "*",
            resource: "certificatesigningrequests",
            verb: "create",
            subresource,
          },
        },
      },
      signal,
    );
    return review.status?.allowed === true;
  }

  return {
    name: "certificatesigningrequest-approving",
    watches: [watchSelf(requests)],
    async reconcile(name, signal) {
      const csr = requests.get(name);
      if (csr === undefined || isJudged(csr) || csr.status?.certificate) return undefined;
      const recognized = recognize(csr, requestOf(csr), (node) => nodes.get(node));
      for (const { permission, message } of recognized) {
        if (permission !== undefined && !(await mayHave(csr, permission, signal))) continue;
        const now = formatTime(clock.now());
        const approval = {
          type: "Approved",
          status: "True",
          reason: "AutoApproved",
          message,
          lastUpdateTime: now,
        };
        const conditions = [...(csr.status?.conditions ?? []), approval];
        await client.update(
          certificateSigningRequestResource,
          { ...csr, status: { ...csr.status, conditions } },
          signal,
          { subresource: "approval" },
        );
        return undefined;
      }
      if (recognized.length === 0) return undefined;
      const tried = recognized.map(({ permission }) => permission).join(" ");
      throw new Error(
        `recognized csr ${JSON.stringify(keyOf(csr))} as [${tried}] but subject access review was not approved`,
      );
    },
  };
}
