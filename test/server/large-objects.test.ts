import { expect, test } from "vitest";
import { startApiWorld } from "./api-world.ts";

test("an object that defaults and managedFields make too large is refused, and changes nothing", async () => {
  await using world = await startApiWorld();
  const pods = "/api/v1/namespaces/default/pods";
  const containers = Array.from({ length: 10_000 }, (_, index) => ({
    name: `c${index}`,
    image: "i",
  }));
  const refused = await world.request("POST", pods, {
    body: { metadata: { name: "huge" }, spec: { containers } },
  });
  expect([refused.status, refused.json.reason]).toEqual([413, "RequestEntityTooLarge"]);
  expect(refused.json.message).toMatch(/^Request entity too large: .* limit is 3145728$/);
  expect((await world.request("GET", `${pods}/huge`)).status).toBe(404);

  const spec = { containers: containers.slice(0, 1_000) };
  const stored = await world.request("POST", pods, { body: { metadata: { name: "large" }, spec } });
  expect(stored.status).toBe(201);
  const grown = await world.request("PATCH", `${pods}/large`, {
    body: { metadata: { annotations: { a: "x".repeat(250_000) } } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  expect(grown.status).toBe(200);
});
