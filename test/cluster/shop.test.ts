import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpLoad, httpGet } from "../support/http-load.ts";
import { openShop, shopPort } from "../support/shop.ts";
import { eventually, TestHost } from "../support/test-host.ts";

/** With a mode of its own for each way that packets are steered. */
describe.each(["nftables", "iptables"])("a shop behind %s", (mode) => {
  let host: TestHost;
  const url = (path: string) => `http://${host.address}:${shopPort}${path}`;

  beforeAll(async () => {
    host = await TestHost.create();
    await host.start("--proxy-mode", mode);
    await host.ready();
    await openShop(host, "<h1>Welcome</h1>");
  });
  afterAll(async () => await host?.destroy());

  test("is reached by its node port from outside, through every tier", async () => {
    expect(await httpGet(url("/"))).toEqual({ status: 200, body: "<h1>Welcome</h1>" });
    const first = JSON.parse((await httpGet(url("/api"))).body);
    const second = JSON.parse((await httpGet(url("/api"))).body);
    expect(first.goods).toBe(3);
    expect(second.visits).toBeGreaterThan(first.visits);
  });

  test("is reached by name from a pod", async () => {
    const get = (target: string) =>
      host.k("exec", "-n", "shop", "shell", "--", "curl", "-sS", "-m", "5", target);
    for (const name of ["front", "front.shop", "front.shop.svc", "front.shop.svc.cluster.local"])
      expect(await get(`http://${name}/`), name).toBe("<h1>Welcome</h1>");
    expect(JSON.parse(await get("http://front.shop.svc.cluster.local/api")).goods).toBe(3);
    expect(await get(url("/"))).toBe("<h1>Welcome</h1>");
  });

  test("both instances are used", async () => {
    const seen = new Set<string>();
    await eventually("two pods have answered", async () => {
      seen.add(JSON.parse((await httpGet(url("/api"))).body).by);
      return seen.size === 2 ? true : undefined;
    });
  });

  test("a rolling update under load loses no request", async () => {
    await using load = new HttpLoad([url("/"), url("/"), url("/"), url("/api")]);
    await eventually("the load has begun", async () => (load.answered > 50 ? true : undefined));
    await host.k("rollout", "restart", "-n", "shop", "deployment/front");
    await host.k("rollout", "status", "-n", "shop", "deployment/front", "--timeout=90s");
    await eventually("the old pods are gone", async () => {
      const pods = await host.k("get", "pods", "-n", "shop", "-l", "app=front", "-o", "name");
      return pods.split("\n").length === 2 ? true : undefined;
    });
    const { answered, lost } = await load.end();
    expect(lost).toEqual([]);
    expect(answered).toBeGreaterThan(200);
  });
});
