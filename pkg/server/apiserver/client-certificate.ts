import type { TLSSocket } from "node:tls";
import type { PresentedCertificate } from "./authn/authenticator.ts";
import type { Exchange } from "./exchange.ts";

/** A connection's certificate is asked for once, and is the same value for each of its requests. */
const known = new WeakMap<object, PresentedCertificate | undefined>();

/** What the client has shown; undefined where it has shown nothing. */
export function clientCertificateOf({
  connection,
  socket,
}: Exchange): PresentedCertificate | undefined {
  const certificate = known.get(connection);
  if (certificate !== undefined || known.has(connection)) return certificate;
  const presented = presentedBy(socket);
  known.set(connection, presented);
  return presented;
}

/** Longer chains end here. */
const chainCertificatesMax = 8;

function presentedBy(socket: TLSSocket): PresentedCertificate | undefined {
  const chain: Uint8Array[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < chainCertificatesMax) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain.length === 0 ? undefined : { chain, isVerified: socket.authorized };
}
