import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { createCertificateRequest, readCertificateRequest } from "./certificate-request.ts";

function openssl(args: readonly string[], input = ""): string {
  return execFileSync("openssl", [...args], { encoding: "utf8", input, stdio: "pipe" });
}

test("openssl reads and verifies what we ask for", () => {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = { commonName: "system:node:edge-1", organizations: ["system:nodes"] };
  const pem = createCertificateRequest(subject, ["edge-1", "192.0.2.1", "2001:db8::1"], keys);
  const text = openssl(["req", "-verify", "-noout", "-text"], pem);
  expect(text).toContain("Subject: O = system:nodes, CN = system:node:edge-1");
  expect(text).toContain("DNS:edge-1, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1");
  expect(readCertificateRequest(pem)).toMatchObject({
    subject,
    alternativeNames: { dnsNames: ["edge-1"], ipAddresses: ["192.0.2.1", "2001:db8::1"] },
  });
});

test.each([
  ["rsa:2048", []],
  ["ec", ["-pkeyopt", "ec_paramgen_curve:P-384"]],
  ["ed25519", []],
])("what openssl asks for with an %s key is read", (algorithm, options) => {
  const pem = openssl([
    ...["req", "-new", "-newkey", algorithm, ...options, "-nodes", "-keyout", "/dev/null"],
    ...[
      "-subj",
      "/O=devs/O=ops/CN=jane",
      "-addext",
      "subjectAltName=DNS:a.example.com,email:jane@example.com,URI:spiffe://example.com/jane",
    ],
  ]);
  const request = readCertificateRequest(pem);
  expect(request.subject).toEqual({ commonName: "jane", organizations: ["devs", "ops"] });
  expect(request.alternativeNames).toEqual({
    dnsNames: ["a.example.com"],
    ipAddresses: [],
    emailAddresses: ["jane@example.com"],
    uris: ["spiffe://example.com/jane"],
  });
});

test.each(["", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----"])(
  "%j is no request",
  (pem) => {
    expect(() => readCertificateRequest(pem)).toThrow();
  },
);
