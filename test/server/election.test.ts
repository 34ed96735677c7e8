import { expect, test } from "vitest";
import { leaseResource } from "../../pkg/api/resources/lease.ts";
import { namespaceResource } from "../../pkg/api/resources/namespace.ts";
import { aborted } from "../../pkg/base/abort.ts";
import { silentLogger } from "../../pkg/base/log.ts";
import { leaderElected } from "../../pkg/client/election.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { startApiWorld } from "./api-world.ts";

test("one leads at a time; when it goes another follows, at once or when its lease ran out", async () => {
  await using world = await startApiWorld();
  const clock = new ManualClock(Date.now());
  const setup = new AbortController();
  const kubeSystem = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "kube-system" },
    spec: {},
  } as const;
  await world.client.create(namespaceResource, kubeSystem, setup.signal);
  const leading = new Set<string>();
  /** Cut off from the API, like a server whose network is gone. */
  const cutOff = new Set<string>();
  const history: string[] = [];
  const candidate = (identity: string) => {
    const stop = new AbortController();
    const guard = <T>(ask: () => Promise<T>) =>
      cutOff.has(identity) ? Promise.reject(new Error("no network")) : ask();
    const service = leaderElected(
      [
        {
          name: "work",
          async run(signal) {
            leading.add(identity);
            history.push(identity);
            expect(leading.size).toBe(1);
            await aborted(signal);
            leading.delete(identity);
          },
        },
      ],
      {
        client: {
          get: (resource, key, signal) => guard(() => world.client.get(resource, key, signal)),
          create: (resource, object, signal) =>
            guard(() => world.client.create(resource, object, signal)),
          update: (resource, object, signal) =>
            guard(() => world.client.update(resource, object, signal)),
        },
        clock,
        logger: silentLogger,
        namespace: "kube-system",
        name: "loops",
        identity,
        random: () => 0,
      },
    );
    return { stop, running: service.run(stop.signal) };
  };
  const one = candidate("one");
  await clock.advance(100);
  const two = candidate("two");
  await clock.advance(60_000);
  expect([...leading]).toEqual(["one"]);
  one.stop.abort();
  await one.running;
  await clock.advance(5_000);
  expect([...leading]).toEqual(["two"]);
  const lease = await world.client.get(leaseResource, "kube-system/loops", setup.signal);
  expect(lease?.spec).toMatchObject({ holderIdentity: "two", leaseDurationSeconds: 15 });

  const three = candidate("three");
  await clock.advance(1_000);
  cutOff.add("two");
  await clock.advance(12_500);
  expect([...leading]).toEqual([]);
  await clock.advance(10_000);
  expect([...leading]).toEqual(["three"]);
  expect(history).toEqual(["one", "two", "three"]);
  for (const { stop } of [two, three]) stop.abort();
  await Promise.all([two.running, three.running]);
});
