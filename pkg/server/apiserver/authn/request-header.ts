import type { IncomingHttpHeaders } from "node:http";
import type { RequestAuthenticator, UserInfo } from "./authenticator.ts";
import { allHeaderValues, headerKey, headerNamesWith } from "./header-values.ts";
import type { CertificateAuthority } from "./x509-authenticator.ts";

/** By what a front proxy tells for whom it asks. */
export const frontProxyHeaders = {
  username: "X-Remote-User",
  uid: "X-Remote-Uid",
  group: "X-Remote-Group",
  extraPrefix: "X-Remote-Extra-",
} as const;

/** The common name that a front proxy's certificate must have. */
export const frontProxyNames: readonly string[] = ["system:auth-proxy"];

/** A front proxy, known by its certificate, says for whom it asks. Without its headers, others are asked. */
export function createRequestHeaderAuthenticator(
  authority: CertificateAuthority,
): RequestAuthenticator {
  return ({ clientCertificate, headers }) => {
    if (clientCertificate === undefined) return { outcome: "none" };
    const certificate = authority.verify(clientCertificate);
    if (certificate === undefined) return { outcome: "wrong" };
    if (!frontProxyNames.includes(certificate.subject.commonName)) return { outcome: "wrong" };
    const user = userOf(headers);
    return user === undefined ? { outcome: "none" } : { outcome: "user", user };
  };
}

function userOf(headers: IncomingHttpHeaders): UserInfo | undefined {
  const { username, uid, group, extraPrefix } = frontProxyHeaders;
  const [name = ""] = allHeaderValues(headers, username.toLowerCase());
  if (name === "") return undefined;
  const [id = ""] = allHeaderValues(headers, uid.toLowerCase());
  const prefix = extraPrefix.toLowerCase();
  const extra = Object.fromEntries(
    headerNamesWith(headers, prefix).map((header) => [
      headerKey(header, prefix),
      allHeaderValues(headers, header),
    ]),
  );
  return {
    username: name,
    ...(id === "" ? {} : { uid: id }),
    groups: allHeaderValues(headers, group.toLowerCase()).filter((value) => value !== ""),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
