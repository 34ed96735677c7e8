import type { WebSocket } from "ws";
import type { UpgradedConnection } from "./runtime-upgrade.ts";

/**
 * Carries a port-forward's SPDY bytes, which a WebSocket client wraps into binary messages
 * (`SPDY/3.1+portforward.k8s.io`, KEP-4006), to and from the runtime's SPDY server.
 */
export function runTunnelSession(client: WebSocket, runtime: UpgradedConnection): void {
  const { socket, head } = runtime;
  const toClient = (data: Buffer) => {
    if (client.readyState !== client.OPEN) return;
    socket.pause();
    client.send(data, () => socket.resume());
  };
  if (head.length > 0) toClient(head);
  socket.on("data", toClient);
  socket.on("close", () => client.close(1000));
  socket.on("error", () => client.close(1011));
  client.on("message", (data: Buffer) => {
    if (socket.write(data)) return;
    client.pause();
    socket.once("drain", () => client.resume());
  });
  client.on("close", () => socket.destroy());
  client.on("error", () => socket.destroy());
}
