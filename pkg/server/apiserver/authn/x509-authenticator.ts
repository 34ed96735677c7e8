import { createHash, X509Certificate } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import { type Certificate, readCertificate } from "../../../base/x509/certificate.ts";
import { decodePem } from "../../../base/x509/pem.ts";
import type { PresentedCertificate, RequestAuthenticator, UserInfo } from "./authenticator.ts";

/** Vouches for the certificates that it issued. */
export interface CertificateAuthority {
  /** The client's certificate, where it is valid now and this authority vouches for it. */
  verify(presented: PresentedCertificate): Certificate | undefined;
}

/** `pem`: every authority that may have issued what is shown. */
export function createCertificateAuthority(pem: string, clock: Clock): CertificateAuthority {
  const authorities = decodePem("CERTIFICATE", pem).map((der) => new X509Certificate(der));
  // A connection brings the same value with each request.
  const known = new WeakMap<PresentedCertificate, Certificate | undefined>();
  return {
    verify(presented) {
      let certificate = known.get(presented);
      if (certificate === undefined && !known.has(presented)) {
        certificate = vouchedFor(presented, authorities);
        known.set(presented, certificate);
      }
      // A connection may outlive its certificate.
      const now = clock.now();
      if (certificate === undefined || now < certificate.notBeforeMs) return undefined;
      return now > certificate.notAfterMs ? undefined : certificate;
    },
  };
}

/** That the chain is whole and signed, the TLS handshake has seen to; here it is asked where it ends. */
function vouchedFor(
  { chain, isVerified }: PresentedCertificate,
  authorities: readonly X509Certificate[],
): Certificate | undefined {
  const [own] = chain;
  if (!isVerified || own === undefined) return undefined;
  const isOurs = chain
    .map((der) => new X509Certificate(der))
    .some((link) =>
      authorities.some(
        (authority) =>
          link.fingerprint256 === authority.fingerprint256 ||
          (link.checkIssued(authority) && link.verify(authority.publicKey)),
      ),
    );
  return isOurs ? readCertificate(own) : undefined;
}

/** A client certificate stands for its common name, with its organizations as groups. */
export function createCertificateAuthenticator(
  authority: CertificateAuthority,
): RequestAuthenticator {
  const users = new WeakMap<Certificate, UserInfo>();
  return ({ clientCertificate }) => {
    if (clientCertificate === undefined) return { outcome: "none" };
    const certificate = authority.verify(clientCertificate);
    if (certificate === undefined) return { outcome: "wrong" };
    let user = users.get(certificate);
    if (user === undefined) {
      user = userOf(certificate);
      users.set(certificate, user);
    }
    return user.username === "" ? { outcome: "none" } : { outcome: "user", user };
  };
}

function userOf({ der, subject }: Certificate): UserInfo {
  const fingerprint = createHash("sha256").update(der).digest("hex");
  return {
    username: subject.commonName,
    groups: [...subject.organizations, "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] },
  };
}
