import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import { startApiWorld } from "./api-world.ts";

test("where the disk is full, a client is told so and what to do, reads go on, and a delete makes room", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mini8s-full-"));
  const file = join(directory, "state.db");
  const datastore = await openSqliteDatastore({ file, fileBytesMax: 1024 * 1024 });
  const logged: string[] = [];
  const log = (message: string) => logged.push(message);
  const logger = { debug: () => {}, info: () => {}, warn: log, error: log, child: () => logger };
  const world = await startApiWorld({ datastore, logger });
  const path = "/api/v1/namespaces/default/configmaps";
  const data = { text: "x".repeat(100_000) };
  const create = (name: string) =>
    world.request("POST", path, {
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data },
    });
  let made = 0;
  let refused = await create("c0");
  while (refused.status === 201) {
    made += 1;
    refused = await create(`c${made}`);
  }
  expect(made).toBeGreaterThan(3);
  expect(refused).toMatchObject({ status: 500, json: { kind: "Status", reason: "InternalError" } });
  expect(refused.json.message).toMatch(
    /^Internal error occurred: the datastore \S+ is full: delete objects/,
  );
  for (let again = 0; again < 20; again++) expect((await create("again")).status).toBe(500);
  // What fills the disk may be this very log.
  expect(logged.length).toBeLessThan(5);
  expect((await world.request("GET", path)).json.items).toHaveLength(made);
  expect((await world.request("DELETE", `${path}/c0`)).status).toBe(200);
  expect((await world.request("DELETE", `${path}/c1`)).status).toBe(200);
  expect((await create("after")).status).toBe(201);
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});
