import type { WebSocket } from "ws";
import { ApiError } from "../../../api/api-error.ts";
import type { UpgradedConnection } from "./runtime-upgrade.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";

/** What a WebSocket client may ask for, the best first. */
export const commandProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
] as const;

/** The channels, by the first byte of a message; the last one is v5's alone. */
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** More than this waiting for a slow client, and the container's output waits, too. */
const clientBufferBytesMax = 1 << 20;
const closeCodes = { normal: 1000, internalError: 1011 } as const;

/**
 * Carries an exec or attach session between a WebSocket client and the runtime's SPDY server, which stops at v4: v5's
 * closing of a channel becomes SPDY's half-close, so that a command sees the end of its input.
 */
export function runCommandSession(
  client: WebSocket,
  runtime: UpgradedConnection,
  streams: CommandStreams,
): void {
  const connection = new SpdyConnection(runtime.socket, runtime.head);
  const hasStderr = streams.stderr && !streams.tty;
  let open = 0;
  let isToldOfTheEnd = false;
  let isPaused = false;
  // Ours alone: what ws answers to pings waits, too, and nobody is told when that has left.
  let waitingBytes = 0;

  const send = (channel: number, data: Buffer) => {
    if (client.readyState !== client.OPEN) return;
    waitingBytes += data.length;
    client.send(encodeMessage(client.protocol, channel, data), () => {
      waitingBytes -= data.length;
      if (!isPaused || waitingBytes > clientBufferBytesMax / 2) return;
      isPaused = false;
      connection.resume();
    });
    if (isPaused || waitingBytes <= clientBufferBytesMax) return;
    isPaused = true;
    connection.pause();
  };
  /** The session is over once all output has ended, and the error stream, which tells of the exit code. */
  const openOutput = (streamType: string, channel: number): void => {
    open++;
    connection.open(
      { streamtype: streamType },
      {
        onData(data) {
          if (channel === channels.error) isToldOfTheEnd = true;
          send(channel, data);
        },
        onEnd() {
          open--;
          if (open > 0) return;
          // Without a status the client must not take the end for success.
          if (isToldOfTheEnd) client.close(closeCodes.normal);
          else
            client.close(closeCodes.internalError, "the container runtime broke off the session");
          connection.close();
        },
      },
    );
  };
  const openInput = (streamType: string): SpdyStream =>
    connection.open({ streamtype: streamType }, { onData() {}, onEnd() {} });

  // In the order in which remotecommand's clients open them.
  openOutput("error", channels.error);
  const stdin = streams.stdin ? openInput("stdin") : undefined;
  if (streams.stdout) openOutput("stdout", channels.stdout);
  if (hasStderr) openOutput("stderr", channels.stderr);
  const resize = streams.tty ? openInput("resize") : undefined;

  client.on("message", (message: Buffer) => {
    const { channel, data } = decodeMessage(client.protocol, message);
    if (channel === channels.stdin) stdin?.write(data);
    else if (channel === channels.resize) resize?.write(data);
    else if (channel === channels.close && client.protocol === "v5.channel.k8s.io") {
      if (data[0] === channels.stdin) stdin?.end();
      else if (data[0] === channels.resize) resize?.end();
    }
    if (client.isPaused || !connection.needsDrain) return;
    client.pause();
    void connection.drained().then(() => client.resume());
  });
  client.on("close", () => connection.close());
  // Told by the close that follows.
  client.on("error", () => {});

  // An empty message on the lowest channel that we write tells the client that the session stands.
  const firstOutput = hasStderr ? channels.stderr : channels.error;
  send(streams.stdout ? channels.stdout : firstOutput, Buffer.alloc(0));
}

/** Tells a client on the error channel why there is no session. */
export function refuseCommandSession(client: WebSocket, message: string): void {
  const status = Buffer.from(JSON.stringify(ApiError.from(new Error(message)).toStatus()));
  client.on("error", () => {});
  client.send(encodeMessage(client.protocol, channels.error, status));
  client.close(closeCodes.normal);
}

function encodeMessage(protocol: string, channel: number, data: Buffer): Buffer | string {
  return isBase64(protocol)
    ? `${channel}${data.toString("base64")}`
    : Buffer.concat([Buffer.of(channel), data]);
}

function decodeMessage(
  protocol: string,
  message: Buffer,
): { readonly channel: number | undefined; readonly data: Buffer } {
  const [first] = message;
  const rest = message.subarray(1);
  if (!isBase64(protocol)) return { channel: first, data: rest };
  const digit = Number.parseInt(String.fromCharCode(first ?? 0), 10);
  return { channel: digit, data: Buffer.from(rest.toString("latin1"), "base64") };
}

function isBase64(protocol: string): boolean {
  return protocol === "v4.base64.channel.k8s.io";
}
