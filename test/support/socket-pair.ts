import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Both ends of a TCP connection. */
export async function socketPair(
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<readonly [Socket, Socket]> {
  const server = createServer(options).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const far = connect({ port, host: "127.0.0.1", ...options });
  const [near] = (await once(server, "connection")) as [Socket];
  server.close();
  return [near, far];
}
