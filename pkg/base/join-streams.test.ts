import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { socketPair } from "../../test/support/socket-pair.ts";
import { joinStreams } from "./join-streams.ts";

const opened: Socket[] = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

async function openPair(): Promise<readonly [Socket, Socket]> {
  const pair = await socketPair({ allowHalfOpen: true });
  opened.push(...pair);
  return pair;
}

async function received(socket: Socket): Promise<number> {
  let length = 0;
  for await (const chunk of socket) length += (chunk as Buffer).length;
  return length;
}

test("everything said before the end arrives, however slowly it is taken, and both sides are closed", async () => {
  const [client, clientSide] = await openPair();
  const [nodeSide, node] = await openPair();
  const joined = joinStreams(clientSide, nodeSide);
  const bytes = 8 << 20;
  node.resume();
  node.end(Buffer.alloc(bytes));
  expect(await received(client)).toBe(bytes);
  client.end();
  await joined;
  expect([clientSide.destroyed, nodeSide.destroyed]).toEqual([true, true]);
});

test("who has said everything still hears the answer", async () => {
  const [client, clientSide] = await openPair();
  const [nodeSide, node] = await openPair();
  const joined = joinStreams(clientSide, nodeSide);
  client.end("question");
  expect(await received(node)).toBe("question".length);
  node.end("a longer answer");
  expect(await received(client)).toBe("a longer answer".length);
  await joined;
});

test("a side that breaks takes the other along", async () => {
  const [client, clientSide] = await openPair();
  const [nodeSide, node] = await openPair();
  const joined = joinStreams(clientSide, nodeSide);
  node.resume();
  client.resetAndDestroy();
  await once(node, "end");
  await joined;
  expect(nodeSide.destroyed).toBe(true);
});

test("a side that is already gone is noticed", async () => {
  const [, clientSide] = await openPair();
  const [nodeSide] = await openPair();
  clientSide.destroy();
  await once(clientSide, "close");
  await joinStreams(clientSide, nodeSide);
  expect(nodeSide.destroyed).toBe(true);
});

test("a connection carries no more listeners than Node warns of", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const [client, clientSide] = await openPair();
  const [nodeSide, node] = await openPair();
  const joined = joinStreams(clientSide, nodeSide);
  client.destroy();
  node.resume().end();
  await joined;
  process.off("warning", note);
  expect(warnings).toEqual([]);
});
