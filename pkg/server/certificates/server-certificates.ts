import { createPrivateKey, type KeyObject } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileToWrite, writeFilesAtomically } from "../../base/atomic-file.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import {
  type Authority,
  createAuthority,
  generateKey,
  issueKeyPair,
  type KeyPairPem,
  keyToPem,
  type LeafRequest,
  readAuthority,
  renewalReason,
} from "./authority.ts";
import { type ServingNamesOptions, servingNames } from "./serving-names.ts";

export interface CertificateOptions extends ServingNamesOptions {
  /** `<data-dir>/server/tls`; made where it is not. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Every key and certificate of a server. */
export interface ServerCertificates {
  /** Signs what servers show: the API's and the kubelets' serving certificates. */
  readonly serverCa: Authority;
  /** Signs what clients show: a certificate from it says who asks. */
  readonly clientCa: Authority;
  /** Signs the front proxy, whose headers aggregated API servers believe. */
  readonly requestHeaderCa: Authority;
  /** Signs ServiceAccount tokens. */
  readonly serviceAccountKey: KeyObject;
  /** What the API server shows. */
  readonly serving: KeyPairPem;
  readonly admin: KeyPairPem;
  readonly controllerManager: KeyPairPem;
  readonly scheduler: KeyPairPem;
  /** What the API server shows to kubelets. */
  readonly kubeletClient: KeyPairPem;
}

const leaves = {
  admin: ["client-admin", "system:admin", ["system:masters"]],
  controllerManager: ["client-controller", "system:kube-controller-manager", []],
  scheduler: ["client-scheduler", "system:kube-scheduler", []],
  kubeletClient: ["client-kube-apiserver", "system:apiserver", ["system:masters"]],
} as const satisfies Record<string, readonly [string, string, readonly string[]]>;

/**
 * The server's certificates from their folder: what is missing is made, what ends soon or no longer fits is issued
 * anew, everything else stays as it is. On the disk when this resolves. A damaged CA is never replaced: it throws.
 */
export async function openServerCertificates(
  options: CertificateOptions,
): Promise<ServerCertificates> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = new CertificateFolder(options);
  const stamp = Math.floor(options.clock.now() / 1000);
  const [serverCa, clientCa, requestHeaderCa, serviceAccountKey] = await Promise.all([
    folder.authority("server-ca", `mini8s-server-ca@${stamp}`),
    folder.authority("client-ca", `mini8s-client-ca@${stamp}`),
    folder.authority("request-header-ca", `mini8s-request-header-ca@${stamp}`),
    folder.key("service"),
  ]);
  const client = ([file, commonName, organizations]: (typeof leaves)[keyof typeof leaves]) =>
    folder.leaf(file, clientCa, {
      subject: { commonName, organizations },
      uses: ["client"],
      alternativeNames: [],
    });
  const [serving, admin, controllerManager, scheduler, kubeletClient] = await Promise.all([
    folder.leaf("serving-kube-apiserver", serverCa, {
      subject: { commonName: "kube-apiserver", organizations: [] },
      uses: ["server"],
      alternativeNames: servingNames(options),
    }),
    client(leaves.admin),
    client(leaves.controllerManager),
    client(leaves.scheduler),
    client(leaves.kubeletClient),
  ]);
  await folder.flush();
  return {
    serverCa,
    clientCa,
    requestHeaderCa,
    serviceAccountKey,
    serving,
    admin,
    controllerManager,
    scheduler,
    kubeletClient,
  };
}

/** Reads what is there and collects what is new, so that everything reaches the disk in one go. */
class CertificateFolder {
  readonly #options: CertificateOptions;
  readonly #files: FileToWrite[] = [];

  constructor(options: CertificateOptions) {
    this.#options = options;
  }

  async authority(name: string, commonName: string): Promise<Authority> {
    const [certificatePem, keyPem] = await Promise.all([
      this.#read(`${name}.crt`),
      this.#read(`${name}.key`),
    ]);
    try {
      if (certificatePem !== undefined && keyPem !== undefined) {
        return readAuthority(certificatePem, keyPem);
      }
      if (certificatePem !== undefined) throw new Error(`${name}.key is missing`);
      const key = keyPem === undefined ? generateKey() : createPrivateKey(keyPem);
      const authority = createAuthority(commonName, key, this.#options.clock.now());
      if (keyPem === undefined) this.#write(`${name}.key`, keyToPem(key), 0o600);
      this.#write(`${name}.crt`, authority.certificatePem, 0o644);
      return authority;
    } catch (caught) {
      const why = caught instanceof Error ? caught.message : String(caught);
      throw new Error(
        `cannot use the CA in ${join(this.#options.folder, name)}.crt: ${why}; restore both files from a backup, ` +
          "or delete both to start with a new CA (every node must then join again)",
        { cause: caught },
      );
    }
  }

  async key(name: string): Promise<KeyObject> {
    const pem = await this.#read(`${name}.key`);
    if (pem !== undefined) {
      try {
        return createPrivateKey(pem);
      } catch (caught) {
        const file = join(this.#options.folder, `${name}.key`);
        throw new Error(`cannot read the private key in ${file}: restore it, or delete it`, {
          cause: caught,
        });
      }
    }
    const key = generateKey();
    this.#write(`${name}.key`, keyToPem(key), 0o600);
    return key;
  }

  async leaf(name: string, authority: Authority, request: LeafRequest): Promise<KeyPairPem> {
    const { clock, log } = this.#options;
    const [certificatePem, keyPem] = await Promise.all([
      this.#read(`${name}.crt`),
      this.#read(`${name}.key`),
    ]);
    if (certificatePem !== undefined && keyPem !== undefined) {
      const stored = { certificatePem, keyPem };
      const reason = renewalReason(stored, authority, request, clock.now());
      if (reason === undefined) return stored;
      log.info("renewing a certificate", { name, reason });
    }
    const pair = issueKeyPair(authority, request, clock.now());
    this.#write(`${name}.key`, pair.keyPem, 0o600);
    this.#write(`${name}.crt`, pair.certificatePem, 0o644);
    return pair;
  }

  async flush(): Promise<void> {
    if (this.#files.length > 0) await writeFilesAtomically(this.#files);
  }

  #write(name: string, content: string, mode: number): void {
    this.#files.push({ path: join(this.#options.folder, name), content, mode });
  }

  async #read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#options.folder, name), "utf8");
    } catch (caught) {
      if (caught instanceof Error && "code" in caught && caught.code === "ENOENT") return undefined;
      throw caught;
    }
  }
}
