import { Writable } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { ClientGoneError, type Exchange } from "./exchange.ts";
import type { Negotiated } from "./negotiation.ts";

/** Clients have nothing to say in a watch: what they send is read and thrown away. */
const messageBytesMax = 64 * 1024;

/** With it comes a token, instead of a header that browsers cannot set. */
const tokenProtocol = "base64url.bearer.authorization.k8s.io.";

const webSockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: messageBytesMax,
  handleProtocols: (offered) =>
    [...offered].find((protocol) => !protocol.startsWith(tokenProtocol)) ?? false,
});

/** Whether the client wants its answer in the messages of a WebSocket. */
export function asksForWebSocket({ upgrade, headers }: Exchange): boolean {
  return upgrade !== undefined && headers.upgrade?.toLowerCase() === "websocket";
}

/**
 * Takes the connection over, and writes each frame of a watch as one message: JSON as text, protobuf, without
 * the length that stands before each frame, as bytes. Throws where the client is gone, or its handshake wrong.
 */
export function beginWebSocket(exchange: Exchange, encoding: Negotiated["encoding"]): Writable {
  const { upgrade } = exchange;
  if (upgrade === undefined || exchange.isClosed) throw new ClientGoneError();
  const { request, socket, head } = upgrade;
  upgrade.take();
  let opened: WebSocket | undefined;
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    opened = webSocket;
  });
  exchange.status = opened === undefined ? 400 : 101;
  if (opened === undefined) throw new ClientGoneError();
  return messagesOf(opened, encoding === "protobuf");
}

function messagesOf(webSocket: WebSocket, binary: boolean): Writable {
  const split = binary ? lengthPrefixed : lines;
  let rest: Buffer = Buffer.alloc(0);
  const messages = new Writable({
    write(chunk: Buffer, _, written) {
      const frames: Buffer[] = [];
      const begun = split(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), frames);
      // The chunk is its writer's again once it is written; what has only begun is kept until then.
      rest = Buffer.from(begun);
      const last = frames.pop();
      for (const frame of frames) webSocket.send(frame, { binary });
      if (last === undefined) written();
      else webSocket.send(last, { binary }, (error) => written(error ?? null));
    },
    final(ended) {
      webSocket.close(1000);
      ended();
    },
    destroy(error, destroyed) {
      webSocket.terminate();
      destroyed(error);
    },
    autoDestroy: false,
    decodeStrings: true,
  });
  // What goes wrong with a connection is the client's affair, and told by its being closed.
  messages.on("error", () => {});
  webSocket.on("error", () => {});
  webSocket.on("close", () => messages.destroy());
  return messages;
}

const newline = 0x0a;

/** Adds the whole lines to `frames`; what is left is the beginning of one. */
function lines(bytes: Buffer, frames: Buffer[]): Buffer {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(newline, start) + 1;
    if (end === 0) return bytes.subarray(start);
    frames.push(bytes.subarray(start, end));
    start = end;
  }
}

/** Adds what whole frames hold behind their length to `frames`; what is left is the beginning of one. */
function lengthPrefixed(bytes: Buffer, frames: Buffer[]): Buffer {
  let start = 0;
  while (bytes.length - start >= 4) {
    const end = start + 4 + bytes.readUInt32BE(start);
    if (end > bytes.length) break;
    frames.push(bytes.subarray(start + 4, end));
    start = end;
  }
  return bytes.subarray(start);
}
