import { ApiError } from "../../api/api-error.ts";
import { forbidden, notSupported } from "../../api/field-error.ts";
import type { FieldError } from "../../api/resource.ts";
import { isTrue } from "./request-info.ts";
import { wholeNumberIn } from "./whole-number.ts";

/** What a list or a watch asks for, as the query says it; "" where it says nothing. */
export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** 0: no limit. */
  readonly limit: number;
  readonly continue: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: "" | "Exact" | "NotOlderThan";
}

export interface WatchOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly resourceVersion: string;
  readonly allowWatchBookmarks: boolean;
  /** Undefined: as the resourceVersion implies. */
  readonly sendInitialEvents: boolean | undefined;
}

export const everything: ListOptions = {
  labelSelector: "",
  fieldSelector: "",
  limit: 0,
  continue: "",
  resourceVersion: "",
  resourceVersionMatch: "",
};

/** Reads and checks the options of a list. Wrong ones throw Invalid or BadRequest. */
export function parseListOptions(query: URLSearchParams): ListOptions {
  const { resourceVersion, match, limit, ...options } = read(query);
  const errors: FieldError[] = [];
  if (match !== "") {
    if (resourceVersion === "") {
      errors.push(
        matchForbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"),
      );
    }
    if (options.continue !== "") errors.push(matchForbidden(matchWithContinue));
    if (match !== "Exact" && match !== "NotOlderThan") {
      errors.push(notSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]));
    } else if (match === "Exact" && resourceVersion === "0") {
      errors.push(
        matchForbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  refuse(errors);
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: Math.max(0, limit),
    continue: options.continue,
    resourceVersion,
    resourceVersionMatch: match as ListOptions["resourceVersionMatch"],
  };
}

/** Reads and checks the options of a watch. Wrong ones throw Invalid or BadRequest. */
export function parseWatchOptions(
  query: URLSearchParams,
): WatchOptions & { readonly timeoutSeconds: number } {
  const { match, timeoutSeconds, ...options } = read(query);
  const { sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    errors.push(
      matchForbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    );
  }
  if (match !== "") {
    if (sendInitialEvents === undefined) {
      errors.push(
        matchForbidden(
          "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
      );
    }
    if (match !== "NotOlderThan") {
      errors.push(notSupported("resourceVersionMatch", match, ["NotOlderThan"]));
    }
    if (options.continue !== "") errors.push(matchForbidden(matchWithContinue));
  }
  refuse(errors);
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    allowWatchBookmarks: isTrue(query.get("allowWatchBookmarks")),
    sendInitialEvents,
    timeoutSeconds: Math.max(0, timeoutSeconds),
  };
}

/** What the query says, whether it is for a list or a watch: what cannot be read is refused for both. */
function read(query: URLSearchParams) {
  return {
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    limit: wholeNumberIn(query, "limit") ?? 0,
    timeoutSeconds: wholeNumberIn(query, "timeoutSeconds") ?? 0,
    continue: query.get("continue") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    match: query.get("resourceVersionMatch") ?? "",
    sendInitialEvents: query.has("sendInitialEvents")
      ? isTrue(query.get("sendInitialEvents"))
      : undefined,
  };
}

const matchWithContinue = "resourceVersionMatch is forbidden when continue is provided";

function matchForbidden(why: string): FieldError {
  return forbidden("resourceVersionMatch", why);
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  throw ApiError.invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}
