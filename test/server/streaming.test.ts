import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, request as httpsRequest, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Node, Pod } from "../../pkg/api/generated/core-v1.generated.ts";
import { nodeResource } from "../../pkg/api/resources/node.ts";
import { podResource } from "../../pkg/api/resources/pod.ts";
import { issueKeyPair } from "../../pkg/server/certificates/authority.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
let kubelet: Server;
const asked: { url: string; user: string }[] = [];
const signal = AbortSignal.timeout(20_000);

function commonNameOf(request: IncomingMessage): string {
  const socket = request.socket as import("node:tls").TLSSocket;
  return String(socket.getPeerCertificate().subject.CN);
}

beforeAll(async () => {
  world = await startApiWorld();
  const serving = issueKeyPair(
    world.authority,
    {
      subject: { commonName: "system:node:n1", organizations: ["system:nodes"] },
      uses: ["server"],
      alternativeNames: ["127.0.0.1"],
    },
    Date.now(),
  );
  kubelet = createServer({
    cert: serving.certificatePem,
    key: serving.keyPem,
    ca: world.authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  kubelet.on("request", (request, response) => {
    asked.push({ url: request.url ?? "", user: commonNameOf(request) });
    if (request.url?.includes("previous=true")) {
      response.writeHead(400);
      response.end('previous terminated container "c" in pod "p" not found\n');
      return;
    }
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("one\n");
    response.end("two\n");
  });
  kubelet.on("upgrade", (request, socket: Socket, head) => {
    asked.push({ url: request.url ?? "", user: commonNameOf(request) });
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-Stream-Protocol-Version: ${request.headers["x-stream-protocol-version"]}\r\n\r\n`,
    );
    if (head.length > 0) socket.write(head);
    socket.on("data", (chunk) => socket.write(chunk));
    socket.on("end", () => socket.end());
  });
  kubelet.listen(0, "127.0.0.1");
  await once(kubelet, "listening");
  const { port } = kubelet.address() as AddressInfo;

  const node = await world.client.create(
    nodeResource,
    { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, spec: {} },
    signal,
  );
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const full: Node = { ...node, status: { ...node.status, ...status } };
  await world.client.update(nodeResource, full, signal, { subresource: "status" });
  const pod = (name: string, containers: readonly string[]) => ({
    apiVersion: "v1" as const,
    kind: "Pod" as const,
    metadata: { name, namespace: "default" },
    spec: {
      containers: containers.map((each) => ({ name: each, image: "i", resources: {} })),
    } as Pod["spec"],
  });
  for (const [name, containers] of [
    ["p", ["c"]],
    ["two", ["a", "b"]],
    ["pending", ["c"]],
  ] as const) {
    await world.client.create(podResource, pod(name, containers), signal);
    if (name === "pending") continue;
    await world.client.createSubresource(
      podResource as never,
      `default/${name}`,
      "binding",
      {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name },
        target: { kind: "Node", name: "n1" },
      },
      signal,
    );
  }
});

afterAll(async () => {
  kubelet.closeAllConnections();
  kubelet.close();
  await world[Symbol.asyncDispose]();
});

const pods = "/api/v1/namespaces/default/pods";

test("a log is what the kubelet answers, asked for by the API server itself", async () => {
  const answer = await world.request("GET", `${pods}/p/log?tailLines=2&follow=true`);
  expect(answer.status).toBe(200);
  expect(answer.text).toBe("one\ntwo\n");
  expect(asked.at(-1)).toEqual({
    url: "/containerLogs/default/p/c?follow=true&tailLines=2",
    user: "system:apiserver",
  });
});

test.each([
  ["two", "", "a container name must be specified for pod two, choose one of: [a b]"],
  ["p", "container=x", "container x is not valid for pod p"],
  ["p", "previous=true", 'previous terminated container "c" in pod "p" not found'],
])("a log of %s with %j is refused", async (pod, query, message) => {
  const answer = await world.request("GET", `${pods}/${pod}/log?${query}`);
  expect(answer.status).toBe(400);
  expect(answer.json.message).toBe(message);
});

test("a pod without a node has no log yet, and nothing can be run in it", async () => {
  const log = await world.request("GET", `${pods}/pending/log`);
  expect(log).toMatchObject({ status: 200, text: "" });
  const exec = await world.request("POST", `${pods}/pending/exec?command=ls&stdout=1`);
  expect(exec.json.message).toBe("pod pending does not have a host assigned");
});

function upgrade(
  path: string,
  client = world.admin,
): Promise<{ response: IncomingMessage; socket?: Socket; head?: Buffer }> {
  return new Promise((resolve, reject) => {
    const opened = httpsRequest({
      host: "127.0.0.1",
      port: world.port,
      method: "POST",
      path,
      ca: world.authority.certificatePem,
      cert: client.certificatePem,
      key: client.keyPem,
      headers: {
        connection: "Upgrade",
        upgrade: "SPDY/3.1",
        "x-stream-protocol-version": "v4.channel.k8s.io",
      },
    });
    opened.once("upgrade", (response, socket: Socket, head) => resolve({ response, socket, head }));
    opened.once("response", (response) => resolve({ response }));
    opened.once("error", reject);
    opened.end();
  });
}

test("a command's connection is handed over to the kubelet, byte for byte, until either side ends it", async () => {
  const { response, socket } = await upgrade(
    `${pods}/p/exec?command=sh&command=-c&stdin=true&stdout=true`,
  );
  expect(response.statusCode).toBe(101);
  expect(response.headers["x-stream-protocol-version"]).toBe("v4.channel.k8s.io");
  expect(asked.at(-1)?.url).toBe("/exec/default/p/c?input=1&output=1&command=sh&command=-c");
  expect(socket).toBeDefined();
  if (socket === undefined) return;
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
  const received: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  socket.write(bytes);
  socket.end();
  await once(socket, "close");
  expect(Buffer.concat(received).equals(bytes)).toBe(true);
});

test("who may not is refused before the kubelet is asked", async () => {
  const before = asked.length;
  const { response } = await upgrade(
    `${pods}/p/exec?command=ls&stdout=1`,
    world.certificateFor("eve", []),
  );
  expect(response.statusCode).toBe(403);
  expect(asked.length).toBe(before);
  response.destroy();
});

test("ports are named as the kubelet names them", async () => {
  const { socket } = await upgrade(`${pods}/p/portforward?ports=80`);
  expect(asked.at(-1)?.url).toBe("/portForward/default/p?port=80");
  socket?.destroy();
});
