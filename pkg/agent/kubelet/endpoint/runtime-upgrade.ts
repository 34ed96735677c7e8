import { request } from "node:http";
import type { Duplex } from "node:stream";

/** A connection to the runtime's streaming server after it has agreed to SPDY. */
export interface UpgradedConnection {
  readonly socket: Duplex;
  /** What the server sent along with its answer. */
  readonly head: Buffer;
  /** `X-Stream-Protocol-Version` of the answer. */
  readonly protocol: string;
  /** The answer's header, as it came: for relaying it. */
  readonly rawHeaders: readonly string[];
}

/** Opens a session at a URL that CRI's Exec, Attach or PortForward gave. Rejects where the runtime refuses. */
export function upgradeAtRuntime(
  url: string,
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<UpgradedConnection> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: "POST",
      signal,
      headers: {
        Connection: "Upgrade",
        Upgrade: "SPDY/3.1",
        "X-Stream-Protocol-Version": [...protocols],
      },
    });
    asked.once("upgrade", (response, socket, head) => {
      resolve({
        socket,
        head,
        protocol: String(response.headers["x-stream-protocol-version"] ?? ""),
        rawHeaders: response.rawHeaders,
      });
    });
    asked.once("response", (response) => {
      response.resume();
      reject(
        new Error(
          `the container runtime refused the session: ${response.statusCode} ${response.statusMessage}`,
        ),
      );
    });
    asked.once("error", reject);
    asked.end();
  });
}
