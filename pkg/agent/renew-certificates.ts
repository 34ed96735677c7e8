import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import type { CertificateSigningRequest } from "../api/generated/certificates-v1.generated.ts";
import type { NewObject } from "../api/object.ts";
import { certificateSigningRequestResource } from "../api/resources/certificatesigningrequest.ts";
import { signerNames } from "../api/shared/kubelet-request.ts";
import { isAbortOf } from "../base/abort.ts";
import { writeFilesAtomically } from "../base/atomic-file.ts";
import { type BackoffPolicy, backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { readCertificate } from "../base/x509/certificate.ts";
import { createCertificateRequest } from "../base/x509/certificate-request.ts";
import { decodePem } from "../base/x509/pem.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";
import type { KeyedCertificate } from "./join.ts";

/** One of a node's certificates: what it is for, and who is to know of a new one. */
export interface RenewedCertificate {
  readonly use: "client" | "serving";
  /** The one in use now. */
  readonly current: KeyedCertificate;
  /** From now on, this one. */
  replace(next: KeyedCertificate): void;
}

export interface RenewalDeps {
  readonly client: Client;
  readonly nodeName: string;
  /** What the serving certificate is to name: addresses that the Node says it has. */
  readonly nodeAddresses: readonly string[];
  /** `<data-dir>/agent` */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** Longer sleeps are taken in pieces: timers reach no further than 24 days, and clocks are set. */
const lookAgainMs = 24 * 3_600_000;
/** Nobody may be there to say yes. */
const answerMs = 15 * 60_000;
const retry: BackoffPolicy = { firstMs: 10_000, maxMs: 15 * 60_000 };

/** When to ask for the next one: after 70 to 90 percent of its life, so that nodes do not all ask at once. */
export function renewalDueMs(certificatePem: string, random: number): number {
  const [der] = decodePem("CERTIFICATE", certificatePem);
  if (der === undefined) return 0;
  const { notBeforeMs, notAfterMs } = readCertificate(der);
  return notBeforeMs + (notAfterMs - notBeforeMs) * (0.7 + 0.2 * random);
}

/** Has the node's certificates issued anew before they end, while everything that uses them goes on. */
export function createCertificateRenewal(
  deps: RenewalDeps,
  certificates: readonly RenewedCertificate[],
): Service {
  return {
    name: "certificate renewal",
    async run(signal) {
      await Promise.all(certificates.map((certificate) => keepCurrent(deps, certificate, signal)));
    },
  };
}

async function keepCurrent(
  deps: RenewalDeps,
  certificate: RenewedCertificate,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger, random } = deps;
  const { use } = certificate;
  let { current } = certificate;
  try {
    for (;;) {
      const dueMs = renewalDueMs(current.certificate, random());
      for (let leftMs = dueMs - clock.now(); leftMs > 0; leftMs = dueMs - clock.now()) {
        await clock.sleep(Math.min(leftMs, lookAgainMs), signal);
      }
      current = await renew(deps, use, signal);
      certificate.replace(current);
      logger.info("renewed a certificate of this node", { use });
    }
  } catch (caught) {
    if (!isAbortOf(signal, caught)) throw caught;
  }
}

/** Asks until there is an answer. */
async function renew(
  deps: RenewalDeps,
  use: RenewedCertificate["use"],
  signal: AbortSignal,
): Promise<KeyedCertificate> {
  for (let failures = 1; ; failures++) {
    try {
      const issued = await requestCertificate(deps, use, signal);
      const file = join(deps.folder, use === "client" ? "client-kubelet" : "serving-kubelet");
      await writeFilesAtomically([
        { path: `${file}.key`, content: issued.privateKey, mode: 0o600 },
        { path: `${file}.crt`, content: issued.certificate, mode: 0o644 },
      ]);
      return issued;
    } catch (caught) {
      signal.throwIfAborted();
      deps.logger.warn("a certificate of this node is not renewed yet", { use, error: caught });
      await deps.clock.sleep(backoffMs(retry, failures), signal);
    }
  }
}

async function requestCertificate(
  deps: RenewalDeps,
  use: RenewedCertificate["use"],
  signal: AbortSignal,
): Promise<KeyedCertificate> {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = {
    commonName: `system:node:${deps.nodeName}`,
    organizations: ["system:nodes"],
  };
  const names = use === "client" ? [] : [deps.nodeName, ...deps.nodeAddresses];
  const pem = createCertificateRequest(subject, names, keys);
  const request: NewObject<CertificateSigningRequest> = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { generateName: "csr-" },
    spec: {
      request: Buffer.from(pem).toString("base64"),
      signerName: use === "client" ? signerNames.kubeletClient : signerNames.kubeletServing,
      usages: ["digital signature", use === "client" ? "client auth" : "server auth"],
    },
  };
  const made = await deps.client.create(certificateSigningRequestResource, request, signal);
  const certificate = await answerTo(deps, made.metadata.name, signal);
  return {
    certificate,
    privateKey: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** PEM of what was issued; throws where it was refused, or where nobody answers. */
async function answerTo(
  { client, clock }: RenewalDeps,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const done = new AbortController();
  const limited = AbortSignal.any([signal, done.signal]);
  const requests = client.informer(certificateSigningRequestResource, {
    fieldSelector: `metadata.name=${name}`,
  });
  const answer = Promise.withResolvers<string>();
  const tooLate = clock.after(answerMs, () =>
    answer.reject(new Error(`nobody has answered CertificateSigningRequest ${name}`)),
  );
  const aborted = () => answer.reject(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  const unsubscribe = watchAnswer(requests, answer);
  const watching = requests.run(limited);
  watching.catch(answer.reject);
  try {
    return await answer.promise;
  } finally {
    tooLate();
    unsubscribe();
    signal.removeEventListener("abort", aborted);
    done.abort();
    await watching.catch(() => undefined);
  }
}

function watchAnswer(
  requests: Informer<CertificateSigningRequest>,
  answer: PromiseWithResolvers<string>,
): () => void {
  return requests.subscribe(({ type, object: { metadata, status } }) => {
    const refusal = status?.conditions?.find(
      (condition) => condition.type === "Denied" || condition.type === "Failed",
    );
    if (type === "deleted" || refusal !== undefined) {
      const why = refusal?.message ?? refusal?.type ?? "it was deleted";
      answer.reject(new Error(`CertificateSigningRequest ${metadata.name} was refused: ${why}`));
    } else if (status?.certificate) {
      answer.resolve(Buffer.from(status.certificate, "base64").toString("utf8"));
    }
  });
}
