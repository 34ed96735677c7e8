/** PEM text of DER bytes. */
export function encodePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The DER of each block with this label, in order. */
export function decodePem(label: string, text: string): readonly Buffer[] {
  const block = new RegExp(
    `-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`,
    "g",
  );
  return [...text.matchAll(block)].map((match) => Buffer.from(match[1] ?? "", "base64"));
}

/** One block of a PEM text. */
export interface PemBlock {
  readonly label: string;
  /** Whether it begins with lines of `Name: value`. */
  readonly hasHeaders: boolean;
  readonly der: Buffer;
}

const anyBlock =
  /^-----BEGIN ([^\r\n]*)-----[ \t]*\r?\n((?:[^\r\n:-]+:[^\r\n]*\r?\n)*)([A-Za-z0-9+/=\s]*?)-----END \1-----[ \t]*$/gm;

/** Every block of a text, whatever its label, in order; what lies around them counts for nothing. */
export function decodePemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(anyBlock)].map(([, label = "", headers = "", base64 = ""]) => ({
    label,
    hasHeaders: headers !== "",
    der: Buffer.from(base64, "base64"),
  }));
}
