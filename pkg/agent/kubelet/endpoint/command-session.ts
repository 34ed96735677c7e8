import type { WebSocket } from "ws";
import type { UpgradedConnection } from "./runtime-upgrade.ts";
import type { SpdyStream } from "./spdy-connection.ts";
import { SpdyConnection } from "./spdy-connection.ts";

/** The channels of `v4.channel.k8s.io` and `v5.channel.k8s.io`, by the first byte of a message. */
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** More than this waiting for a slow client, in bytes, and the container's output waits, too. */
const clientBufferBytesMax = 1 << 20;

/**
 * Carries an exec or attach session between a WebSocket client (v4 or v5) and the runtime's SPDY server, which
 * stops at v4: v5's closing of a channel becomes SPDY's half-close, so that a command sees the end of its input.
 */
export function runCommandSession(
  client: WebSocket,
  runtime: UpgradedConnection,
  streams: CommandStreams,
): void {
  const connection = new SpdyConnection(runtime.socket, runtime.head);
  let open = 0;
  let ended = false;

  const finish = () => {
    if (ended) return;
    ended = true;
    client.close(1000);
    connection.close();
  };
  const send = (channel: number, data: Buffer) => {
    if (client.readyState !== client.OPEN) return;
    client.send(Buffer.concat([Buffer.from([channel]), data]));
    if (client.bufferedAmount > clientBufferBytesMax) {
      connection.pause();
      waitForClient();
    }
  };
  // ws tells of no drain; the callback of an empty ping comes after everything before it has left.
  const waitForClient = () => {
    client.ping(undefined, undefined, () => connection.resume());
  };
  const openStream = (streamType: string, channel: number, counts: boolean): SpdyStream => {
    if (counts) open++;
    return connection.open(
      { streamtype: streamType },
      {
        onData: (data) => send(channel, data),
        onEnd: () => {
          if (!counts) return;
          open--;
          // The error stream ends last: by then all output has been sent.
          if (open === 0) finish();
        },
      },
    );
  };

  // In the order in which remotecommand's clients open them.
  openStream("error", channels.error, true);
  const stdin = streams.stdin ? openStream("stdin", channels.stdin, false) : undefined;
  if (streams.stdout) openStream("stdout", channels.stdout, true);
  if (streams.stderr && !streams.tty) openStream("stderr", channels.stderr, true);
  const resize = streams.tty ? openStream("resize", channels.resize, false) : undefined;

  client.on("message", (message: Buffer) => {
    const [channel] = message;
    const data = message.subarray(1);
    if (channel === channels.stdin) stdin?.write(data);
    else if (channel === channels.resize) resize?.write(data);
    else if (channel === channels.close && data[0] === channels.stdin) stdin?.end();
    else if (channel === channels.close && data[0] === channels.resize) resize?.end();
    void connection.drained().then(() => client.resume());
    client.pause();
  });
  client.on("close", () => {
    ended = true;
    connection.close();
  });
  client.on("error", () => connection.close());
  // An empty message on the lowest channel that we write tells the client that the session stands.
  const hasStderr = streams.stderr && !streams.tty;
  send(
    streams.stdout ? channels.stdout : hasStderr ? channels.stderr : channels.error,
    Buffer.alloc(0),
  );
}
