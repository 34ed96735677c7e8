import { expect, test } from "vitest";
import type { Service } from "../../../api/generated/core-v1.generated.ts";
import { hasSelector } from "./services-of-pod.ts";

test.each([
  [{ selector: { app: "web" } }, true],
  // Somebody else writes their endpoints.
  [{}, false],
  [{ selector: {} }, false],
  [{ selector: { app: "web" }, type: "ExternalName" }, false],
] as const)("a service with %j: %s", (spec, selects) => {
  expect(hasSelector({ spec } as unknown as Service)).toBe(selects);
});
