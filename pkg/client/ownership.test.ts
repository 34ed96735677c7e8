import { expect, test } from "vitest";
import type { KubernetesObject } from "../api/object.ts";
import { planClaims } from "./ownership.ts";

interface Sketch {
  readonly controller?: string;
  readonly deleting?: boolean;
  readonly namespace?: string;
  readonly wanted?: boolean;
}

function object(name: string, sketch: Sketch = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Thing",
    metadata: {
      name,
      uid: name,
      namespace: sketch.namespace ?? "default",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { wanted: String(sketch.wanted ?? true) },
      ...(sketch.deleting === true ? { deletionTimestamp: "2026-01-02T00:00:00Z" } : {}),
      ...(sketch.controller === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: "v1", kind: "O", name: "o", uid: sketch.controller, controller: true },
            ],
          }),
    },
  };
}

const candidates = [
  object("ours", { controller: "owner" }),
  object("ours-unwanted", { controller: "owner", wanted: false }),
  object("theirs", { controller: "other" }),
  object("orphan"),
  object("orphan-unwanted", { wanted: false }),
  object("orphan-ending", { deleting: true }),
  object("orphan-elsewhere", { namespace: "other" }),
];

function plan(owner: KubernetesObject) {
  const claims = planClaims(
    owner,
    candidates,
    ({ metadata }) => metadata.labels?.["wanted"] === "true",
  );
  const names = (objects: readonly KubernetesObject[]) =>
    objects.map(({ metadata }) => metadata.name);
  return { owned: names(claims.owned), adopt: names(claims.adopt), release: names(claims.release) };
}

test("an owner keeps and adopts what it wants, and lets go what it wants no more", () => {
  expect(plan(object("owner"))).toEqual({
    owned: ["ours"],
    adopt: ["orphan"],
    release: ["ours-unwanted"],
  });
});

test("an owner that is being deleted neither adopts nor lets go", () => {
  expect(plan(object("owner", { deleting: true }))).toEqual({
    owned: ["ours"],
    adopt: [],
    release: [],
  });
});
