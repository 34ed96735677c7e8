import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import {
  type AlternativeNames,
  decodeAlternativeNames,
  encodeAlternativeNames,
  readExtensions,
  signatureAlgorithm,
} from "./certificate.ts";
import {
  derBitString,
  derContext,
  derElement,
  derInteger,
  derObjectIdentifier,
  derSequence,
  derTag,
  readDer,
  readDerElement,
  readObjectIdentifier,
} from "./der.ts";
import { type DistinguishedName, decodeName, encodeName } from "./distinguished-name.ts";
import { decodePem, encodePem } from "./pem.ts";

/** What a PKCS#10 request asks for, its signature verified. */
export interface CertificateRequest {
  readonly subject: DistinguishedName;
  /** The encoded subject, whole. */
  readonly subjectDer: Buffer;
  readonly alternativeNames: AlternativeNames;
  /** The encoding of `alternativeNames`; undefined where there are none. */
  readonly alternativeNamesDer: Buffer | undefined;
  readonly publicKey: KeyObject;
}

const extensionRequest = "1.2.840.113549.1.9.14";
const alternativeNamesOid = "2.5.29.17";

/** The PEM of a request for `publicKey`'s certificate, signed with the private key that goes with it. */
export function createCertificateRequest(
  subject: DistinguishedName,
  alternativeNames: readonly string[],
  keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
): string {
  const attributes =
    alternativeNames.length === 0
      ? []
      : [
          derSequence(
            derObjectIdentifier(extensionRequest),
            derElement(
              derTag.set,
              derSequence(
                derSequence(
                  derObjectIdentifier(alternativeNamesOid),
                  derElement(derTag.octetString, encodeAlternativeNames(alternativeNames)),
                ),
              ),
            ),
          ),
        ];
  const body = derSequence(
    derInteger(Buffer.from([0])),
    encodeName(subject),
    keys.publicKey.export({ type: "spki", format: "der" }),
    derContext(0, ...attributes),
  );
  const signature = sign("sha256", body, keys.privateKey);
  return encodePem(
    "CERTIFICATE REQUEST",
    derSequence(body, signatureAlgorithm(keys.privateKey), derBitString(signature)),
  );
}

/** The digest that goes with a signature; null where the signature has its own. */
const digests: Readonly<Record<string, string | null>> = {
  "1.3.101.112": null,
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

/** Reads a PEM request; throws where it is not one, or was not signed with the key it names. */
export function readCertificateRequest(pem: string): CertificateRequest {
  const [der] = decodePem("CERTIFICATE REQUEST", pem);
  if (der === undefined) throw new Error("no PEM block CERTIFICATE REQUEST found");
  const [body, algorithm, signature] = readDer(readDerElement(der).content);
  if (body === undefined || algorithm === undefined || signature === undefined) {
    throw new Error("not a certificate request");
  }
  const [, subject, subjectPublicKeyInfo, attributes] = readDer(body.content);
  if (subject === undefined || subjectPublicKeyInfo === undefined) {
    throw new Error("not a certificate request");
  }
  const publicKey = createPublicKey({
    key: subjectPublicKeyInfo.bytes,
    format: "der",
    type: "spki",
  });
  const oid = readObjectIdentifier(readDer(algorithm.content)[0]?.content ?? Buffer.alloc(0));
  const digest = Object.hasOwn(digests, oid) ? digests[oid] : undefined;
  if (digest === undefined) throw new Error(`signature algorithm ${oid} is not supported`);
  if (!verify(digest, body.bytes, publicKey, signature.content.subarray(1))) {
    throw new Error("the request's signature does not match its key");
  }
  const names = requestedNames(attributes?.content);
  return {
    subject: decodeName(subject),
    subjectDer: subject.bytes,
    alternativeNames: names === undefined ? noNames : decodeAlternativeNames(names),
    alternativeNamesDer: names,
    publicKey,
  };
}

const noNames: AlternativeNames = { dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] };

function requestedNames(attributes: Buffer | undefined): Buffer | undefined {
  if (attributes === undefined) return undefined;
  for (const attribute of readDer(attributes)) {
    const [type, values] = readDer(attribute.content);
    if (type === undefined || values === undefined) continue;
    if (readObjectIdentifier(type.content) !== extensionRequest) continue;
    const names = readExtensions(values).get(alternativeNamesOid);
    if (names !== undefined) return names;
  }
  return undefined;
}
