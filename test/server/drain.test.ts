import { once } from "node:events";
import { Agent, get } from "node:https";
import { expect, test } from "vitest";
import { startApiWorld } from "./api-world.ts";
import { WatchClient } from "./watch-client.ts";

test("a server that is told to stop ends its watches and lets go of its clients", async () => {
  const world = await startApiWorld();
  const session = world.session();
  using watch = new WatchClient(session, "/api/v1/configmaps?watch=1");
  await world.request("GET", "/version");
  const closed = once(session, "close");
  await world[Symbol.asyncDispose]();
  expect(await watch.next()).toBeUndefined();
  await closed;
});

test("a client of HTTP/1.1 that keeps its connection does not hold up a server that is told to stop", async () => {
  const world = await startApiWorld();
  const agent = new Agent({ keepAlive: true });
  const { port, authority, admin } = world;
  const tls = { ca: authority.certificatePem, cert: admin.certificatePem, key: admin.keyPem };
  const path = "/api/v1/configmaps?watch=1";
  const [answer] = await once(get({ ...tls, host: "127.0.0.1", port, path, agent }), "response");
  answer.resume();
  const startedMs = performance.now();
  await Promise.all([once(answer, "end"), world[Symbol.asyncDispose]()]);
  // Those that hold it up are cut off after three seconds.
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  agent.destroy();
});
