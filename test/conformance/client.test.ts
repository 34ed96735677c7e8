import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, test as it, test } from "vitest";
import { ApiError } from "../../pkg/api/api-error.ts";
import type {
  ConfigMap,
  ReplicationController,
} from "../../pkg/api/generated/core-v1.generated.ts";
import type { NewObject } from "../../pkg/api/object.ts";
import type { ResourceDefinition } from "../../pkg/api/resource.ts";
import { configMapResource } from "../../pkg/api/resources/configmap.ts";
import { replicationControllerResource } from "../../pkg/api/resources/replicationcontroller.ts";
import { serviceAccountResource } from "../../pkg/api/resources/serviceaccount.ts";
import { type Clock, systemClock } from "../../pkg/base/clock.ts";
import { type Logger, silentLogger } from "../../pkg/base/log.ts";
import type { Client } from "../../pkg/client/client.ts";
import {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
} from "../../pkg/client/http-client.ts";
import type { InformerEvent } from "../../pkg/client/informer.ts";
import { createAuthority, generateKey } from "../../pkg/server/certificates/authority.ts";
import { type ApiWorld, startApiWorld } from "../server/api-world.ts";

function httpClient(world: ApiWorld, other: Partial<HttpClientOptions> = {}): HttpClient {
  return createHttpClient({
    server: `https://127.0.0.1:${world.port}`,
    ca: world.authority.certificatePem,
    credentials: () => ({
      type: "certificate",
      certificate: world.admin.certificatePem,
      privateKey: world.admin.keyPem,
    }),
    userAgent: "test/1",
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    ...other,
  });
}

function configMap(name: string, data: Record<string, string> = {}): NewObject<ConfigMap> {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data };
}

function replicationController(name: string, replicas: number): NewObject<ReplicationController> {
  const labels = { app: name };
  const spec = { containers: [{ name: "c", image: "one", resources: {} }] };
  return {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name, namespace: "default" },
    spec: { replicas, minReadySeconds: 0, template: { metadata: { labels }, spec } },
  };
}

interface Relay extends AsyncDisposable {
  readonly url: string;
  /** Breaks the connections there are; new ones can be made. */
  cut(): void;
  /** Nobody is there any more, until it is opened again. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** Stands between a client and the server. */
async function startRelay(onwardPort: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(onwardPort, "127.0.0.1");
    for (const each of [socket, onward]) sockets.add(each.on("error", () => each.destroy()));
    socket.pipe(onward).pipe(socket);
  });
  let port = 0;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const open = async () => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  };
  const close = async () => {
    if (!server.listening) return;
    cut();
    const closed = once(server, "close");
    server.close();
    await closed;
  };
  await open();
  return { url: `https://127.0.0.1:${port}`, cut, close, open, [Symbol.asyncDispose]: close };
}

async function reasonOf(refused: Promise<unknown>): Promise<string> {
  try {
    await refused;
  } catch (caught) {
    expect(caught).toBeInstanceOf(ApiError);
    return (caught as ApiError).reason;
  }
  return "none";
}

const kinds = [
  {
    name: "over HTTP/2",
    open: (world: ApiWorld): { client: Client; close(): Promise<void> } => {
      const client = httpClient(world);
      return { client, close: async () => await client[Symbol.asyncDispose]() };
    },
  },
  {
    name: "in process",
    open: (world: ApiWorld): { client: Client; close(): Promise<void> } => ({
      client: world.client,
      close: () => Promise.resolve(),
    }),
  },
];

describe.each(kinds)("a client $name", ({ open }) => {
  const test = (name: string, run: (client: Client, world: ApiWorld) => Promise<void>) =>
    it(name, async () => {
      await using world = await startApiWorld();
      const { client, close } = open(world);
      try {
        await run(client, world);
      } finally {
        await close();
      }
    });
  const { signal } = new AbortController();

  test("creates, reads, changes and deletes", async (client) => {
    const created = await client.create(configMapResource, configMap("a", { x: "1" }), signal);
    expect(created).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { x: "1" } });
    expect(Object.isFrozen(created) && Object.isFrozen(created.data)).toBe(true);
    expect(await client.get(configMapResource, "default/a", signal)).toEqual(created);
    const updated = await client.update(
      configMapResource,
      { ...created, data: { x: "2" } },
      signal,
    );
    expect(updated.data).toEqual({ x: "2" });
    for (const [patch, data] of [
      [
        { type: "merge", patch: { data: { y: "3" } } },
        { x: "2", y: "3" },
      ],
      [{ type: "strategic", patch: { data: { y: null } } }, { x: "2" }],
      [
        { type: "json", operations: [{ op: "add", path: "/data/z", value: "4" }] },
        { x: "2", z: "4" },
      ],
      [
        { type: "apply", object: configMap("a", { x: "5" }), force: true },
        { x: "5", z: "4" },
      ],
    ] as const) {
      const patched = await client.patch(configMapResource, "default/a", patch, signal);
      expect(patched.data).toEqual(data);
    }
    await client.delete(configMapResource, "default/a", signal);
    expect(await client.get(configMapResource, "default/a", signal)).toBeUndefined();
    await client.delete(configMapResource, "default/a", signal);
  });

  test("refuses as the API does", async (client) => {
    const created = await client.create(configMapResource, configMap("a"), signal);
    expect(await reasonOf(client.create(configMapResource, configMap("a"), signal))).toBe(
      "AlreadyExists",
    );
    await client.update(configMapResource, { ...created, data: { x: "1" } }, signal);
    expect(
      await reasonOf(client.update(configMapResource, { ...created, data: { x: "2" } }, signal)),
    ).toBe("Conflict");
    expect(await reasonOf(client.create(configMapResource, configMap("no spaces"), signal))).toBe(
      "Invalid",
    );
    const merge = { type: "merge", patch: {} } as const;
    expect(await reasonOf(client.patch(configMapResource, "default/b", merge, signal))).toBe(
      "NotFound",
    );
    const preconditions = { uid: "another" };
    expect(
      await reasonOf(client.delete(configMapResource, "default/a", signal, { preconditions })),
    ).toBe("Conflict");
  });

  test("lists all pages, and only what is selected", async (client) => {
    const names = Array.from({ length: 600 }, (_, index) => `c${String(index).padStart(3, "0")}`);
    await Promise.all(
      names.map((name, index) =>
        client.create(
          configMapResource,
          {
            ...configMap(name),
            metadata: { name, namespace: "default", labels: { odd: String(index % 2) } },
          },
          signal,
        ),
      ),
    );
    const all = await client.list(configMapResource, { namespace: "default" }, signal);
    expect(all.items.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(all.items[0]).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
    const odd = await client.list(configMapResource, { labelSelector: "odd=1" }, signal);
    expect(odd.items.length).toBe(300);
    const one = await client.list(
      configMapResource,
      { fieldSelector: "metadata.name=c007" },
      signal,
    );
    expect(one.items.length).toBe(1);
  });

  test("posts to a subresource", async (client) => {
    const request = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: [], expirationSeconds: 600 },
    };
    const answer = await client.createSubresource(
      serviceAccountResource,
      "default/default",
      "token",
      request,
      signal,
    );
    expect(answer).toMatchObject({
      kind: "TokenRequest",
      status: { token: expect.stringMatching(/^ey/) },
    });
  });

  test("reads a subresource, and nothing where there is no such object", async (client) => {
    const resource = replicationControllerResource;
    const made = await client.create(resource, replicationController("old", 3), signal);
    const scale = await client.getSubresource(resource, "default/old", "scale", signal);
    expect(scale).toMatchObject({
      kind: "Scale",
      metadata: { uid: made.metadata.uid },
      spec: { replicas: 3 },
    });
    const none = await client.getSubresource(resource, "default/none", "scale", signal);
    expect(none).toBeUndefined();
  });

  test("an informer shows what is there, follows it, and is caught up with what was written", async (client) => {
    const stop = new AbortController();
    const first = await client.create(configMapResource, configMap("a"), signal);
    const informer = client.informer(configMapResource);
    const running = informer.run(stop.signal);
    await informer.synced(signal);
    const events: InformerEvent<ConfigMap>[] = [];
    informer.subscribe((event) => events.push(event));
    const second = await client.update(configMapResource, { ...first, data: { x: "1" } }, signal);
    await informer.caughtUp(second.metadata.resourceVersion, signal);
    expect(informer.get("default/a")).toEqual(second);
    expect(informer.list("default")).toEqual([second]);
    await client.delete(configMapResource, "default/a", signal);
    const last = await client.create(configMapResource, configMap("b"), signal);
    await informer.caughtUp(last.metadata.resourceVersion, signal);
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ["added", "a"],
      ["modified", "a"],
      ["deleted", "a"],
      ["added", "b"],
    ]);
    stop.abort();
    await running;
  });
});

test("a client over HTTP/2 says that nobody is there", async () => {
  const world = await startApiWorld();
  await using client = httpClient(world);
  const { signal } = new AbortController();
  await client.create(configMapResource, configMap("a"), signal);
  await world[Symbol.asyncDispose]();
  expect(await reasonOf(client.get(configMapResource, "default/a", signal))).toBe(
    "ServiceUnavailable",
  );
});

test("a client over HTTP/2 talks to nobody it does not trust", async () => {
  await using world = await startApiWorld();
  const other = createAuthority("another-ca", generateKey(), Date.now());
  await using client = httpClient(world, { ca: other.certificatePem });
  const { signal } = new AbortController();
  expect(await reasonOf(client.getPath("/version", signal))).toBe("ServiceUnavailable");
});

test("a client over HTTP/2 connects again after its connection broke, and misses nothing", async () => {
  await using world = await startApiWorld();
  await using relay = await startRelay(world.port);
  await using client = httpClient(world, { server: relay.url });
  const { signal } = new AbortController();
  const stop = new AbortController();
  const informer = client.informer(configMapResource);
  const running = informer.run(stop.signal);
  await informer.synced(signal);
  const events: string[] = [];
  informer.subscribe(({ type, object }) => events.push(`${type} ${object.metadata.name}`));
  const create = (name: string) => world.client.create(configMapResource, configMap(name), signal);
  const first = await create("a");
  await informer.caughtUp(first.metadata.resourceVersion, signal);
  relay.cut();
  await create("b");
  await world.client.delete(configMapResource, "default/a", signal);
  const last = await create("c");
  await informer.caughtUp(last.metadata.resourceVersion, signal);
  expect(events).toEqual(["added a", "added b", "deleted a", "added c"]);
  expect(await client.getPath("/version", signal)).toMatchObject({ major: "1" });
  stop.abort();
  await running;
});

test("a client over HTTP/2 that follows much tells once that the server is gone, and that it is back", async () => {
  await using world = await startApiWorld();
  await using relay = await startRelay(world.port);
  const told: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (message) => told.push(`info: ${message}`),
    warn: (message) => told.push(`warn: ${message}`),
  };
  let failures = 0;
  const clock: Clock = {
    ...systemClock,
    sleep(durationMs, signal) {
      failures += 1;
      return systemClock.sleep(durationMs / 20, signal);
    },
  };
  await using client = httpClient(world, { server: relay.url, logger, clock });
  const stop = new AbortController();
  const followed = [configMapResource, serviceAccountResource, replicationControllerResource];
  const informers = followed.map((each) => client.informer(each as unknown as ResourceDefinition));
  const running = informers.map((informer) => informer.run(stop.signal));
  await Promise.all(informers.map((informer) => informer.synced(stop.signal)));
  await relay.close();
  // Each of them has tried again, in vain, more than once.
  while (failures < 9) await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(["warn: cannot connect to the server, trying again"]);
  await relay.open();
  const made = await world.client.create(configMapResource, configMap("late"), stop.signal);
  await informers[0]?.caughtUp(made.metadata.resourceVersion, stop.signal);
  expect(told.slice(1)).toEqual(["info: the server is there again"]);
  stop.abort();
  await Promise.all(running);
});

test("a client over HTTP/2 obeys its signal, before and while it waits", async () => {
  await using world = await startApiWorld();
  await using client = httpClient(world);
  const stopped = AbortSignal.abort(new Error("stopped"));
  await expect(client.list(configMapResource, {}, stopped)).rejects.toThrow("stopped");
  const stop = new AbortController();
  const watching = client.getPath("/api/v1/configmaps?watch=true&resourceVersion=1", stop.signal);
  stop.abort(new Error("stopped later"));
  await expect(watching).rejects.toThrow("stopped later");
});
