import type { TLSSocket } from "node:tls";
import type { Incoming } from "./exchange.ts";

/** A connection's certificate is asked for once, and is the same bytes for each of its requests. */
const known = new WeakMap<object, Uint8Array | undefined>();

/** DER of the client's certificate; undefined where it sent none, or none that our client CA signed. */
export function clientCertificateOf(incoming: Incoming): Uint8Array | undefined {
  const session = "stream" in incoming ? incoming.stream?.session : undefined;
  const connection: object = session ?? incoming.socket;
  if (known.has(connection)) return known.get(connection);
  const socket = incoming.socket as TLSSocket;
  const certificate = socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
  known.set(connection, certificate);
  return certificate;
}
