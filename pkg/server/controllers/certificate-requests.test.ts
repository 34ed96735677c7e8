import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import type { CertificateSigningRequest } from "../../api/generated/certificates-v1.generated.ts";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { requestOf } from "../../api/shared/kubelet-request.ts";
import { createCertificateRequest } from "../../base/x509/certificate-request.ts";
import { recognize } from "./csr-approving.ts";
import { endsAtMs } from "./csr-cleaner.ts";
import { validity } from "./csr-signing.ts";

const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const clientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
const servingSigner = "kubernetes.io/kubelet-serving";

function csr(
  fields: {
    readonly commonName?: string;
    readonly organizations?: readonly string[];
    readonly names?: readonly string[];
    readonly signerName?: string;
    readonly usages?: readonly string[];
    readonly username?: string;
  } = {},
): CertificateSigningRequest {
  const {
    commonName = "system:node:edge-1",
    organizations = ["system:nodes"],
    names = [],
    signerName = clientSigner,
    usages = ["digital signature", "client auth"],
    username = "system:node:edge-1",
  } = fields;
  const pem = createCertificateRequest({ commonName, organizations }, names, keys);
  return {
    metadata: { name: "csr", creationTimestamp: "2026-03-01T12:00:00Z" },
    spec: { request: Buffer.from(pem).toString("base64"), signerName, usages, username },
    status: {},
  } as unknown as CertificateSigningRequest;
}

const node = {
  status: {
    addresses: [
      { type: "InternalIP", address: "192.0.2.7" },
      { type: "InternalIP", address: "2001:db8::7" },
      { type: "Hostname", address: "edge-1" },
    ],
  },
} as unknown as Node;
const serving = {
  signerName: servingSigner,
  usages: ["digital signature", "server auth"],
  names: ["edge-1", "192.0.2.7", "2001:db8::7"],
};

test.each([
  ["a node's own", {}, ["selfnodeclient", "nodeclient"]],
  ["with an RSA key", { usages: ["key encipherment", "client auth", "digital signature"] }, 2],
  ["another's", { username: "system:bootstrap:abcdef" }, ["nodeclient"]],
  ["of no node", { commonName: "jane" }, []],
  ["of another organization", { organizations: ["system:masters"] }, []],
  ["of two organizations", { organizations: ["system:nodes", "system:masters"] }, []],
  ["with a name", { names: ["edge-1"] }, []],
  ["to serve", { usages: ["server auth"] }, []],
  ["for all purposes", { usages: ["digital signature", "client auth", "any"] }, []],
  ["for another signer", { signerName: "kubernetes.io/kube-apiserver-client" }, []],
  ["serving, its own addresses", serving, [undefined]],
  ["serving, asked for by another", { ...serving, username: "jane" }, []],
  ["serving, a foreign address", { ...serving, names: ["192.0.2.7", "192.0.2.8"] }, []],
  ["serving, a foreign name", { ...serving, names: ["edge-1", "kubernetes"] }, []],
  ["serving, no names", { ...serving, names: [] }, []],
])("%s: who must allow it", (_, fields, expected) => {
  const request = csr(fields);
  const found = recognize(request, requestOf(request), () => node);
  if (typeof expected === "number") expect(found).toHaveLength(expected);
  else expect(found.map(({ permission }) => permission)).toEqual(expected);
});

const minute = 60_000;
const hour = 60 * minute;
test.each([
  ["as a rule a year", undefined, undefined, -5 * minute, 365 * 24 * hour - 5 * minute],
  ["no more than that", 10 * 365 * 24 * 3600, undefined, -5 * minute, 365 * 24 * hour - 5 * minute],
  ["a short one whole", 600, undefined, -5 * minute, 10 * minute],
  ["a long one backdated", 9 * 3600, undefined, -5 * minute, 9 * hour - 5 * minute],
  ["not longer than its issuer", 3600, 30 * minute, -5 * minute, 30 * minute],
])("validity: %s", (_, seconds, issuerEndsMs, notBeforeMs, notAfterMs) => {
  expect(validity(seconds, 0, issuerEndsMs)).toEqual({ notBeforeMs, notAfterMs });
});

const at = "2026-03-01T13:00:00Z";
const condition = (type: string) => ({ type, status: "True", lastUpdateTime: at });
test.each([
  ["pending: a day", {}, "2026-03-02T12:00:00Z"],
  ["approved, not issued: nobody knows", { conditions: [condition("Approved")] }, undefined],
  [
    "issued: an hour",
    { conditions: [condition("Approved")], certificate: "eA==" },
    "2026-03-01T14:00:00Z",
  ],
  ["denied: an hour", { conditions: [condition("Denied")] }, "2026-03-01T14:00:00Z"],
  [
    "failed: an hour",
    { conditions: [condition("Approved"), condition("Failed")] },
    "2026-03-01T14:00:00Z",
  ],
])("a request that is %s", (_, status, ends) => {
  const end = endsAtMs({ ...csr(), status });
  expect(end).toBe(ends === undefined ? undefined : Date.parse(ends));
});
