import type { CertificateSigningRequest } from "../../../api/generated/certificates-v1.generated.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

const requests = "certificatesigningrequests.certificates.k8s.io";

/** Who approves a request for a certificate may approve for its signer, besides writing the request. */
export function createCertificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateApproval",
    validate(request) {
      if (request.operation !== "UPDATE" || !isAbout(request, `${requests}/approval`)) return;
      mustHave(authorizer, request, "approve");
    },
  };
}

/** Who puts a certificate into a request, or its verdict, may sign for its signer. */
export function createCertificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateSigning",
    validate(request) {
      if (request.operation !== "UPDATE" || !isAbout(request, `${requests}/status`)) return;
      const next = (request.object as CertificateSigningRequest).status;
      const previous = (request.previous as CertificateSigningRequest).status;
      const isSame =
        next?.certificate === previous?.certificate &&
        equalJson(next?.conditions ?? [], previous?.conditions ?? []);
      if (!isSame) mustHave(authorizer, request, "sign");
    },
  };
}

/** The signer of the stored request: nobody gets at another by naming it. */
function mustHave(
  authorizer: Authorizer,
  request: AdmissionRequest,
  verb: "approve" | "sign",
): void {
  const { signerName } = (request.previous as CertificateSigningRequest).spec;
  const domain = signerName.split("/", 1)[0] ?? "";
  const isAllowed = [signerName, `${domain}/*`].some(
    (name) =>
      authorizer.authorize({
        type: "resource",
        user: request.user,
        verb,
        group: "certificates.k8s.io",
        version: "*",
        resource: "signers",
        subresource: "",
        namespace: "",
        name,
      }).allowed,
  );
  if (isAllowed) return;
  throw admissionForbidden(
    request,
    `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`,
  );
}
