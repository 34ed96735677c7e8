import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { socketPair } from "../../../../test/support/socket-pair.ts";
import { receivedOn, SpdyServer } from "../../../../test/support/spdy-server.ts";
import { type CommandStreams, refuseCommandSession, runCommandSession } from "./command-session.ts";

const v5 = "v5.channel.k8s.io";
const base64 = "v4.base64.channel.k8s.io";
const success = '{"metadata":{},"status":"Success"}';
const pipes: CommandStreams = { stdin: true, stdout: true, stderr: true, tty: false };

let server: Server;
let webSockets: WebSocketServer;
let client: WebSocket | undefined;

beforeEach(async () => {
  server = createServer().listen(0, "127.0.0.1");
  webSockets = new WebSocketServer({ server });
  await once(server, "listening");
});

afterEach(() => {
  client?.terminate();
  webSockets.close();
  server.close();
});

/** A client, and the endpoint's side of its connection. */
async function connect(protocol: string): Promise<readonly [WebSocket, WebSocket]> {
  const { port } = server.address() as AddressInfo;
  client = new WebSocket(`ws://127.0.0.1:${port}`, protocol);
  const [[accepted]] = await Promise.all([
    once(webSockets, "connection") as Promise<[WebSocket]>,
    once(client, "open"),
  ]);
  return [client, accepted];
}

async function startSession(protocol = v5, streams = pipes) {
  const [near, accepted] = await connect(protocol);
  const heard: Buffer[] = [];
  near.on("message", (message: Buffer) => heard.push(message));
  const [runtimeSocket, far] = await socketPair();
  const runtime = new SpdyServer(far);
  runCommandSession(
    accepted,
    { socket: runtimeSocket, head: Buffer.alloc(0), protocol: "", rawHeaders: [] },
    streams,
  );
  await vi.waitFor(() => expect(runtime.streams.length).toBeGreaterThan(0));
  return { client: near, accepted, heard, runtime, runtimeSocket, far };
}

/** All that came on a channel, and whether the session ended well. */
async function outcome(near: WebSocket, heard: readonly Buffer[]) {
  const [code] = (await once(near, "close")) as [number];
  const on = (channel: number) =>
    Buffer.concat(heard.filter(([first]) => first === channel).map((each) => each.subarray(1)));
  return { code, stdout: on(1).toString(), stderr: on(2).toString(), error: on(3).toString() };
}

async function finish(runtime: SpdyServer): Promise<void> {
  await runtime.send("stdout", "", { end: true });
  await runtime.send("stderr", "", { end: true });
  await runtime.send("error", success, { end: true });
}

test("what the client asked for is opened, and its end of input is told", async () => {
  const { client: near, heard, runtime } = await startSession();
  expect(runtime.streams.map(({ headers }) => headers["streamtype"])).toEqual([
    "error",
    "stdin",
    "stdout",
    "stderr",
  ]);
  near.send(Buffer.from("\x00in"));
  near.send(Buffer.of(255, 0));
  await vi.waitFor(() => expect(runtime.stream("stdin").ended).toBe(true));
  expect(receivedOn(runtime.stream("stdin")).toString()).toBe("in");
  await runtime.send("stdout", "out");
  await runtime.send("stderr", "err");
  const ended = outcome(near, heard);
  await finish(runtime);
  expect(await ended).toEqual({ code: 1000, stdout: "out", stderr: "err", error: success });
});

test("a terminal has no stderr of its own, and its size is told", async () => {
  const { client: near, runtime } = await startSession(v5, { ...pipes, tty: true });
  expect(runtime.streams.map(({ headers }) => headers["streamtype"])).toEqual([
    "error",
    "stdin",
    "stdout",
    "resize",
  ]);
  near.send(Buffer.from('\x04{"Width":80,"Height":24}'));
  await vi.waitFor(() =>
    expect(receivedOn(runtime.stream("resize")).toString()).toBe('{"Width":80,"Height":24}'),
  );
});

test("v4 cannot close a channel", async () => {
  const { client: near, runtime } = await startSession("v4.channel.k8s.io");
  near.send(Buffer.of(255, 0));
  near.send(Buffer.from("\x00still open"));
  await vi.waitFor(() => expect(receivedOn(runtime.stream("stdin")).toString()).toBe("still open"));
  expect(runtime.stream("stdin").ended).toBe(false);
});

test("a client of text messages is spoken to in base64", async () => {
  const { client: near, heard, runtime } = await startSession(base64);
  near.send(`0${Buffer.from("häl").toString("base64")}`);
  await vi.waitFor(() => expect(receivedOn(runtime.stream("stdin")).toString()).toBe("häl"));
  await runtime.send("stdout", "öut");
  await vi.waitFor(() =>
    expect(heard.map(String)).toContain(`1${Buffer.from("öut").toString("base64")}`),
  );
});

test("a runtime that breaks off before it told of the exit is no success", async () => {
  const { client: near, heard, far } = await startSession();
  const ended = outcome(near, heard);
  far.destroy();
  expect((await ended).code).toBe(1011);
});

test("a client that goes takes the session at the runtime along", async () => {
  const { client: near, runtimeSocket } = await startSession();
  near.terminate();
  await vi.waitFor(() => expect(runtimeSocket.destroyed).toBe(true));
});

const messageBytes = 1 << 16;
const messages = 512;

/** Says more than all buffers on the way hold; resolves when everything has been taken. */
async function say(runtime: SpdyServer, said: { messages: number }): Promise<void> {
  const data = Buffer.alloc(messageBytes);
  for (; said.messages < messages; said.messages++) await runtime.send("stdout", data);
}

test("a slow client holds the output back, and it goes on when the client does", async () => {
  const session = await startSession();
  const { client: near, runtime, runtimeSocket } = session;
  let taken = 0;
  near.on("message", (message: Buffer) => {
    taken += message.length - 1;
    session.heard.length = 0;
  });
  near.pause();
  const said = { messages: 0 };
  const whole = say(runtime, said);
  await vi.waitFor(() => expect(isHeldBack(runtimeSocket)).toBe(true), { timeout: 10_000 });
  expect(said.messages).toBeLessThan(messages);
  near.resume();
  await whole;
  await vi.waitFor(() => expect(taken).toBe(messageBytes * messages), { timeout: 10_000 });
});

function isHeldBack(socket: Socket): boolean {
  return socket.isPaused() && socket.readableLength > 0;
}

test("a command that does not read holds the client's input back, and gets all of it in the end", async () => {
  const { client: near, accepted, runtime, far } = await startSession();
  far.pause();
  const data = Buffer.alloc(messageBytes);
  for (let sent = 0; sent < messages; sent++) near.send(Buffer.concat([Buffer.of(0), data]));
  await vi.waitFor(() => expect(accepted.isPaused).toBe(true), { timeout: 10_000 });
  far.resume();
  await vi.waitFor(
    () => expect(receivedOn(runtime.stream("stdin")).length).toBe(messageBytes * messages),
    { timeout: 20_000 },
  );
});

test("a session that cannot be opened is refused in the session's own words", async () => {
  const [near, accepted] = await connect(v5);
  const heard: Buffer[] = [];
  near.on("message", (message: Buffer) => heard.push(message));
  const ended = outcome(near, heard);
  refuseCommandSession(accepted, 'unable to upgrade connection: container not found ("c")');
  const { code, error } = await ended;
  expect(code).toBe(1000);
  expect(JSON.parse(error)).toMatchObject({
    kind: "Status",
    status: "Failure",
    reason: "InternalError",
    code: 500,
    message: 'Internal error occurred: unable to upgrade connection: container not found ("c")',
  });
});
