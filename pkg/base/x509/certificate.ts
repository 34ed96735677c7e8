import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import {
  type DerNode,
  derBitString,
  derBoolean,
  derContext,
  derElement,
  derInteger,
  derNamedBits,
  derNull,
  derObjectIdentifier,
  derSequence,
  derTag,
  derTime,
  readDer,
  readDerElement,
  readObjectIdentifier,
  readTime,
} from "./der.ts";
import { type DistinguishedName, decodeName, encodeName } from "./distinguished-name.ts";

export type CertificateUse = "ca" | "server" | "client";

/** What is to be certified. */
export interface CertificateTemplate {
  /** Or its encoding, with parts that `DistinguishedName` has no word for. */
  readonly subject: DistinguishedName | Buffer;
  readonly publicKey: KeyObject;
  readonly uses: readonly CertificateUse[];
  /** Further uses, by Kubernetes' names: `digital signature`, `client auth`, … */
  readonly usages?: readonly string[];
  /** DNS names and IP addresses, or the encoding of these and others. */
  readonly alternativeNames: readonly string[] | Buffer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Who signs; `certificate` undefined: the certificate signs itself. */
export interface CertificateSigner {
  readonly certificate: Certificate | undefined;
  readonly key: KeyObject;
}

/** A certificate that was read. */
export interface Certificate {
  readonly der: Buffer;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** The encoded subject: an issuer's name must be repeated byte for byte. */
  readonly subjectDer: Buffer;
  readonly subjectKeyId: Buffer | undefined;
  readonly authorityKeyId: Buffer | undefined;
  readonly alternativeNames: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const oids = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
};

/** Which bit of KeyUsage, counted from the left. */
const keyUsageBits: Readonly<Record<string, number>> = {
  signing: 0,
  "digital signature": 0,
  "content commitment": 1,
  "key encipherment": 2,
  "data encipherment": 3,
  "key agreement": 4,
  "cert sign": 5,
  "crl sign": 6,
  "encipher only": 7,
  "decipher only": 8,
};

const purposes: Readonly<Record<string, string>> = {
  any: "2.5.29.37.0",
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
  "code signing": "1.3.6.1.5.5.7.3.3",
  "email protection": "1.3.6.1.5.5.7.3.4",
  "s/mime": "1.3.6.1.5.5.7.3.4",
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  "ocsp signing": "1.3.6.1.5.5.7.3.9",
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

const usagesOfUse: Readonly<Record<CertificateUse, readonly string[]>> = {
  ca: ["digital signature", "cert sign", "crl sign"],
  server: ["digital signature", "server auth"],
  client: ["digital signature", "client auth"],
};

/** The DER of a new certificate, signed by `signer`. */
export function createCertificate(
  template: CertificateTemplate,
  signer: CertificateSigner,
): Certificate {
  const subjectPublicKeyInfo = template.publicKey.export({ type: "spki", format: "der" });
  const keyId = createHash("sha1").update(subjectPublicKeyInfo).digest();
  const subject = Buffer.isBuffer(template.subject)
    ? template.subject
    : encodeName(template.subject);
  const algorithm = signatureAlgorithm(signer.key);
  const body = derSequence(
    derContext(0, derInteger(Buffer.from([2]))),
    derInteger(serialNumber()),
    algorithm,
    signer.certificate?.subjectDer ?? subject,
    derSequence(derTime(template.notBeforeMs), derTime(template.notAfterMs)),
    subject,
    subjectPublicKeyInfo,
    derContext(3, derSequence(...extensions(template, keyId, signer.certificate))),
  );
  const signature = sign("sha256", body, signer.key);
  return readCertificate(derSequence(body, algorithm, derBitString(signature)));
}

/** Signs `body` with the one algorithm that fits the key, as X.509 names it. */
export function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === "rsa"
    ? derSequence(derObjectIdentifier("1.2.840.113549.1.1.11"), derNull())
    : derSequence(derObjectIdentifier("1.2.840.10045.4.3.2"));
}

/** 127 random bits, never negative and never zero. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function extensions(
  template: CertificateTemplate,
  keyId: Buffer,
  issuer: Certificate | undefined,
): readonly Buffer[] {
  const isCa = template.uses.includes("ca");
  const usages = [...template.uses.flatMap((use) => usagesOfUse[use]), ...(template.usages ?? [])];
  const bits = usages.flatMap((usage) => keyUsageBits[usage] ?? []);
  const extended = [...new Set(usages.flatMap((usage) => purposes[usage] ?? []))];
  return [
    ...(bits.length === 0 ? [] : [extension(oids.keyUsage, true, derNamedBits(bits))]),
    ...(extended.length === 0
      ? []
      : [
          extension(
            oids.extendedKeyUsage,
            false,
            derSequence(...extended.map(derObjectIdentifier)),
          ),
        ]),
    extension(oids.basicConstraints, true, isCa ? derSequence(derBoolean(true)) : derSequence()),
    extension(oids.subjectKeyId, false, derElement(derTag.octetString, keyId)),
    ...(issuer?.subjectKeyId === undefined
      ? []
      : [
          extension(oids.authorityKeyId, false, derSequence(derElement(0x80, issuer.subjectKeyId))),
        ]),
    ...(template.alternativeNames.length === 0
      ? []
      : [
          extension(
            oids.alternativeNames,
            false,
            Buffer.isBuffer(template.alternativeNames)
              ? template.alternativeNames
              : encodeAlternativeNames(template.alternativeNames),
          ),
        ]),
  ];
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  return derSequence(
    derObjectIdentifier(oid),
    ...(critical ? [derBoolean(true)] : []),
    derElement(derTag.octetString, value),
  );
}

/** SubjectAltName's value: IP addresses as bytes, all else as DNS names. */
export function encodeAlternativeNames(names: readonly string[]): Buffer {
  return derSequence(
    ...names.map((name) =>
      isIP(name) === 0
        ? derElement(0x82, Buffer.from(name, "ascii"))
        : derElement(0x87, addressBytes(name)),
    ),
  );
}

/** The names beside the subject, by what they are. */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

export function decodeAlternativeNames(value: Uint8Array): AlternativeNames {
  const names = readDer(readDerElement(value).content);
  const tagged = (tag: number) => names.filter((name) => name.tag === tag);
  const texts = (tag: number) => tagged(tag).map(({ content }) => content.toString("ascii"));
  return {
    dnsNames: texts(0x82),
    ipAddresses: tagged(0x87).map(({ content }) => addressText(content)),
    emailAddresses: texts(0x81),
    uris: texts(0x86),
  };
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = 8 - words(head).length - words(tail).length;
  const all = [...words(head), ...Array<string>(missing).fill("0"), ...words(tail)];
  return Buffer.from(all.map((word) => word.padStart(4, "0")).join(""), "hex");
}

/** The text of an address's 4 or 16 bytes, in its shortest form. */
function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join(".");
  const words = bytes.toString("hex").match(/.{4}/g) ?? [];
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}

/** Reads a certificate's DER; throws where it is not one. */
export function readCertificate(bytes: Uint8Array): Certificate {
  const whole = readDerElement(bytes);
  const [body] = readDer(whole.content);
  if (body === undefined) throw new Error("not a certificate");
  const fields = readDer(body.content);
  const offset = fields[0]?.tag === 0xa0 ? 1 : 0;
  const [, , issuer, validity, subject] = fields.slice(offset);
  if (issuer === undefined || validity === undefined || subject === undefined) {
    throw new Error("not a certificate");
  }
  const [notBefore, notAfter] = readDer(validity.content);
  if (notBefore === undefined || notAfter === undefined) throw new Error("not a certificate");
  const values = readExtensions(fields.find((field) => field.tag === 0xa3));
  const subjectKeyId = values.get(oids.subjectKeyId);
  const authorityKeyId = values.get(oids.authorityKeyId);
  const alternativeNames = values.get(oids.alternativeNames);
  return {
    der: whole.bytes,
    subject: decodeName(subject),
    issuer: decodeName(issuer),
    subjectDer: subject.bytes,
    subjectKeyId: subjectKeyId === undefined ? undefined : readDerElement(subjectKeyId).content,
    authorityKeyId:
      authorityKeyId === undefined
        ? undefined
        : readDer(readDerElement(authorityKeyId).content).find((part) => part.tag === 0x80)
            ?.content,
    alternativeNames: alternativeNames === undefined ? [] : hostsOf(alternativeNames),
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter),
  };
}

function hostsOf(value: Uint8Array): readonly string[] {
  const { dnsNames, ipAddresses } = decodeAlternativeNames(value);
  return [...dnsNames, ...ipAddresses];
}

/** The extensions' values by object identifier; `list` holds a SEQUENCE OF Extension. */
export function readExtensions(list: DerNode | undefined): ReadonlyMap<string, Buffer> {
  const values = new Map<string, Buffer>();
  if (list === undefined) return values;
  for (const entry of readDer(readDerElement(list.content).content)) {
    const parts = readDer(entry.content);
    const [type] = parts;
    const value = parts.at(-1);
    if (type === undefined || value === undefined) continue;
    values.set(readObjectIdentifier(type.content), value.content);
  }
  return values;
}
