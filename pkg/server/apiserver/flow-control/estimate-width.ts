import { isTrue, type RequestInfo } from "../request-info.ts";
import type { Width } from "./fair-queue.ts";

type ResourceInfo = Extract<RequestInfo, { type: "resource" }>;

/** What is known of the objects of a resource. */
export interface ObjectStats {
  readonly count: number;
  readonly bytes: number;
}

/** How much there is to do for a request. */
export interface Workload {
  /** Of the resource, in all namespaces. */
  objects(info: ResourceInfo): ObjectStats;
  /** How many watches would be told of a write. */
  watchers(info: ResourceInfo): number;
}

/** A list's objects take a seat for each so many bytes. */
const bytesPerSeat = 100_000;
/** However long a list is, no more of it is held at once. */
const listBytesMax = 1_000_000;
const listSeatsMax = 100;
const writeSeatsMax = 10;
/** So many watches keep one seat busy … */
const watchersPerSeat = 10;
/** … for so long. */
const eventMs = 5;

const one: Width = { seats: 1, finalSeats: 0, lingerMs: 0 };
const writes: ReadonlySet<string> = new Set(["create", "update", "patch", "delete"]);

/** How many seats a request takes. `seatsMax`: what its priority level gives one request at most; 0: as many as it likes. */
export function estimateWidth(
  info: RequestInfo,
  query: URLSearchParams,
  workload: Workload,
  seatsMax: number,
): Width {
  if (info.type === "path") return one;
  if (info.verb === "list" || info.verb === "watch") {
    const bound = seatsMax === 0 ? listSeatsMax : Math.min(seatsMax, listSeatsMax);
    return listWidth(info, query, workload, bound);
  }
  if (writes.has(info.verb)) {
    const bound = seatsMax === 0 ? writeSeatsMax : Math.min(seatsMax, writeSeatsMax);
    return writeWidth(info, workload, bound);
  }
  return one;
}

function listWidth(
  info: ResourceInfo,
  query: URLSearchParams,
  workload: Workload,
  seatsMax: number,
): Width {
  if (info.verb === "watch" && !startsWithState(query)) return one;
  // One by name is found as a GET finds it.
  if (info.name !== "") return one;
  const { count, bytes } = workload.objects(info);
  if (count === 0) return one;
  const limit = Number(query.get("limit") ?? 0);
  const held = limit > 0 && limit < count ? limit : count;
  const heldBytes = Math.min(listBytesMax, (held * bytes) / count);
  const seats = Math.max(1, Math.min(seatsMax, Math.ceil(heldBytes / bytesPerSeat)));
  return seats === 1 ? one : { seats, finalSeats: 0, lingerMs: 0 };
}

function startsWithState(query: URLSearchParams): boolean {
  if (query.has("sendInitialEvents") && isTrue(query.get("sendInitialEvents"))) return true;
  const version = query.get("resourceVersion") ?? "";
  return version === "" || version === "0";
}

function writeWidth(info: ResourceInfo, workload: Workload, seatsMax: number): Width {
  // A token is made, and no object changed.
  if (info.resource === "serviceaccounts" && info.subresource === "token") return one;
  const watchers = workload.watchers(info);
  if (watchers < watchersPerSeat) return one;
  const wanted = Math.ceil(watchers / watchersPerSeat);
  const finalSeats = Math.min(wanted, seatsMax);
  return { seats: 1, finalSeats, lingerMs: (wanted * eventMs) / finalSeats };
}
