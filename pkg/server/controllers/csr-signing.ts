import { isConditionTrue } from "../../api/conditions.ts";
import type { CertificateSigningRequest } from "../../api/generated/certificates-v1.generated.ts";
import { certificateSigningRequestResource } from "../../api/resources/certificatesigningrequest.ts";
import {
  isApproved,
  kubeletClientProblem,
  kubeletServingProblem,
  requestOf,
  signerNames,
} from "../../api/shared/kubelet-request.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import { type CertificateSigner, createCertificate } from "../../base/x509/certificate.ts";
import type { CertificateRequest } from "../../base/x509/certificate-request.ts";
import { encodePem } from "../../base/x509/pem.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

/** The cluster's authorities. */
export interface SigningAuthorities {
  /** Signs what clients show to the API server. */
  readonly client: CertificateSigner;
  /** Signs what servers show. */
  readonly server: CertificateSigner;
}

const minuteMs = 60_000;

const lifetimes = {
  /** kube-controller-manager's `--cluster-signing-duration`. */
  longestMs: 365 * 24 * 60 * minuteMs,
  shortestMs: 10 * minuteMs,
  /** For machines whose clocks are behind. */
  backdateMs: 5 * minuteMs,
  /** What is shorter is given whole, in spite of being backdated. */
  shortMs: 8 * 60 * minuteMs,
};

interface Signer {
  readonly authority: keyof SigningAuthorities;
  /** Why it does not sign this; undefined where it does. */
  problem(request: CertificateRequest, usages: readonly string[]): string | undefined;
}

const signers: ReadonlyMap<string, Signer> = new Map<string, Signer>([
  [signerNames.client, { authority: "client", problem: (_, usages) => clientProblem(usages) }],
  [signerNames.kubeletClient, { authority: "client", problem: kubeletClientProblem }],
  [signerNames.kubeletServing, { authority: "server", problem: kubeletServingProblem }],
  [signerNames.legacyUnknown, { authority: "server", problem: () => undefined }],
]);

const optionalForClients: ReadonlySet<string> = new Set([
  "client auth",
  "digital signature",
  "key encipherment",
]);

function clientProblem(usages: readonly string[]): string | undefined {
  const foreign = usages.find((usage) => !optionalForClients.has(usage));
  if (foreign !== undefined) return `invalid usage for client certificate: ${foreign}`;
  return usages.includes("client auth")
    ? undefined
    : "missing required usage for client certificate: client auth";
}

/** Issues what was approved, in the name of the signers that Kubernetes itself is. */
export function csrSigningController(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly requests: Informer<CertificateSigningRequest>;
  readonly authorities: SigningAuthorities;
}): Controller {
  const { client, clock, requests, authorities } = deps;
  return {
    name: "certificatesigningrequest-signing",
    watches: [watchSelf(requests)],
    async reconcile(name, signal) {
      const csr = requests.get(name);
      const signer = signers.get(csr?.spec.signerName ?? "");
      if (csr === undefined || signer === undefined || csr.status?.certificate) return undefined;
      const conditions = csr.status?.conditions ?? [];
      if (!isApproved(csr) || isConditionTrue(conditions, "Failed")) return undefined;
      const request = requestOf(csr);
      const problem = signer.problem(request, csr.spec.usages ?? []);
      const status =
        problem === undefined
          ? {
              ...csr.status,
              certificate: Buffer.from(
                issue(csr, request, authorities[signer.authority], clock.now()),
              ).toString("base64"),
            }
          : { ...csr.status, conditions: [...conditions, failure(problem, clock.now())] };
      await client.update(certificateSigningRequestResource, { ...csr, status }, signal, {
        subresource: "status",
      });
      return undefined;
    },
  };
}

function failure(message: string, nowMs: number) {
  return {
    type: "Failed",
    status: "True",
    reason: "SignerValidationFailure",
    message,
    lastUpdateTime: formatTime(nowMs),
  };
}

/** PEM of the certificate alone. */
function issue(
  { spec }: CertificateSigningRequest,
  request: CertificateRequest,
  authority: CertificateSigner,
  nowMs: number,
): string {
  const { notBeforeMs, notAfterMs } = validity(
    spec.expirationSeconds,
    nowMs,
    authority.certificate?.notAfterMs,
  );
  const { der } = createCertificate(
    {
      subject: request.subjectDer,
      publicKey: request.publicKey,
      uses: [],
      usages: spec.usages ?? [],
      alternativeNames: request.alternativeNamesDer ?? [],
      notBeforeMs,
      notAfterMs,
    },
    authority,
  );
  return encodePem("CERTIFICATE", der);
}

/**
 * From when to when a certificate is valid: as long as asked, within what signers give, and never longer than its
 * issuer's.
 *
 * @package
 */
export function validity(
  expirationSeconds: number | undefined,
  nowMs: number,
  issuerEndsMs: number | undefined,
): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const askedMs = (expirationSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const lifeMs = Math.min(lifetimes.longestMs, Math.max(lifetimes.shortestMs, askedMs));
  const notBeforeMs = nowMs - lifetimes.backdateMs;
  const notAfterMs = (lifeMs < lifetimes.shortMs ? nowMs : notBeforeMs) + lifeMs;
  return { notBeforeMs, notAfterMs: Math.min(notAfterMs, issuerEndsMs ?? notAfterMs) };
}
