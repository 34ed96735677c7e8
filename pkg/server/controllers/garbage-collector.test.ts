import { expect, test } from "vitest";
import { type DeletionPlan, type OwnerState, planDeletion } from "./garbage-collector.ts";

const object = (finalizers: readonly string[] = []) => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: {
    name: "a",
    uid: "a",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    finalizers,
  },
});

const cases: readonly [
  string,
  readonly OwnerState[],
  { readonly hasDependents?: boolean; readonly finalizers?: readonly string[] },
  DeletionPlan,
][] = [
  ["an owner is left", ["solid"], {}, { action: "keep" }],
  ["nobody knows its owner's kind", ["unknown"], {}, { action: "keep" }],
  [
    "one is gone, and of the other nothing is known",
    ["dangling", "unknown"],
    {},
    { action: "drop-references", uids: ["0"] },
  ],
  ["one of two is left", ["dangling", "solid"], {}, { action: "drop-references", uids: ["0"] }],
  ["none is left", ["dangling", "dangling"], {}, { action: "delete", policy: "Background" }],
  ["its owner waits for it", ["waiting"], {}, { action: "delete", policy: "Background" }],
  [
    "its owner waits, and it is an owner itself",
    ["waiting"],
    { hasDependents: true },
    { action: "delete", policy: "Foreground" },
  ],
  [
    "it was to orphan",
    ["dangling"],
    { finalizers: ["orphan"] },
    { action: "delete", policy: "Orphan" },
  ],
];

test.each(cases)("%s", (_, states, { hasDependents = false, finalizers = [] }, plan) => {
  const owners = states.map((state, index) => ({ uid: String(index), state }));
  expect(planDeletion(object(finalizers), owners, hasDependents)).toEqual(plan);
});
