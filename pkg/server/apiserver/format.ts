import { ApiError } from "../../api/api-error.ts";
import { parseJsonValue } from "../../api/codec/json.ts";
import { printYaml } from "../../api/codec/yaml.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/resource.ts";
import type { Exchange } from "./exchange.ts";
import type { StoredObject } from "./hub.ts";
import { jsonType, type Negotiated, negotiate } from "./negotiation.ts";
import { reply } from "./reply.ts";
import { replyParts } from "./reply-parts.ts";
import {
  type IncludeObject,
  includeObjectOf,
  type ListMeta,
  listKindOf,
  partialMetadata,
  partialMetadataList,
  tableOf,
} from "./table.ts";
import type { ObjectPage } from "./verbs/list.ts";
import type { WatchEventType } from "./verbs/watch.ts";
import { jsonFrame, SharedFrames } from "./watch-frames.ts";
import type { WatchEncoding } from "./watch-writer.ts";

/** A kind that is answered with. Only those with columns can be made a table of. */
type Shown = Pick<ResourceDefinition, "group" | "version" | "kind"> &
  Partial<Pick<ResourceDefinition, "columns">>;

/** How one exchange's answer is written: in the media type, and the form, that the client asked for. */
export interface Format {
  replyStored(status: number, stored: StoredObject): Response;
  replyValue(status: number, value: unknown): Response;
  replyPage(page: ObjectPage): Promise<Response>;
}

/** NotAcceptable where the client asks for what cannot be had. */
export function formatOf(exchange: Exchange, kind: Shown, nowMs: number): Format {
  const wanted = negotiated(exchange, kind.columns !== undefined);
  const { contentType } = wanted;
  const replyValue = (status: number, value: unknown) =>
    reply(exchange, status, contentType, encode(wanted, value));
  if (wanted.as === "object") {
    const isPlain = wanted.encoding === "json" && !wanted.pretty;
    return {
      replyValue,
      replyStored: (status, stored) =>
        isPlain
          ? reply(exchange, status, contentType, stored.json)
          : replyValue(status, parseJsonValue(stored.json)),
      async replyPage(page) {
        if (isPlain) return await replyParts(exchange, contentType, jsonList(kind, page));
        const items = page.objects.map((stored) => parseJsonValue(stored.json));
        return replyValue(200, { ...listKindOf(kind), metadata: listMetaOf(page), items });
      },
    };
  }
  const transform = transformOf(exchange, kind, wanted, nowMs);
  return {
    replyValue,
    replyStored: (status, stored) => replyValue(status, transform.one(stored.value, true)),
    replyPage: (page) => Promise.resolve(replyValue(200, transform.page(page))),
  };
}

function negotiated(exchange: Exchange, tables: boolean): Negotiated {
  const accept = exchange.header("accept");
  const pretty = exchange.query.get("pretty");
  const userAgent = exchange.header("user-agent");
  return negotiate({ accept, pretty, userAgent }, { tables });
}

function encode(wanted: Negotiated, value: unknown): Uint8Array | string {
  switch (wanted.encoding) {
    case "json":
      return wanted.pretty ? `${JSON.stringify(value, null, 2)}\n` : JSON.stringify(value);
    case "yaml":
      return printYaml(value);
    case "protobuf":
      throw new ApiError("NotAcceptable", "protobuf is not served yet");
  }
}

/** Makes what the client asked for of objects: rows of a table, or their metadata alone. */
interface Transform {
  one(object: KubernetesObject, headers: boolean): unknown;
  page(page: ObjectPage): unknown;
}

function transformOf(
  exchange: Exchange,
  kind: Shown,
  wanted: Negotiated,
  nowMs: number,
): Transform {
  const { metaVersion } = wanted;
  const apiVersion = `meta.k8s.io/${metaVersion}`;
  if (wanted.as === "metadata") {
    return {
      one: (object) => partialMetadata(object, apiVersion),
      page: (page) => partialMetadataList(valuesOf(page), listMetaOf(page), apiVersion),
    };
  }
  const includeObject = includedIn(exchange);
  const columns = { columns: kind.columns ?? [] };
  return {
    one: (object, headers) =>
      tableOf(columns, [object], {
        includeObject,
        nowMs,
        metaVersion,
        headers,
        listMeta: { resourceVersion: object.metadata.resourceVersion },
      }),
    page: (page) =>
      tableOf(columns, valuesOf(page), {
        includeObject,
        nowMs,
        metaVersion,
        listMeta: listMetaOf(page),
      }),
  };
}

function includedIn(exchange: Exchange): IncludeObject {
  const asked = exchange.query.get("includeObject");
  const includeObject = includeObjectOf(asked);
  if (includeObject !== undefined) return includeObject;
  throw ApiError.invalid({ group: "meta.k8s.io", kind: "TableOptions" }, "", [
    {
      type: "Invalid value",
      path: "includeObject",
      value: asked,
      detail: "must be 'Metadata', 'Object', 'None', or empty",
    },
  ]);
}

function* valuesOf(page: ObjectPage): Generator<KubernetesObject> {
  for (const stored of page.objects) yield stored.value;
}

/** What a list says of itself. */
function listMetaOf(page: ObjectPage): ListMeta {
  return {
    resourceVersion: page.resourceVersion,
    ...(page.continue === "" ? {} : { continue: page.continue }),
    ...(page.remainingItemCount === undefined
      ? {}
      : { remainingItemCount: page.remainingItemCount }),
  };
}

const comma = Buffer.from(",");
const listEnd = Buffer.from("]}");

function* jsonList(kind: Shown, page: ObjectPage): Generator<Uint8Array> {
  const head = JSON.stringify({ ...listKindOf(kind), metadata: listMetaOf(page) });
  yield Buffer.from(`${head.slice(0, -1)},"items":[`);
  let first = true;
  for (const stored of page.objects) {
    if (!first) yield comma;
    first = false;
    yield stored.json;
  }
  yield listEnd;
}

// ---- watches -----------------------------------------------------------------

const sharedJson = new SharedFrames((type, stored) => jsonFrame(type, stored.json));

/** How a watch is written; NotAcceptable where the client asks for what cannot be had. */
export function watchEncodingOf(
  exchange: Exchange,
  resource: ResourceDefinition,
  nowMs: () => number,
): { readonly encoding: WatchEncoding; readonly contentType: string } {
  const wanted = negotiated(exchange, true);
  if (wanted.encoding !== "json")
    throw new ApiError("NotAcceptable", "watches are served as application/json");
  const contentType = jsonType;
  const line = (type: string, object: unknown) =>
    Buffer.from(`${JSON.stringify({ type, object })}\n`);
  let headers = true;
  const transformed = (type: string, object: KubernetesObject) => {
    const { one } = transformOf(exchange, resource, wanted, nowMs());
    const frame = line(type, one(object, headers));
    headers = false;
    return frame;
  };
  const event = (type: WatchEventType, stored: StoredObject, live: boolean) => {
    if (wanted.as !== "object") return transformed(type, stored.value);
    return live ? sharedJson.frame(type, stored) : jsonFrame(type, stored.json);
  };
  const bookmark: WatchEncoding["bookmark"] = (revision, initial) => {
    const metadata = {
      resourceVersion: String(revision),
      ...(initial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
    };
    const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    if (wanted.as !== "metadata") return line("BOOKMARK", bookmarkIn(wanted, object));
    return line(
      "BOOKMARK",
      partialMetadata(object as unknown as KubernetesObject, `meta.k8s.io/${wanted.metaVersion}`),
    );
  };
  return {
    contentType,
    encoding: { event, bookmark, error: (error) => line("ERROR", error.toStatus()) },
  };
}

function bookmarkIn(wanted: Negotiated, object: { readonly metadata: ListMeta }): unknown {
  if (wanted.as === "object") return object;
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${wanted.metaVersion}`,
    metadata: object.metadata,
    columnDefinitions: null,
    rows: [],
  };
}
