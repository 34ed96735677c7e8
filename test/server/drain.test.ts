import { once } from "node:events";
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
