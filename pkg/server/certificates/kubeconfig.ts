import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFilesAtomically } from "../../base/atomic-file.ts";
import { MendableError } from "../../base/mendable-error.ts";
import type { KeyPairPem } from "./authority.ts";

export interface KubeconfigOptions {
  /** As in `https://127.0.0.1:6443`. */
  readonly server: string;
  readonly caPem: string;
  readonly client: KeyPairPem;
}

/** A kubeconfig that needs no other file, in the form and with the names that k3s writes. */
export function kubeconfig(options: KubeconfigOptions): string {
  const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(options.caPem)}
    server: ${options.server}
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: ${base64(options.client.certificatePem)}
    client-key-data: ${base64(options.client.keyPem)}
`;
}

/** Writes it for its owner alone, unless `mode` says otherwise. */
export async function writeKubeconfig(
  path: string,
  options: KubeconfigOptions,
  mode = 0o600,
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFilesAtomically([{ path, content: kubeconfig(options), mode }]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MendableError(
      `the kubeconfig ${path} cannot be written (${why}): name another file with --write-kubeconfig`,
      { cause },
    );
  }
}
