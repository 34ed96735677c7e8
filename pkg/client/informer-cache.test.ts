import { expect, test } from "vitest";
import type { KubernetesObject } from "../api/object.ts";
import { InformerCache } from "./informer-cache.ts";

function object(
  key: string,
  version: number,
  fields: { uid?: string; owner?: string } = {},
): KubernetesObject {
  const [namespace = "", name = ""] = key.split("/");
  return {
    apiVersion: "v1",
    kind: "Thing",
    metadata: {
      namespace,
      name,
      uid: fields.uid ?? key,
      resourceVersion: String(version),
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(fields.owner === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: "v1", kind: "Owner", name: "o", uid: fields.owner, controller: true },
            ],
          }),
    },
  };
}

function world() {
  const cache = new InformerCache<KubernetesObject>();
  const told: string[] = [];
  cache.subscribe((event) => {
    const { namespace, name, resourceVersion } = event.object.metadata;
    told.push(`${event.type} ${namespace}/${name}@${resourceVersion}`);
  });
  return { cache, told };
}

test("a list that replaces another tells what came, changed and went, and nothing else", () => {
  const { cache, told } = world();
  cache.replace([object("x/a", 1), object("x/b", 2), object("x/c", 3)], "3");
  told.length = 0;
  cache.replace([object("x/b", 2), object("x/c", 5), object("x/d", 6)], "6");
  expect(told.sort()).toEqual(["added x/d@6", "deleted x/a@1", "modified x/c@5"]);
  expect(cache.list().map(({ metadata }) => metadata.name)).toEqual(["b", "c", "d"]);
});

test("an object that was made again under its name is deleted and added", () => {
  const { cache, told } = world();
  cache.set(object("x/a", 1, { uid: "first" }));
  cache.set(object("x/a", 4, { uid: "second" }));
  expect(told).toEqual(["added x/a@1", "deleted x/a@1", "added x/a@4"]);
});

test("a namespace's list holds its own objects only, in the order of their names", () => {
  const { cache } = world();
  for (const key of ["b/z", "a-b/y", "a/y", "a/b", "ab/x"]) cache.set(object(key, 1));
  const names = cache.list("a").map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  expect(names).toEqual(["a/b", "a/y"]);
  expect(cache.list("none")).toEqual([]);
});

test("what an owner controls follows the references", () => {
  const { cache } = world();
  cache.set(object("x/a", 1, { owner: "one" }));
  cache.set(object("x/b", 2, { owner: "one" }));
  cache.set(object("x/a", 3, { owner: "two" }));
  const owned = (uid: string) => cache.ownedBy(uid).map(({ metadata }) => metadata.name);
  expect([owned("one"), owned("two")]).toEqual([["b"], ["a"]]);
  cache.remove("x/a");
  expect(owned("two")).toEqual([]);
});

test("a subscriber reads the change it is told of", () => {
  const { cache } = world();
  const seen: (string | undefined)[] = [];
  cache.subscribe(() => seen.push(cache.get("x/a")?.metadata.resourceVersion));
  cache.set(object("x/a", 1));
  cache.set(object("x/a", 2));
  cache.remove("x/a");
  expect(seen).toEqual(["1", "2", undefined]);
});

test("whoever waits for a revision is told when it is in, and not before the first list", async () => {
  const { cache } = world();
  const { signal } = new AbortController();
  const order: string[] = [];
  const waits = [
    cache.caughtUp("5", signal).then(() => order.push("5")),
    cache.caughtUp("3", signal).then(() => order.push("3")),
    cache.synced(signal).then(() => order.push("synced")),
  ];
  cache.replace([], "2");
  await waits[2];
  cache.reached("4");
  await waits[1];
  cache.reached("5");
  await waits[0];
  expect(order).toEqual(["synced", "3", "5"]);
  const gone = AbortSignal.abort(new Error("enough"));
  await expect(cache.caughtUp("9", gone)).rejects.toThrow("enough");
});

test("a list is in order and complete, however many came and went since the last one", () => {
  const { cache } = world();
  const held = new Set<string>();
  let version = 0;
  for (const changes of [1, 3, 8, 9, 40, 2, 100]) {
    for (let change = 0; change < changes; change += 1) {
      version += 1;
      const key = `ns-${(version * 7) % 5}/object-${(version * 37) % 101}`;
      if (held.has(key) && version % 3 === 0) {
        cache.remove(key);
        held.delete(key);
      } else {
        cache.set(object(key, version));
        held.add(key);
      }
    }
    const listed = cache.list().map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(listed).toEqual([...held].sort());
  }
});
