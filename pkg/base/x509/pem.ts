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
