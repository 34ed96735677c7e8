import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DecodedPacket, decode, encode, type Packet, streamEncode } from "dns-packet";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { systemClock } from "../../base/clock.ts";
import { createForwarder, parseNameservers } from "./forwarder.ts";

const signal = new AbortController().signal;
const opened: { close(): unknown }[] = [];
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mini8s-dns-"));
});
afterEach(async () => {
  for (const server of opened.splice(0)) server.close();
  await rm(folder, { recursive: true });
});

/** A server on loopback that answers as `reply` says; undefined: not at all. */
async function upstream(
  reply: (query: DecodedPacket) => Packet | undefined,
  address = "127.0.0.1",
  port = 0,
): Promise<{ readonly port: number; readonly asked: string[]; readonly socket: Socket }> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (message, from) => {
    const query = decode(message);
    asked.push(query.questions?.[0]?.name ?? "");
    const answer = reply(query);
    if (answer === undefined) return;
    socket.send(
      encode({ id: query.id ?? 0, type: "response", ...answer }),
      from.port,
      from.address,
    );
  });
  socket.bind(port, address);
  await once(socket, "listening");
  opened.push(socket);
  return { port: socket.address().port, asked, socket };
}

async function forwarderTo(servers: readonly string[], upstreamPort: number, clock = systemClock) {
  const resolvConf = join(folder, "resolv.conf");
  await writeFile(resolvConf, servers.map((server) => `nameserver ${server}\n`).join(""));
  return createForwarder({ resolvConf, ownAddress: "10.43.0.10", clock, upstreamPort });
}

function question(name = "example.org"): DecodedPacket {
  return decode(encode({ type: "query", id: 7, questions: [{ type: "A", name, class: "IN" }] }));
}
const address = (ttl: number): Packet => ({
  answers: [{ type: "A", name: "example.org", ttl, data: "192.0.2.1" }],
});
const answersOf = (packet: DecodedPacket) =>
  (packet.answers ?? []).map((record) => [
    "data" in record ? record.data : undefined,
    "ttl" in record ? record.ttl : undefined,
  ]);

test("our own address is no upstream", () => {
  const text = "# made by hand\nsearch lan\nnameserver 10.43.0.10\n nameserver 127.0.0.53\n";
  expect(parseNameservers(text, "10.43.0.10")).toEqual(["127.0.0.53"]);
});

test("an answer is kept for as long as it may be, and its time runs on", async () => {
  const server = await upstream(() => address(20));
  const clock = new ManualClock();
  const forwarder = await forwarderTo(["127.0.0.1"], server.port, clock);
  expect(answersOf(await forwarder.forward(question(), signal))).toEqual([["192.0.2.1", 20]]);
  await clock.advance(5_000);
  expect(answersOf(await forwarder.forward(question("EXAMPLE.org"), signal))).toEqual([
    ["192.0.2.1", 15],
  ]);
  expect(server.asked).toEqual(["example.org"]);
  await clock.advance(16_000);
  await forwarder.forward(question(), signal);
  expect(server.asked).toHaveLength(2);
});

test("a server that fails to find out is passed over, and its failure is not kept", async () => {
  const broken = await upstream(() => ({ flags: 2 }));
  const good = await upstream(() => address(20), "127.0.0.2", broken.port);
  const both = await forwarderTo(["127.0.0.1", "127.0.0.2"], broken.port);
  expect(answersOf(await both.forward(question(), signal))).toEqual([["192.0.2.1", 20]]);
  const alone = await forwarderTo(["127.0.0.1"], broken.port);
  expect(((await alone.forward(question(), signal)).flags ?? 0) & 0xf).toBe(2);
  await alone.forward(question(), signal);
  expect(broken.asked).toHaveLength(3);
  expect(good.asked).toHaveLength(1);
});

test("a server that does not answer is asked after the others from then on", async () => {
  const silent = await upstream(() => undefined);
  await upstream(() => address(0), "127.0.0.2", silent.port);
  const clock = new ManualClock();
  const forwarder = await forwarderTo(["127.0.0.1", "127.0.0.2"], silent.port, clock);
  const first = forwarder.forward(question(), signal);
  await once(silent.socket, "message");
  await clock.advance(2_000);
  expect(answersOf(await first)).toEqual([["192.0.2.1", 0]]);
  await forwarder.forward(question(), signal);
  expect(silent.asked).toHaveLength(1);
});

test("a server that cannot be reached at all is a failure of the question, not of the process", async () => {
  const server = await upstream(() => address(20));
  const forwarder = await forwarderTo(["no.such.server.invalid", "127.0.0.1"], server.port);
  expect(answersOf(await forwarder.forward(question(), signal))).toEqual([["192.0.2.1", 20]]);
  const alone = await forwarderTo(["no.such.server.invalid"], server.port);
  await expect(alone.forward(question(), signal)).rejects.toThrow();
  const nobody = await forwarderTo([], server.port);
  await expect(nobody.forward(question(), signal)).rejects.toThrow("names no server");
});

test("what is cut short over UDP is asked for over TCP", async () => {
  const server = await upstream(() => ({ flags: 1 << 9 }));
  const long = Array.from({ length: 40 }, () => "x".repeat(200));
  const tcp = createServer((socket) =>
    socket.once("data", (chunk) => {
      const query = decode(chunk.subarray(2));
      const data = long;
      const answers = [{ type: "TXT", name: "example.org", ttl: 20, data } as const];
      const whole = streamEncode({ id: query.id ?? 0, type: "response", answers });
      socket.write(whole.subarray(0, 100));
      socket.write(whole.subarray(100));
    }),
  );
  tcp.listen(server.port, "127.0.0.1");
  await once(tcp, "listening");
  opened.push(tcp);
  const forwarder = await forwarderTo(["127.0.0.1"], server.port);
  const [[text] = []] = answersOf(await forwarder.forward(question(), signal));
  expect(String(text)).toHaveLength(long.join(",").length);
});

test("a question ends with its signal", async () => {
  const silent = await upstream(() => undefined);
  const forwarder = await forwarderTo(["127.0.0.1"], silent.port, new ManualClock());
  const stop = new AbortController();
  const asked = forwarder.forward(question(), stop.signal);
  await once(silent.socket, "message");
  stop.abort("stopped");
  await expect(asked).rejects.toBe("stopped");
});
