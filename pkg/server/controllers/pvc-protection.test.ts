import { expect, test } from "vitest";
import type { PersistentVolumeClaim, Pod } from "../../api/generated/core-v1.generated.ts";
import { withProtection } from "../../api/shared/storage-protection.ts";
import { usesClaim } from "./pvc-protection.ts";

const pod = (volume: object, fields: object = {}) =>
  ({
    metadata: { name: "web", uid: "web" },
    spec: { nodeName: "n1", volumes: [{ name: "v", ...volume }] },
    ...fields,
  }) as unknown as Pod;
const claim = (name: string, owner?: string, metadata: object = {}) =>
  ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      ...(owner === undefined ? {} : { ownerReferences: [{ uid: owner, controller: true }] }),
      ...metadata,
    },
  }) as unknown as PersistentVolumeClaim;

const named = { persistentVolumeClaim: { claimName: "data" } };
const shutDown = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 };

test.each([
  ["names it and has a node", pod(named), claim("data"), true],
  ["names another", pod(named), claim("other"), false],
  [
    "has no node yet",
    pod(named, { spec: { volumes: [{ name: "v", ...named }] } }),
    claim("data"),
    false,
  ],
  ["has it for its own", pod({ ephemeral: {} }), claim("web-v", "web"), true],
  ["would have had it for its own", pod({ ephemeral: {} }), claim("web-v", "other"), false],
  [
    "had it for its own",
    pod({ ephemeral: {} }, { metadata: { name: "web", uid: "web", ...shutDown } }),
    claim("web-v", "web"),
    false,
  ],
])("a pod that %s uses a claim: %#", (_what, user, used, expected) => {
  expect(usesClaim(user, used)).toBe(expected);
});

test.each([
  ["lives", {}, false, ["own", "kept"]],
  ["lives and is kept", { finalizers: ["own", "kept"] }, false, undefined],
  ["is being deleted and used", { finalizers: ["own", "kept"], ...shutDown }, true, undefined],
  ["is being deleted", { finalizers: ["own", "kept"], ...shutDown }, false, ["own"]],
  ["is being deleted and was let go", { ...shutDown }, true, undefined],
])("what %s has its finalizer as it should", (_what, metadata, isUsed, expected) => {
  const object = claim("data", undefined, { finalizers: ["own"], ...metadata });
  expect(withProtection(object, "kept", () => isUsed)?.metadata.finalizers).toEqual(expected);
});
