import { ApiError } from "../../api/api-error.ts";
import { forbidden, notSupported } from "../../api/field-error.ts";
import type { FieldError } from "../../api/resource.ts";
import { isTrue } from "./request-info.ts";

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
  const errors: FieldError[] = [];
  const resourceVersion = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  if (query.has("sendInitialEvents")) {
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  if (match !== "") {
    if (resourceVersion === "") {
      errors.push(
        forbidden(
          "resourceVersionMatch",
          "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
      );
    }
    if (query.get("continue")) {
      errors.push(
        forbidden(
          "resourceVersionMatch",
          "resourceVersionMatch is forbidden when continue is provided",
        ),
      );
    }
    if (match !== "Exact" && match !== "NotOlderThan") {
      errors.push(notSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]));
    } else if (match === "Exact" && resourceVersion === "0") {
      errors.push(
        forbidden(
          "resourceVersionMatch",
          'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
      );
    }
  }
  refuse(errors);
  return {
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    limit: wholeNumber(query, "limit"),
    continue: query.get("continue") ?? "",
    resourceVersion,
    resourceVersionMatch: match as ListOptions["resourceVersionMatch"],
  };
}

/** Reads and checks the options of a watch. Wrong ones throw Invalid or BadRequest. */
export function parseWatchOptions(
  query: URLSearchParams,
): WatchOptions & { readonly timeoutSeconds: number } {
  const errors: FieldError[] = [];
  const match = query.get("resourceVersionMatch") ?? "";
  const sendInitialEvents = query.has("sendInitialEvents")
    ? isTrue(query.get("sendInitialEvents"))
    : undefined;
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    errors.push(
      forbidden(
        "resourceVersionMatch",
        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
      ),
    );
  }
  if (sendInitialEvents === undefined && match !== "") {
    errors.push(
      forbidden(
        "resourceVersionMatch",
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      ),
    );
  }
  refuse(errors);
  return {
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    allowWatchBookmarks: isTrue(query.get("allowWatchBookmarks")),
    sendInitialEvents,
    timeoutSeconds: wholeNumber(query, "timeoutSeconds"),
  };
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  throw ApiError.invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}

function wholeNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  if (text === "") return 0;
  if (!/^-?\d+$/.test(text)) {
    throw ApiError.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Math.max(0, Number(text));
}
