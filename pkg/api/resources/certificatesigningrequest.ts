import { addAll } from "../../base/add-all.ts";
import { readCertificate } from "../../base/x509/certificate.ts";
import { readCertificateRequest } from "../../base/x509/certificate-request.ts";
import { decodePemBlocks } from "../../base/x509/pem.ts";
import { ageColumn, humanDuration, nameColumn } from "../columns.ts";
import { duplicate, forbidden, invalid, notSupported, required } from "../field-error.ts";
import {
  type CertificateSigningRequest,
  type CertificateSigningRequestCondition,
  certificateSigningRequestSchema,
} from "../generated/certificates-v1.generated.ts";
import type { Draft } from "../object.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateSignerName } from "../shared/signer-name.ts";
import { formatTime } from "../time.ts";

type Condition = CertificateSigningRequestCondition;

export const certificateSigningRequestResource = defineResource<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  shortNames: ["csr"],
  scope: "cluster",
  schema: certificateSigningRequestSchema,
  nameRule: "path-segment",
  prepareCreate(request, { username, uid = "", groups, extra = {} }) {
    const { username: _, uid: __, groups: ___, extra: ____, ...asked } = request.spec;
    request.spec = {
      ...asked,
      ...(username === "" ? {} : { username }),
      ...(uid === "" ? {} : { uid }),
      ...(groups.length === 0 ? {} : { groups: [...groups] }),
      ...(Object.keys(extra).length === 0 ? {} : { extra: copyExtra(extra) }),
    };
    // Nobody creates a request that is approved already.
    request.status = {};
  },
  prepareUpdate(request, previous) {
    request.spec = previous.spec as Draft<CertificateSigningRequest["spec"]>;
  },
  prepareStatusUpdate(request, previous, nowMs) {
    keepVerdict(request, previous, "Approved");
    keepVerdict(request, previous, "Denied");
    fillTimes(request, previous, nowMs);
  },
  validate: (request) => validateSpec(request, undefined),
  validateUpdate: (next, previous) => validateChange(next, previous, "nothing"),
  validateStatusUpdate: (next, previous) => [
    ...validateSpec(next, previous),
    ...validateChange(next, previous, "certificate"),
  ],
  subresources: {
    status: true,
    parts: {
      approval: {
        prepareUpdate(request, previous, nowMs) {
          fillTimes(request, previous, nowMs);
          request.spec = previous.spec as Draft<CertificateSigningRequest["spec"]>;
          const { conditions } = request.status ?? {};
          const { conditions: _, ...kept } = previous.status ?? {};
          request.status = { ...kept, ...(conditions === undefined ? {} : { conditions }) };
        },
        validateUpdate: (next, previous) => [
          ...validateSpec(next, previous),
          ...validateChange(next, previous, "verdict"),
        ],
      },
    },
  },
  resetFields: {
    "": [["spec"], ["status"]],
    status: [["spec"], ["status", "conditions"]],
    approval: [["spec"], ["status", "certificate"]],
  },
  selectableFields: { "spec.signerName": ({ spec }) => spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    {
      name: "SignerName",
      type: "string",
      description: "Who is to sign.",
      cell: ({ spec }) => spec.signerName || "<none>",
    },
    {
      name: "Requestor",
      type: "string",
      description: "Who asked.",
      cell: ({ spec }) => spec.username ?? "",
    },
    {
      name: "RequestedDuration",
      type: "string",
      description: "How long the certificate is to be valid.",
      cell: ({ spec }) =>
        spec.expirationSeconds === undefined
          ? "<none>"
          : humanDuration(spec.expirationSeconds * 1000),
    },
    {
      name: "Condition",
      type: "string",
      description: "What has become of the request.",
      cell: printState,
    },
  ],
});

function copyExtra(extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}

/** Who issues a certificate does not judge whether it may be: the verdict stays as it is. */
function keepVerdict(
  { status }: Draft<CertificateSigningRequest>,
  previous: CertificateSigningRequest,
  type: string,
): void {
  const before = conditionsOf(previous, type);
  if (status?.conditions === undefined) return;
  if (status.conditions.filter((condition) => condition.type === type).length !== before.length) {
    return; // Refused as a change of the verdict.
  }
  let index = 0;
  status.conditions = status.conditions.map((condition) => {
    if (condition.type !== type) return condition;
    const kept = before[index] ?? condition;
    index += 1;
    return { ...kept };
  });
}

function fillTimes(
  { status }: Draft<CertificateSigningRequest>,
  previous: CertificateSigningRequest,
  nowMs: number,
): void {
  const now = formatTime(nowMs);
  for (const condition of status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    condition.lastTransitionTime ??=
      conditionsOf(previous, condition.type).find(
        ({ status: before, lastTransitionTime }) =>
          before === condition.status && lastTransitionTime !== undefined,
      )?.lastTransitionTime ?? now;
  }
}

function conditionsOf({ status }: CertificateSigningRequest, type: string): readonly Condition[] {
  return (status?.conditions ?? []).filter((condition) => condition.type === type);
}

// ---- validation --------------------------------------------------------------

const usages: readonly string[] = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

const legacySigner = "kubernetes.io/legacy-unknown";
const expirationSecondsMin = 600;

/** What is wrong with a request; what is stored already that way is let be. */
function validateSpec(
  request: CertificateSigningRequest,
  previous: CertificateSigningRequest | undefined,
): readonly FieldError[] {
  const { spec } = request;
  const errors: FieldError[] = [];
  const problem = requestProblem((spec.request as string | undefined) ?? "");
  if (problem !== undefined) errors.push(invalid("spec.request", spec.request, problem));
  if ((spec.usages ?? []).length === 0) errors.push(required("spec.usages"));
  // A spec never changes: only that of a new request can be at fault.
  if (previous === undefined) addAll(errors, validateUsages(spec.usages ?? []));
  if (previous?.spec.signerName !== legacySigner && spec.signerName === legacySigner) {
    const detail = "the legacy signerName is not allowed via this API version";
    errors.push(invalid("spec.signerName", spec.signerName, detail));
  } else {
    addAll(errors, validateSignerName("spec.signerName", spec.signerName));
  }
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < expirationSecondsMin) {
    errors.push(
      invalid(
        "spec.expirationSeconds",
        spec.expirationSeconds,
        "may not specify a duration less than 600 seconds (10 minutes)",
      ),
    );
  }
  addAll(errors, validateConditions(request.status?.conditions ?? []));
  const certificate = request.status?.certificate;
  if (certificate !== previous?.status?.certificate) {
    const fault = certificateProblem(certificate ?? "");
    if (fault !== undefined) {
      errors.push(invalid("status.certificate", "<certificate data>", fault));
    }
  }
  return errors;
}

function validateUsages(asked: readonly string[]): readonly FieldError[] {
  const seen = new Set<string>();
  return [
    ...asked.flatMap((usage, index) =>
      usages.includes(usage) ? [] : [notSupported(`spec.usages[${index}]`, usage, usages)],
    ),
    ...asked.flatMap((usage, index) => {
      if (seen.has(usage)) return [duplicate(`spec.usages[${index}]`, usage)];
      seen.add(usage);
      return [];
    }),
  ];
}

function requestProblem(base64: string): string | undefined {
  const pem = Buffer.from(base64, "base64").toString("utf8");
  const [block] = decodePemBlocks(pem);
  if (block?.label !== "CERTIFICATE REQUEST") return "PEM block type must be CERTIFICATE REQUEST";
  return messageOf(() => readCertificateRequest(pem));
}

function certificateProblem(base64: string): string | undefined {
  if (base64 === "") return undefined;
  const blocks = decodePemBlocks(Buffer.from(base64, "base64").toString("utf8"));
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const { label, hasHeaders, der } of blocks) {
    if (label !== "CERTIFICATE") {
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(label)}`;
    }
    if (hasHeaders) return "no PEM block headers are permitted";
    if (der.length === 0) return "found CERTIFICATE PEM block containing 0 certificates";
    const problem = messageOf(() => readCertificate(der));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function messageOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (caught) {
    return caught instanceof Error ? caught.message : String(caught);
  }
}

/** If they are there at all, they are true. */
const onlyTrue: ReadonlySet<string> = new Set(["Approved", "Denied", "Failed"]);

function validateConditions(conditions: readonly Condition[]): readonly FieldError[] {
  const list = "status.conditions";
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  conditions.forEach(({ type, status }, index) => {
    const path = `${list}[${index}]`;
    if (type === "") errors.push(required(`${path}.type`));
    const allowed = onlyTrue.has(type) ? ["True"] : ["False", "True", "Unknown"];
    if (status === "") errors.push(required(`${path}.status`));
    else if (!allowed.includes(status)) {
      errors.push(notSupported(`${path}.status`, status, allowed));
    }
    const opposite = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (opposite !== undefined && seen.has(opposite)) {
      errors.push(invalid(list, type, "Approved and Denied conditions are mutually exclusive"));
    }
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
  });
  return errors;
}

/** What a write may change, besides conditions that are nobody's verdict. */
type MayChange = "nothing" | "certificate" | "verdict";

function validateChange(
  next: CertificateSigningRequest,
  previous: CertificateSigningRequest,
  mayChange: MayChange,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const count = (request: CertificateSigningRequest, type: string) =>
    conditionsOf(request, type).length;
  for (const type of ["Approved", "Denied", "Failed"]) {
    if (count(next, type) >= count(previous, type)) continue;
    errors.push(
      forbidden("status.conditions", `updates may not remove a condition of type "${type}"`),
    );
  }
  for (const type of mayChange === "verdict" ? [] : ["Approved", "Denied"]) {
    if (count(next, type) <= count(previous, type)) continue;
    errors.push(
      forbidden("status.conditions", `updates may not add a condition of type "${type}"`),
    );
  }
  const before = previous.status?.certificate ?? "";
  if ((next.status?.certificate ?? "") === before) return errors;
  if (mayChange !== "certificate") {
    errors.push(forbidden("status.certificate", "updates may not set certificate content"));
  } else if (before !== "") {
    const detail = "updates may not modify existing certificate content";
    errors.push(forbidden("status.certificate", detail));
  }
  return errors;
}

function printState(request: CertificateSigningRequest): string {
  const is = (type: string) => conditionsOf(request, type).length > 0;
  const verdict = is("Denied") ? "Denied" : is("Approved") ? "Approved" : "Pending";
  const failed = is("Failed") ? ",Failed" : "";
  return `${verdict}${failed}${request.status?.certificate ? ",Issued" : ""}`;
}
