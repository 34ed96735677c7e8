import { createHash } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import { type Certificate, readCertificate } from "../../../base/x509/certificate.ts";
import type { UserInfo } from "./authenticator.ts";

/**
 * Who a client certificate stands for: its common name, with its organizations as groups. Undefined where it has no
 * common name or its time is over. That a CA of ours issued it, the TLS handshake has seen to.
 */
export type CertificateAuthenticator = (der: Uint8Array) => UserInfo | undefined;

export function createCertificateAuthenticator(clock: Clock): CertificateAuthenticator {
  // A connection brings the same bytes with each request.
  const known = new WeakMap<Uint8Array, { certificate: Certificate; user: UserInfo }>();
  return (der) => {
    let entry = known.get(der);
    if (entry === undefined) {
      const certificate = readCertificate(der);
      entry = { certificate, user: userOf(certificate) };
      known.set(der, entry);
    }
    const now = clock.now();
    const { certificate, user } = entry;
    // A connection may outlive its certificate.
    if (now < certificate.notBeforeMs || now > certificate.notAfterMs) return undefined;
    return user.username === "" ? undefined : user;
  };
}

function userOf(certificate: Certificate): UserInfo {
  const fingerprint = createHash("sha256").update(certificate.der).digest("hex");
  return {
    username: certificate.subject.commonName,
    groups: [...certificate.subject.organizations, "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] },
  };
}
