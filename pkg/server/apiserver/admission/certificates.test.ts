import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import type { CertificateSigningRequest } from "../../../api/generated/certificates-v1.generated.ts";
import { certificateSigningRequestResource } from "../../../api/resources/certificatesigningrequest.ts";
import { createCertificateRequest } from "../../../base/x509/certificate-request.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import { passThrough } from "./admission-request.fixture.ts";
import { createCertificateApproval, createCertificateSigning } from "./certificate-approval.ts";
import { certificateSubjectRestriction } from "./certificate-subject-restriction.ts";

/** Lets these verbs on signers pass, as `verb name`. */
const allowing = (...may: readonly string[]): Authorizer => ({
  authorize: (asked) => ({
    allowed: asked.type === "resource" && may.includes(`${asked.verb} ${asked.name}`),
    reason: "",
  }),
});

const csr = (status: object = {}, signerName = "example.com/web") =>
  ({
    metadata: { name: "csr" },
    spec: { signerName },
    status,
  }) as unknown as CertificateSigningRequest;

const write = {
  operation: "UPDATE",
  resource: certificateSigningRequestResource,
  namespace: undefined,
  name: "csr",
} as const;

test.each(["approve example.com/web", "approve example.com/*"])(
  "who may %s approves",
  async (may) => {
    const asked = { ...write, subresource: "approval", object: csr(), previous: csr() };
    await passThrough(createCertificateApproval(allowing(may)), asked);
    await expect(
      passThrough(createCertificateApproval(allowing("sign example.com/web")), asked),
    ).rejects.toThrow(
      'certificatesigningrequests.certificates.k8s.io "csr" is forbidden: user not permitted to approve requests with signerName "example.com/web"',
    );
  },
);

test("who puts a certificate in may sign for the signer that was asked", async () => {
  const nobody = createCertificateSigning(allowing());
  const other = csr({ certificate: "x" }, "example.com/other");
  const asked = { ...write, subresource: "status", object: other, previous: csr() };
  await expect(passThrough(nobody, asked)).rejects.toThrow(
    'user not permitted to sign requests with signerName "example.com/web"',
  );
  await passThrough(createCertificateSigning(allowing("sign example.com/web")), asked);
  await passThrough(nobody, { ...asked, object: csr(), previous: csr() });
});

test("nobody asks for a certificate that lets them do anything", async () => {
  const ask = (signerName: string, organization: string) => {
    const subject = { commonName: "me", organizations: [organization] };
    const pem = createCertificateRequest(
      subject,
      [],
      generateKeyPairSync("ec", { namedCurve: "P-256" }),
    );
    const object = {
      metadata: { name: "csr" },
      spec: { signerName, request: Buffer.from(pem).toString("base64") },
    };
    return passThrough(certificateSubjectRestriction, { ...write, operation: "CREATE", object });
  };
  await ask("kubernetes.io/kube-apiserver-client", "developers");
  await ask("example.com/web", "system:masters");
  await expect(ask("kubernetes.io/kube-apiserver-client", "system:masters")).rejects.toThrow(
    "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed",
  );
});
