import { expect, test } from "vitest";
import { tlsKeyPairProblem } from "./tls-key-pair.ts";

const block = (type: string) => `-----BEGIN ${type}-----\nAAAA\n-----END ${type}-----\n`;

test.each<[string, string, string]>([
  ["", "", "tls: failed to find any PEM data in certificate input"],
  [
    block("EC PRIVATE KEY"),
    "",
    "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
  ],
  [
    block("A") + block("B"),
    "",
    'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [A B]',
  ],
  [block("CERTIFICATE"), "", "tls: failed to find any PEM data in key input"],
  [
    block("CERTIFICATE"),
    block("CERTIFICATE"),
    "tls: found a certificate rather than a key in the PEM for the private key",
  ],
  [
    block("CERTIFICATE"),
    block("PUBLIC KEY"),
    'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [PUBLIC KEY]',
  ],
  [block("CERTIFICATE"), block("PRIVATE KEY"), "x509: malformed certificate"],
])("what is wrong with %j and %j", (certificate, key, expected) => {
  expect(tlsKeyPairProblem(certificate, key)).toBe(expected);
});
