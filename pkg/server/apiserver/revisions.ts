import { ApiError } from "../../api/api-error.ts";
import type { Clock } from "../../base/clock.ts";
import type { Revision } from "../../datastore/datastore.ts";
import type { Hub } from "./hub.ts";

/** A request for a revision that is not here yet waits this long for it, as upstream's watch cache does. */
const futureRevisionWaitMs = 3_000;

/** A `resourceVersion` as a number; undefined for none. Throws where it is no version at all. */
export function parseRevision(text: string): Revision | undefined {
  if (text === "") return undefined;
  const revision = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(revision)) {
    throw ApiError.invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", [
      {
        type: "Invalid value",
        path: "resourceVersion",
        value: text,
        detail: `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
      },
    ]);
  }
  return revision;
}

/** Resolves once readers see `revision`; a Timeout that says so where that takes too long. */
export async function untilRevision(
  deps: { readonly hub: Hub; readonly clock: Clock },
  revision: Revision,
  signal: AbortSignal,
): Promise<void> {
  const { hub, clock } = deps;
  if (revision <= hub.revision) return;
  const late = new AbortController();
  const cancel = clock.after(futureRevisionWaitMs, () =>
    late.abort(tooLarge(revision, hub.revision)),
  );
  try {
    await hub.caughtUp(revision, AbortSignal.any([signal, late.signal]));
  } finally {
    cancel();
  }
}

function tooLarge(asked: Revision, current: Revision): ApiError {
  return new ApiError("Timeout", `Too large resource version: ${asked}, current: ${current}`, {
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });
}
