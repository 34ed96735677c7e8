import {
  type DerNode,
  derElement,
  derObjectIdentifier,
  derSequence,
  derTag,
  readDer,
  readObjectIdentifier,
} from "./der.ts";

/** Who a certificate is about: the parts of a subject that Kubernetes reads. */
export interface DistinguishedName {
  /** "" for none. */
  readonly commonName: string;
  readonly organizations: readonly string[];
}

const oids = { commonName: "2.5.4.3", organization: "2.5.4.10" };

export function encodeName(name: DistinguishedName): Buffer {
  const attribute = (oid: string, value: string) =>
    derElement(
      derTag.set,
      derSequence(
        derObjectIdentifier(oid),
        derElement(derTag.utf8String, Buffer.from(value, "utf8")),
      ),
    );
  return derSequence(
    ...name.organizations.map((value) => attribute(oids.organization, value)),
    ...(name.commonName === "" ? [] : [attribute(oids.commonName, name.commonName)]),
  );
}

/** Of several common names the last counts, as in Go's `pkix.Name`. */
export function decodeName(name: DerNode): DistinguishedName {
  let commonName = "";
  const organizations: string[] = [];
  for (const relative of readDer(name.content)) {
    for (const pair of readDer(relative.content)) {
      const [type, value] = readDer(pair.content);
      if (type === undefined || value === undefined) continue;
      const oid = readObjectIdentifier(type.content);
      const text = value.content.toString("utf8");
      if (oid === oids.commonName) commonName = text;
      else if (oid === oids.organization) organizations.push(text);
    }
  }
  return { commonName, organizations };
}
