import type { CertificateSigningRequest } from "../../../api/generated/certificates-v1.generated.ts";
import { readCertificateRequest } from "../../../base/x509/certificate-request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

const clientSigner = "kubernetes.io/kube-apiserver-client";
const superusers = "system:masters";

/** Nobody asks for a certificate that would let them do anything. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  validate(request) {
    const requests = "certificatesigningrequests.certificates.k8s.io";
    if (request.operation !== "CREATE" || !isAbout(request, requests)) return;
    const { spec } = request.object as CertificateSigningRequest;
    if (spec.signerName !== clientSigner) return;
    // Validation, which comes before, has seen that it can be read.
    const pem = Buffer.from(spec.request, "base64").toString("latin1");
    const { organizations } = readCertificateRequest(pem).subject;
    if (!organizations.includes(superusers)) return;
    throw admissionForbidden(
      request,
      `use of ${clientSigner} signer with ${superusers} group is not allowed`,
    );
  },
};
