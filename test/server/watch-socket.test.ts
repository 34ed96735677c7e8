import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { decodeProtobuf } from "../../pkg/api/codec/protobuf.ts";
import { configMapResource } from "../../pkg/api/resources/configmap.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld({ window: { eventsMax: 16 } });
});
afterAll(() => world[Symbol.asyncDispose]());

const configMaps = "/api/v1/namespaces/default/configmaps";
const protobuf = "application/vnd.kubernetes.protobuf";

interface Opened {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  /** The next message, and whether it came as text. */
  next(): Promise<{ readonly bytes: Buffer; readonly isText: boolean }>;
}

function open(path: string, accept = "application/json", protocols: string[] = []): Opened {
  const { admin, authority, port } = world;
  const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, protocols, {
    ca: authority.certificatePem,
    cert: admin.certificatePem,
    key: admin.keyPem,
    headers: { accept },
  });
  const messages: { bytes: Buffer; isText: boolean }[] = [];
  socket.on("message", (data, isBinary) =>
    messages.push({ bytes: data as Buffer, isText: !isBinary }),
  );
  // What goes wrong is told by the close that follows.
  socket.on("error", () => {});
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  return {
    socket,
    closed,
    async next() {
      while (messages.length === 0) await once(socket, "message");
      const message = messages.shift();
      if (message === undefined) throw new Error("there was a message");
      return message;
    },
  };
}

const add = (name: string) =>
  world.request("POST", configMaps, { body: { metadata: { name, labels: { of: name } } } });
const remove = (name: string) => world.request("DELETE", `${configMaps}/${name}`);
const only = (name: string) => `watch=1&labelSelector=of%3D${name}`;

test("a watch over a WebSocket tells each event in a text of its own", async () => {
  await add("text");
  const watch = open(`${configMaps}?${only("text")}`);
  const first = await watch.next();
  expect(first.isText).toBe(true);
  expect(JSON.parse(first.bytes.toString())).toMatchObject({
    type: "ADDED",
    object: { kind: "ConfigMap", metadata: { name: "text" } },
  });
  await remove("text");
  expect(JSON.parse((await watch.next()).bytes.toString())).toMatchObject({ type: "DELETED" });
  watch.socket.close();
  await watch.closed;
});

test("many events at once are many messages", async () => {
  const names = Array.from({ length: 50 }, (_, at) => `many-${at}`);
  for (const name of names) {
    await world.request("POST", configMaps, {
      body: { metadata: { name, labels: { of: "many" } } },
    });
  }
  const watch = open(`${configMaps}?${only("many")}`);
  const seen = new Set<string>();
  for (const _ of names)
    seen.add(JSON.parse((await watch.next()).bytes.toString()).object.metadata.name);
  expect(seen).toEqual(new Set(names));
  watch.socket.terminate();
});

test.each(["application/json", protobuf])("a long event is one message: %s", async (accept) => {
  const name = `long-${accept.length}`;
  const body = { metadata: { name, labels: { of: name } }, data: { a: "x".repeat(100_000) } };
  await world.request("POST", configMaps, { body });
  const watch = open(`${configMaps}?${only(name)}`, accept);
  const { bytes } = await watch.next();
  expect(bytes.length).toBeGreaterThan(100_000);
  expect(bytes.toString("latin1")).toContain("x".repeat(100_000));
  watch.socket.terminate();
});

test("in protobuf each event is a message of bytes, without the length that a stream needs", async () => {
  await add("bytes");
  const watch = open(`${configMaps}?${only("bytes")}`, protobuf);
  const { bytes, isText } = await watch.next();
  expect(isText).toBe(false);
  expect(bytes.subarray(0, 7).toString("latin1")).toBe("\n\x05ADDED");
  const object = bytes.subarray(bytes.indexOf("k8s\0"));
  expect(decodeProtobuf(configMapResource.schema.object, object)["metadata"]).toMatchObject({
    name: "bytes",
  });
  watch.socket.terminate();
});

test("an error comes within the stream, and the stream ends", async () => {
  for (let at = 0; at < 40; at += 1) {
    await add("old");
    await remove("old");
  }
  const watch = open(`${configMaps}?watch=1&resourceVersion=1`);
  const { bytes } = await watch.next();
  expect(JSON.parse(bytes.toString())).toMatchObject({
    type: "ERROR",
    object: { kind: "Status", code: 410, reason: "Expired" },
  });
  expect(await watch.closed).toBe(1000);
});

test("a watch ends when its time is over", async () => {
  const watch = open(`${configMaps}?watch=1&labelSelector=none&timeoutSeconds=1`);
  expect(await watch.closed).toBe(1000);
});

test("what is asked wrongly is refused before anything is opened", async () => {
  for (const [path, accept, status] of [
    [`${configMaps}?watch=1`, "application/yaml", 406],
    [`${configMaps}?watch=1&labelSelector=((`, "application/json", 400],
    [`${configMaps}?watch=1&resourceVersionMatch=Exact`, "application/json", 422],
  ] as const) {
    const { socket } = open(path, accept);
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode, path).toBe(status);
    socket.terminate();
  }
});

test("of the protocols that the client offers, none but its token is passed over", async () => {
  const token = "base64url.bearer.authorization.k8s.io.eA";
  const { socket } = open(`${configMaps}?watch=1`, "application/json", [
    token,
    "base64.binary.k8s.io",
  ]);
  await once(socket, "open");
  expect(socket.protocol).toBe("base64.binary.k8s.io");
  socket.terminate();
});

test("a client that is gone leaves no watch behind", async () => {
  await add("gone");
  const watch = open(`${configMaps}?${only("gone")}`);
  await watch.next();
  watch.socket.terminate();
  await watch.closed;
  const after = open(`${configMaps}?${only("gone")}`);
  await after.next();
  await remove("gone");
  expect(JSON.parse((await after.next()).bytes.toString()).type).toBe("DELETED");
  after.socket.terminate();
});
