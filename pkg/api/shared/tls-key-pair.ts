import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

interface PemBlock {
  readonly type: string;
  readonly der: Buffer;
}

function pemBlocks(text: string): readonly PemBlock[] {
  const found = text.matchAll(/-----BEGIN ([^-\n]+)-----([^-]*)-----END \1-----/g);
  return [...found].map(([, type = "", body = ""]) => ({
    type,
    der: Buffer.from(body.replace(/^[^\n:]*:.*$/gm, ""), "base64"),
  }));
}

function blockTypes(blocks: readonly PemBlock[]): string {
  return `[${blocks.map(({ type }) => type).join(" ")}]`;
}

/** Why a server could not answer with this certificate and key, in the words of Go's `tls.X509KeyPair`. */
export function tlsKeyPairProblem(certificateText: string, keyText: string): string | undefined {
  const blocks = pemBlocks(certificateText);
  const certificate = blocks.find(({ type }) => type === "CERTIFICATE");
  if (certificate === undefined) return certificateProblem(blocks);
  const keyBlocks = pemBlocks(keyText);
  const keyBlock = keyBlocks.find(({ type }) => /^(.* )?PRIVATE KEY$/.test(type));
  if (keyBlock === undefined) return keyProblem(keyBlocks);
  const parsed = parseCertificate(certificate.der);
  if (parsed === undefined) return "x509: malformed certificate";
  const key = parseKey(keyBlock.der);
  if (key === undefined) return "tls: failed to parse private key";
  if (key.asymmetricKeyType !== parsed.publicKey.asymmetricKeyType) {
    return "tls: private key type does not match public key type";
  }
  return parsed.checkPrivateKey(key) ? undefined : "tls: private key does not match public key";
}

function certificateProblem(blocks: readonly PemBlock[]): string {
  const [first] = blocks;
  if (first === undefined) return "tls: failed to find any PEM data in certificate input";
  if (blocks.length === 1 && first.type.endsWith("PRIVATE KEY")) {
    return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${blockTypes(blocks)}`;
}

function keyProblem(blocks: readonly PemBlock[]): string {
  const [first] = blocks;
  if (first === undefined) return "tls: failed to find any PEM data in key input";
  if (blocks.length === 1 && first.type === "CERTIFICATE") {
    return "tls: found a certificate rather than a key in the PEM for the private key";
  }
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${blockTypes(blocks)}`;
}

function parseCertificate(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function parseKey(der: Buffer): KeyObject | undefined {
  for (const type of ["pkcs8", "pkcs1", "sec1"] as const) {
    try {
      return createPrivateKey({ key: der, format: "der", type });
    } catch {
      // It is of another of the three.
    }
  }
  return undefined;
}
