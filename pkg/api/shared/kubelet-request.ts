import {
  type CertificateRequest,
  readCertificateRequest,
} from "../../base/x509/certificate-request.ts";
import { isConditionTrue } from "../conditions.ts";
import type { CertificateSigningRequest } from "../generated/certificates-v1.generated.ts";

/** The signers that Kubernetes itself is. */
export const signerNames = {
  client: "kubernetes.io/kube-apiserver-client",
  kubeletClient: "kubernetes.io/kube-apiserver-client-kubelet",
  kubeletServing: "kubernetes.io/kubelet-serving",
  legacyUnknown: "kubernetes.io/legacy-unknown",
} as const;

/** What a CertificateSigningRequest asks for; throws where that cannot be read. */
export function requestOf({ spec }: CertificateSigningRequest): CertificateRequest {
  return readCertificateRequest(Buffer.from(spec.request, "base64").toString("utf8"));
}

/** Whether somebody has said yes or no. */
export function isJudged({ status }: CertificateSigningRequest): boolean {
  return (status?.conditions ?? []).some(({ type }) => type === "Approved" || type === "Denied");
}

/** Whether it may be signed: approved, and not denied as well. */
export function isApproved({ status }: CertificateSigningRequest): boolean {
  const conditions = status?.conditions ?? [];
  return (
    isConditionTrue(conditions, "Approved") && !conditions.some(({ type }) => type === "Denied")
  );
}

/** Why a request is not one for a kubelet's client certificate; undefined where it is. */
export function kubeletClientProblem(
  { subject, alternativeNames }: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  const { dnsNames, ipAddresses, emailAddresses, uris } = alternativeNames;
  if (!isOfNodes(subject.organizations)) return "subject organization is not system:nodes";
  if (dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  if (!isNodeName(subject.commonName)) {
    return "subject common name does not begin with system:node:";
  }
  return usagesProblem(usages, "client auth");
}

/** Why a request is not one for a kubelet's serving certificate; undefined where it is. */
export function kubeletServingProblem(
  { subject, alternativeNames }: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  const { dnsNames, ipAddresses, emailAddresses, uris } = alternativeNames;
  if (!isOfNodes(subject.organizations)) return "subject organization is not system:nodes";
  if (dnsNames.length === 0 && ipAddresses.length === 0) {
    return "DNS or IP subjectAltName is required";
  }
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  const problem = usagesProblem(usages, "server auth");
  if (problem !== undefined) return problem;
  return isNodeName(subject.commonName)
    ? undefined
    : "subject common name does not begin with system:node:";
}

function isOfNodes(organizations: readonly string[]): boolean {
  return organizations.length === 1 && organizations[0] === "system:nodes";
}

function isNodeName(commonName: string): boolean {
  return commonName.startsWith("system:node:");
}

/** Keys that are not RSA encipher no keys. */
function usagesProblem(usages: readonly string[], purpose: string): string | undefined {
  const wanted = ["digital signature", purpose];
  const asked = new Set(usages.filter((usage) => usage !== "key encipherment"));
  if (asked.size === wanted.length && wanted.every((usage) => asked.has(usage))) return undefined;
  const all = [...wanted, "key encipherment"].sort();
  return `usages did not match [${all.join(" ")}]`;
}
