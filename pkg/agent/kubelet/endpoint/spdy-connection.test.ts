import { type Duplex, duplexPair } from "node:stream";
import { expect, test, vi } from "vitest";
import {
  controlFrame,
  dataFrame,
  receivedOn,
  SpdyServer,
} from "../../../../test/support/spdy-server.ts";
import { SpdyConnection } from "./spdy-connection.ts";

const frameTypes = { synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;

function connect(head: Buffer = Buffer.alloc(0)) {
  const [near, far] = duplexPair();
  return { connection: new SpdyConnection(near, head), server: new SpdyServer(far), near, far };
}

/** What a stream hears, and how often it is told of its end. */
function listener() {
  const heard = { text: "", ends: 0 };
  return {
    heard,
    handlers: {
      onData(data: Buffer) {
        heard.text += data.toString();
      },
      onEnd() {
        heard.ends++;
      },
    },
  };
}

async function settled(socket: Duplex): Promise<void> {
  await vi.waitFor(() => expect(socket.readableLength + socket.writableLength).toBe(0));
}

test("streams are opened with odd, growing ids and their header fields", async () => {
  const { connection, server, far } = connect();
  const { handlers } = listener();
  connection.open({ streamtype: "error" }, handlers);
  connection.open({ streamtype: "stdin", port: "80" }, handlers);
  await settled(far);
  expect(server.streams.map(({ id, headers }) => ({ id, ...headers }))).toEqual([
    { id: 1, streamtype: "error" },
    { id: 3, streamtype: "stdin", port: "80" },
  ]);
});

// containerd read nothing and answered nothing: Go's inflate keeps what it has until a flush, or the next block.
test("a header block ends in a flush", async () => {
  const { connection, server, far } = connect();
  connection.open({ streamtype: "error" }, listener().handlers);
  await settled(far);
  expect(server.lastHeaderBlock.subarray(-4)).toEqual(Buffer.from([0, 0, 0xff, 0xff]));
});

test("data is heard however it is cut, also what came with the answer to the upgrade", async () => {
  const { connection, server, far } = connect();
  const { heard, handlers } = listener();
  connection.open({ streamtype: "stdout" }, handlers);
  await settled(far);
  const frames = Buffer.concat([
    dataFrame(1, Buffer.from("one ")),
    dataFrame(1, Buffer.from("two")),
  ]);
  for (const byte of frames) await server.write(Buffer.of(byte));
  await vi.waitFor(() => expect(heard.text).toBe("one two"));

  const withHead = connect(dataFrame(1, Buffer.from("x")).subarray(0, 4));
  const late = listener();
  withHead.connection.open({ streamtype: "stdout" }, late.handlers);
  await withHead.server.write(dataFrame(1, Buffer.from("rest")).subarray(4));
  await vi.waitFor(() => expect(late.heard.text).toBe("rest"));
});

test("a stream that is ended says no more, and still hears", async () => {
  const { connection, server, far } = connect();
  const { heard, handlers } = listener();
  const stream = connection.open({ streamtype: "stdin" }, handlers);
  stream.write(Buffer.from("question"));
  stream.end();
  stream.write(Buffer.from("ignored"));
  stream.end();
  await settled(far);
  expect(receivedOn(server.stream("stdin")).toString()).toBe("question");
  expect(server.stream("stdin").ended).toBe(true);
  await server.send("stdin", "answer", { end: true });
  await vi.waitFor(() => expect(heard).toEqual({ text: "answer", ends: 1 }));
});

test("the server's pings are answered, and answers to ours are not", async () => {
  const { server, far } = connect();
  await server.write(controlFrame(frameTypes.ping, [2]));
  await server.write(controlFrame(frameTypes.ping, [3]));
  await settled(far);
  expect(server.control).toEqual([{ type: frameTypes.ping, body: Buffer.from([0, 0, 0, 2]) }]);
});

test("a stream that is reset has ended, once; the others go on", async () => {
  const { connection, server } = connect();
  const reset = listener();
  const other = listener();
  connection.open({ streamtype: "error" }, reset.handlers);
  connection.open({ streamtype: "stdout" }, other.handlers);
  await server.write(controlFrame(frameTypes.synReply, [1]));
  await server.write(controlFrame(frameTypes.rstStream, [1, 5]));
  await server.write(controlFrame(frameTypes.rstStream, [1, 5]));
  await server.write(dataFrame(3, Buffer.from("on")));
  await vi.waitFor(() => expect(other.heard).toEqual({ text: "on", ends: 0 }));
  expect(reset.heard.ends).toBe(1);
});

test.each([
  ["says goodbye", (far: Duplex) => void far.write(controlFrame(frameTypes.goAway, [0, 0]))],
  ["hangs up", (far: Duplex) => void far.destroy()],
])("a server that %s ends every stream once, and the connection", async (_, leave) => {
  const { connection, near, far } = connect();
  const { heard, handlers } = listener();
  connection.open({ streamtype: "stdout" }, handlers);
  connection.open({ streamtype: "stderr" }, handlers);
  await settled(far);
  leave(far);
  near.on("end", () => near.destroy());
  await vi.waitFor(() => expect(heard.ends).toBe(2));
  expect(near.destroyed).toBe(true);
});
