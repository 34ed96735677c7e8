import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import {
  type Certificate,
  type CertificateUse,
  createCertificate,
  readCertificate,
} from "../../base/x509/certificate.ts";
import type { DistinguishedName } from "../../base/x509/distinguished-name.ts";
import { decodePem, encodePem } from "../../base/x509/pem.ts";

const dayMs = 86_400_000;

/** How long what we issue lives, and how early it is replaced. */
const certificateLifetimes = {
  authorityMs: 3650 * dayMs,
  leafMs: 365 * dayMs,
  /** A leaf with less left is renewed at start. */
  renewBeforeMs: 90 * dayMs,
  /** Certificates are valid from a little earlier, for machines whose clocks are behind. */
  backdateMs: 3_600_000,
} as const;

/** A CA that can issue. */
export interface Authority {
  readonly certificate: Certificate;
  readonly certificatePem: string;
  readonly key: KeyObject;
}

/** A certificate with its private key, as TLS wants them. `certificatePem` is the leaf with its issuer behind it. */
export interface KeyPairPem {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What a leaf is for. */
export interface LeafRequest {
  readonly subject: DistinguishedName;
  readonly uses: readonly CertificateUse[];
  readonly alternativeNames: readonly string[];
}

export function generateKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** The private key as k3s and kubeadm store it: SEC 1 for elliptic curves, PKCS #8 for others. */
export function keyToPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === "ec" ? "sec1" : "pkcs8";
  return key.export({ type, format: "pem" }).toString();
}

export function createAuthority(commonName: string, key: KeyObject, nowMs: number): Authority {
  const certificate = createCertificate(
    {
      subject: { commonName, organizations: [] },
      publicKey: createPublicKey(key),
      uses: ["ca"],
      alternativeNames: [],
      notBeforeMs: nowMs - certificateLifetimes.backdateMs,
      notAfterMs: nowMs + certificateLifetimes.authorityMs,
    },
    { certificate: undefined, key },
  );
  return { certificate, certificatePem: encodePem("CERTIFICATE", certificate.der), key };
}

/** Reads a CA from its files' text; throws where the two do not belong together. */
export function readAuthority(certificatePem: string, keyPem: string): Authority {
  const [der] = decodePem("CERTIFICATE", certificatePem);
  if (der === undefined) throw new Error("no PEM block CERTIFICATE found");
  const key = createPrivateKey(keyPem);
  if (!isKeyOf(der, key)) throw new Error("the key does not belong to the certificate");
  return { certificate: readCertificate(der), certificatePem, key };
}

/** PEM of a certificate for `publicKey`, followed by its issuer's. */
export function issueCertificate(
  authority: Authority,
  request: LeafRequest,
  publicKey: KeyObject,
  nowMs: number,
): string {
  const certificate = createCertificate(
    {
      ...request,
      publicKey,
      notBeforeMs: nowMs - certificateLifetimes.backdateMs,
      notAfterMs: Math.min(nowMs + certificateLifetimes.leafMs, authority.certificate.notAfterMs),
    },
    { certificate: authority.certificate, key: authority.key },
  );
  return `${encodePem("CERTIFICATE", certificate.der)}${authority.certificatePem}`;
}

/** A new key with its certificate. */
export function issueKeyPair(
  authority: Authority,
  request: LeafRequest,
  nowMs: number,
): KeyPairPem {
  const key = generateKey();
  return {
    certificatePem: issueCertificate(authority, request, createPublicKey(key), nowMs),
    keyPem: keyToPem(key),
  };
}

/** Why a stored leaf may not go on being used; undefined where it may. */
export function renewalReason(
  stored: KeyPairPem,
  authority: Authority,
  request: LeafRequest,
  nowMs: number,
): string | undefined {
  let certificate: Certificate;
  try {
    const [der] = decodePem("CERTIFICATE", stored.certificatePem);
    if (der === undefined) return "the certificate cannot be read";
    certificate = readCertificate(der);
    if (!isKeyOf(der, createPrivateKey(stored.keyPem))) return "the key does not belong to it";
  } catch {
    return "the certificate or its key cannot be read";
  }
  const authorityId = authority.certificate.subjectKeyId;
  if (authorityId !== undefined && certificate.authorityKeyId?.equals(authorityId) !== true) {
    return "another authority issued it";
  }
  if (certificate.notAfterMs - nowMs < certificateLifetimes.renewBeforeMs) return "it ends soon";
  if (certificate.notBeforeMs > nowMs) return "it is not valid yet";
  if (!sameSubject(certificate.subject, request.subject)) return "its subject changed";
  const wanted = [...request.alternativeNames].sort().join(" ");
  if ([...certificate.alternativeNames].sort().join(" ") !== wanted) return "its names changed";
  return undefined;
}

function sameSubject(left: DistinguishedName, right: DistinguishedName): boolean {
  return (
    left.commonName === right.commonName &&
    left.organizations.join("\n") === right.organizations.join("\n")
  );
}

function isKeyOf(certificateDer: Uint8Array, key: KeyObject): boolean {
  return new X509Certificate(certificateDer).checkPrivateKey(key);
}
