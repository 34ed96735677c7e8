import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { certificateSigningRequestResource } from "../../pkg/api/resources/certificatesigningrequest.ts";
import { createCertificateRequest } from "../../pkg/base/x509/certificate-request.ts";
import { encodePem } from "../../pkg/base/x509/pem.ts";
import { type ApiWorld, ask, startApiWorld } from "./api-world.ts";
import { startLoopsWorld } from "./loops-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const base64 = (text: string) => Buffer.from(text).toString("base64");
const pkcs10 = createCertificateRequest({ commonName: "jane", organizations: ["devs"] }, [], keys);

const request = (name: string, spec: object = {}) => ({
  apiVersion: "certificates.k8s.io/v1",
  kind: "CertificateSigningRequest",
  metadata: { name },
  spec: {
    request: base64(pkcs10),
    signerName: "example.com/jane",
    usages: ["client auth"],
    ...spec,
  },
});

const post = (body: object) => world.request("POST", path, { body });
const put = (name: string, part: string, body: object) =>
  world.request("PUT", `${path}/${name}/${part}`, { body });

test("a request keeps who made it, and nothing that they say of themselves", async () => {
  const jane = world.session(world.certificateFor("jane", ["system:masters", "devs"]));
  const made = await ask(jane, "POST", path, {
    body: {
      ...request("made", { username: "root", groups: ["system:nodes"], extra: { a: ["b"] } }),
      status: { conditions: [{ type: "Approved", status: "True" }], certificate: base64("x") },
    },
  });
  expect(made.status).toBe(201);
  expect(made.json.spec).toMatchObject({
    username: "jane",
    groups: ["system:masters", "devs", "system:authenticated"],
    extra: {
      "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=/)],
    },
  });
  expect(made.json.status).toEqual({});
});

test("the spec never changes", async () => {
  const { json } = await post(request("fixed"));
  const next = { ...json, spec: { ...json.spec, signerName: "example.com/other" } };
  const answer = await world.request("PUT", `${path}/fixed`, { body: next });
  expect(answer.json.spec).toEqual(json.spec);
});

test.each([
  [{ request: base64("no PEM") }, "PEM block type must be CERTIFICATE REQUEST"],
  [
    { request: undefined },
    "spec.request: Invalid value: null: PEM block type must be CERTIFICATE REQUEST",
  ],
  [{ usages: [] }, "spec.usages: Required value"],
  [{ usages: ["client auth", "client auth"] }, 'spec.usages[1]: Duplicate value: "client auth"'],
  [{ usages: ["fly"] }, 'spec.usages[0]: Unsupported value: "fly": supported values: "any", "cert'],
  [
    { signerName: "kubernetes.io/legacy-unknown" },
    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
  ],
  [
    { signerName: "nowhere" },
    "spec.signerName: Invalid value: \"nowhere\": must be a fully qualified domain and path of the form 'example.com/signer-name'",
  ],
  [
    { signerName: "a/b" },
    'spec.signerName: Invalid value: "a": should be a domain with at least two segments separated by dots',
  ],
  [
    { expirationSeconds: 599 },
    "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)",
  ],
])("%j is refused", async (spec, message) => {
  const answer = await post(request("refused", spec));
  expect(answer.status).toBe(422);
  expect(answer.json.message).toContain(message);
});

test("a verdict goes by the approval alone, stands, and excludes its opposite", async () => {
  const { json } = await post(request("judged"));
  const judged = (...types: string[]) => ({
    ...json,
    metadata: { name: "judged" },
    status: { conditions: types.map((type) => ({ type, status: "True", reason: "x" })) },
  });
  const byStatus = await put("judged", "status", judged("Approved"));
  expect(byStatus.json.message).toContain(
    'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
  );
  const approved = await put("judged", "approval", judged("Approved"));
  expect(approved.json.status.conditions).toEqual([
    {
      type: "Approved",
      status: "True",
      reason: "x",
      lastUpdateTime: expect.any(String),
      lastTransitionTime: expect.any(String),
    },
  ]);
  const both = await put("judged", "approval", judged("Approved", "Denied"));
  expect(both.json.message).toContain("Approved and Denied conditions are mutually exclusive");
  const none = await put("judged", "approval", judged());
  expect(none.json.message).toContain('updates may not remove a condition of type "Approved"');
});

test("a certificate is issued by the status alone, once", async () => {
  const { json } = await post(request("issued"));
  const with_ = (certificate: string, label = "CERTIFICATE") => ({
    ...json,
    metadata: { name: "issued" },
    status: { certificate: base64(encodePem(label, Buffer.from(certificate, "base64"))) },
  });
  const der = world.authority.certificate.der.toString("base64");
  const foreign = await put("issued", "status", with_(der, "EC PRIVATE KEY"));
  expect(foreign.json.message).toContain(
    'status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "EC PRIVATE KEY"',
  );
  const byApproval = await put("issued", "approval", with_(der));
  expect(byApproval.json.status.certificate).toBeUndefined();
  const issued = await put("issued", "status", with_(der));
  expect(issued.json.status.certificate).toBeDefined();
  const again = await put("issued", "status", { ...with_(der), status: { certificate: "" } });
  expect(again.json.message).toContain("updates may not modify existing certificate content");
});

test("requests are found by their signer, and listed with what became of them", async () => {
  await post(request("listed", { signerName: "example.com/listed", expirationSeconds: 3600 }));
  const answer = await world.request(
    "GET",
    `${path}?fieldSelector=spec.signerName=example.com/listed`,
    {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    },
  );
  const { columnDefinitions, rows } = answer.json;
  expect(columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
    "Name",
    "Age",
    "SignerName",
    "Requestor",
    "RequestedDuration",
    "Condition",
  ]);
  expect(rows).toHaveLength(1);
  expect(rows[0].cells.slice(2)).toEqual(["example.com/listed", "admin", "60m", "Pending"]);
});

test("approved requests are signed; those that a signer does not sign fail", async () => {
  await using loops = await startLoopsWorld();
  const { request: ask } = loops.api;
  const signer = "kubernetes.io/kube-apiserver-client";
  const create = async (name: string, usages: readonly string[]) => {
    const spec = { signerName: signer, usages, expirationSeconds: 3600 };
    const { json } = await ask("POST", path, { body: request(name, spec) });
    const conditions = [{ type: "Approved", status: "True" }];
    const body = { ...json, status: { conditions } };
    expect((await ask("PUT", `${path}/${name}/approval`, { body })).status).toBe(200);
  };
  await create("signed", ["digital signature", "client auth"]);
  await create("failed", ["server auth"]);
  const settled = await loops.until(certificateSigningRequestResource, (all) =>
    all.every(({ status }) => status.certificate || (status.conditions ?? []).length > 1)
      ? all
      : undefined,
  );
  const [failed, signed] = settled;
  const certificate = new X509Certificate(
    Buffer.from(signed?.status.certificate ?? "", "base64").toString(),
  );
  expect(certificate.subject).toBe("O=devs\nCN=jane");
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(certificate.checkIssued(new X509Certificate(loops.api.authority.certificatePem))).toBe(
    true,
  );
  expect(certificate.validToDate.getTime() - Date.now()).toBeLessThanOrEqual(3_600_000);
  expect(failed?.status.conditions?.[1]).toMatchObject({
    type: "Failed",
    reason: "SignerValidationFailure",
    message: "invalid usage for client certificate: server auth",
  });
});
