import type { CertificateSigningRequest } from "../../api/generated/certificates-v1.generated.ts";
import { certificateSigningRequestResource } from "../../api/resources/certificatesigningrequest.ts";
import { parseTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import { readCertificate } from "../../base/x509/certificate.ts";
import { decodePem } from "../../base/x509/pem.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

const hourMs = 3_600_000;

const kept = {
  /** After it was approved and issued, after it was denied, after it failed. */
  settledMs: hourMs,
  /** Without anybody's judgement. */
  pendingMs: 24 * hourMs,
  /** Longer sleeps are taken in pieces. */
  lookAgainMs: 24 * hourMs,
};

/**
 * When a request has outlived its use; undefined where nobody knows yet.
 *
 * @package
 */
export function endsAtMs({ metadata, status }: CertificateSigningRequest): number | undefined {
  const conditions = status?.conditions ?? [];
  const certificate = status?.certificate ?? "";
  if (conditions.length === 0 && certificate === "") {
    return (parseTime(metadata.creationTimestamp) ?? 0) + kept.pendingMs;
  }
  const ends = conditions
    .filter(
      ({ type }) =>
        type === "Denied" || type === "Failed" || (type === "Approved" && certificate !== ""),
    )
    .map(({ lastUpdateTime }) => (parseTime(lastUpdateTime) ?? 0) + kept.settledMs);
  if (certificate !== "") ends.push(expiry(certificate));
  const first = Math.min(...ends);
  return Number.isFinite(first) ? first : undefined;
}

function expiry(certificate: string): number {
  try {
    const [der] = decodePem("CERTIFICATE", Buffer.from(certificate, "base64").toString("utf8"));
    if (der !== undefined) return readCertificate(der).notAfterMs;
  } catch {
    // Another signer's affair: its conditions say when it ends.
  }
  return Number.POSITIVE_INFINITY;
}

/** Removes requests that have been answered, and those that nobody answers. */
export function csrCleaner(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly requests: Informer<CertificateSigningRequest>;
}): Controller {
  const { client, clock, requests } = deps;
  return {
    name: "certificatesigningrequest-cleaner",
    watches: [watchSelf(requests)],
    async reconcile(name, signal) {
      const csr = requests.get(name);
      const endMs = csr === undefined ? undefined : endsAtMs(csr);
      if (csr === undefined || endMs === undefined) return undefined;
      const leftMs = endMs - clock.now();
      if (leftMs > 0) return { requeueAfterMs: Math.min(leftMs, kept.lookAgainMs) };
      const { uid, resourceVersion } = csr.metadata;
      await client.delete(certificateSigningRequestResource, name, signal, {
        preconditions: { uid, resourceVersion },
      });
      return undefined;
    },
  };
}
