import { setImmediate } from "node:timers/promises";
import { ApiError } from "../../api/api-error.ts";
import {
  encodeMessage,
  encodeProtobuf,
  encodeProtobufWatchEvent,
  protobufListParts,
} from "../../api/codec/protobuf.ts";
import { printYaml } from "../../api/codec/yaml.ts";
import { kubernetesObjectSchema } from "../../api/kubernetes-schema.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/resource.ts";
import type { ObjectSchema } from "../../api/schema.ts";
import type { Revision } from "../../datastore/datastore.ts";
import type { Answered, Exchange } from "./exchange.ts";
import type { StoredObject } from "./hub.ts";
import { listItemsOf } from "./list-item.ts";
import {
  jsonType,
  type Negotiated,
  negotiate,
  notAcceptable,
  protobufType,
} from "./negotiation.ts";
import { replyLong, replyParts } from "./reply-parts.ts";
import {
  type IncludeObject,
  includeObjectOf,
  type ListMeta,
  listKindOf,
  partialMetadata,
  partialMetadataList,
  tableInRows,
  tableOf,
} from "./table.ts";
import type { ObjectPage } from "./verbs/list.ts";
import type { WatchEventType } from "./verbs/watch.ts";
import { jsonFrame, jsonParts, SharedFrames } from "./watch-frames.ts";
import type { WatchEncoding } from "./watch-writer.ts";

/** A kind that is answered with. Only those with columns can be made a table of. */
type Shown = Pick<ResourceDefinition, "group" | "version" | "kind" | "schema"> &
  Partial<Pick<ResourceDefinition, "columns" | "compareRows">>;

/** How one exchange's answer is written: in the media type, and the form, that the client asked for. */
export interface Format {
  replyStored(status: number, stored: StoredObject): Answered | Promise<Answered>;
  /** As it is, whatever form was asked for. */
  replyValue(status: number, value: unknown): Answered | Promise<Answered>;
  /** An object that is not stored, in the form that was asked for. */
  replyObject(status: number, object: KubernetesObject): Answered | Promise<Answered>;
  replyPage(page: ObjectPage): Promise<Answered>;
}

/** NotAcceptable where the client asks for what cannot be had. */
export function formatOf(exchange: Exchange, kind: Shown, nowMs: number): Format {
  const wanted = negotiated(exchange, kind);
  const { contentType } = wanted;
  const replyValue = (status: number, value: unknown) =>
    replyLong(exchange, status, contentType, encode(wanted, kind, value));
  if (wanted.as === "object") {
    const isPlain = wanted.encoding === "json" && !wanted.pretty;
    return {
      replyValue,
      replyObject: replyValue,
      replyStored: (status, stored) =>
        isPlain
          ? replyLong(exchange, status, contentType, stored.json)
          : replyValue(status, stored.value),
      async replyPage(page) {
        if (isPlain) return await replyParts(exchange, contentType, jsonList(kind, page));
        if (wanted.encoding === "protobuf") {
          const parts = await protobufList(kind.schema.object, listKindOf(kind), page, objectOf);
          return await replyParts(exchange, contentType, parts);
        }
        const items = page.objects.map((stored) => listItemsOf(kind).value(stored));
        return await replyValue(200, { ...listKindOf(kind), metadata: listMetaOf(page), items });
      },
    };
  }
  const transform = transformOf(exchange, kind, wanted, nowMs);
  return {
    replyValue,
    replyObject: (status, object) => replyValue(status, transform.one(object, true)),
    replyStored: (status, stored) => replyValue(status, transform.one(stored.value, true)),
    replyPage: async (page) => await replyParts(exchange, contentType, await transform.page(page)),
  };
}

function negotiated(exchange: Exchange, { columns, schema }: Shown): Negotiated {
  const accept = exchange.header("accept");
  const pretty = exchange.query.get("pretty");
  const userAgent = exchange.header("user-agent");
  return negotiate(
    { accept, pretty, userAgent },
    { tables: columns !== undefined, protobuf: schema.object.structural === undefined },
  );
}

function encode(wanted: Negotiated, kind: Shown, value: unknown): Uint8Array | string {
  switch (wanted.encoding) {
    case "json":
      return wanted.pretty ? `${JSON.stringify(value, null, 2)}\n` : JSON.stringify(value);
    case "yaml":
      return printYaml(value);
    case "protobuf": {
      const object = value as Readonly<Record<string, unknown>>;
      return encodeProtobuf(protobufSchemaOf(kind, object["kind"]), object);
    }
  }
}

const metaDefinitions = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** Answers are of the kind that was asked for, or of one of the few that any kind is answered with. */
function protobufSchemaOf(kind: Shown, said: unknown): ObjectSchema {
  if (said === "Status" || said === "PartialObjectMetadata") {
    return kubernetesObjectSchema(`${metaDefinitions}.${said}`);
  }
  return kind.schema.object;
}

/** How long a list is encoded at a stretch: others are served between. */
const stretchMs = 4;

/** Every message is made before the first is sent, because the length of all of them stands before them. */
async function protobufList(
  schema: ObjectSchema,
  typeMeta: { readonly apiVersion: string; readonly kind: string },
  page: ObjectPage,
  itemOf: (stored: StoredObject) => object,
): Promise<Iterable<Uint8Array>> {
  const items: Uint8Array[] = [];
  let untilMs = performance.now() + stretchMs;
  for (const stored of page.objects) {
    items.push(encodeMessage(schema, itemOf(stored) as Readonly<Record<string, unknown>>));
    if (items.length % 16 !== 0 || performance.now() < untilMs) continue;
    await setImmediate();
    untilMs = performance.now() + stretchMs;
  }
  const listMeta = listMetaOf(page) as Readonly<Record<string, unknown>>;
  return protobufListParts(typeMeta, listMeta, items);
}

function objectOf(stored: StoredObject): KubernetesObject {
  return stored.value;
}

/** Makes what the client asked for of objects: rows of a table, or their metadata alone. */
interface Transform {
  one(object: KubernetesObject, headers: boolean): unknown;
  page(page: ObjectPage): Iterable<Uint8Array> | Promise<Iterable<Uint8Array>>;
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
      page(page) {
        if (wanted.encoding !== "protobuf") {
          const list = partialMetadataList(valuesOf(page), listMetaOf(page), apiVersion);
          return [Buffer.from(encode(wanted, kind, list))];
        }
        const schema = kubernetesObjectSchema(`${metaDefinitions}.PartialObjectMetadata`);
        const typeMeta = { kind: "PartialObjectMetadataList", apiVersion };
        return protobufList(schema, typeMeta, page, (stored) =>
          partialMetadata(stored.value, apiVersion),
        );
      },
    };
  }
  const includeObject = includedIn(exchange);
  const columns = { columns: kind.columns ?? [], compareRows: kind.compareRows };
  return {
    one: (object, headers) =>
      tableOf(columns, [object], {
        includeObject,
        nowMs,
        metaVersion,
        headers,
        listMeta: { resourceVersion: object.metadata.resourceVersion },
      }),
    page(page) {
      const listMeta = listMetaOf(page);
      const options = { includeObject, nowMs, metaVersion, listMeta };
      if (wanted.encoding === "json" && !wanted.pretty) {
        return jsonTable(tableInRows(columns, valuesOf(page), options));
      }
      return [Buffer.from(encode(wanted, kind, tableOf(columns, valuesOf(page), options)))];
    },
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

const listEnd = Buffer.from("]}");

function* jsonList(kind: Shown, page: ObjectPage): Generator<Uint8Array> {
  const head = JSON.stringify({ ...listKindOf(kind), metadata: listMetaOf(page) });
  const items = listItemsOf(kind);
  const next = Buffer.from(`,${items.opening}`);
  let first = true;
  yield Buffer.from(`${head.slice(0, -1)},"items":[`);
  for (const stored of page.objects) {
    yield first ? next.subarray(1) : next;
    first = false;
    yield items.bytes(stored);
  }
  yield listEnd;
}

/** A table whose rows are made as they are sent. */
function* jsonTable({ head, rows }: ReturnType<typeof tableInRows>): Generator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"rows":[`);
  let separator = "";
  for (const row of rows) {
    yield Buffer.from(separator + JSON.stringify(row));
    separator = ",";
  }
  yield listEnd;
}

// ---- watches -----------------------------------------------------------------

const sharedJson = new SharedFrames((type, stored) => jsonFrame(type, stored.json));

/** YAML has no end by which one could tell an event from the next. */
const watchTypes = [`${jsonType};stream=watch`, `${protobufType};stream=watch`];

const plainEncodings = new WeakMap<ResourceDefinition, WatchEncoding>();
const plain: Negotiated = {
  encoding: "json",
  as: "object",
  metaVersion: "v1",
  pretty: false,
  contentType: jsonType,
};

/** As nearly every watch is written: one encoding for all of a kind, which holds on to none of them. */
function plainWatchEncodingOf(resource: ResourceDefinition): WatchEncoding {
  const known = plainEncodings.get(resource);
  if (known !== undefined) return known;
  const made: WatchEncoding = {
    event: (type, stored, live) =>
      live ? sharedJson.frame(type, stored) : jsonFrame(type, stored.json),
    stateParts: (stored) => jsonParts("ADDED", stored.json),
    bookmark: (revision, initial) =>
      frameOf(plain, resource, "BOOKMARK", bookmarkOf(plain, resource, revision, initial)),
    error: (error) => frameOf(plain, resource, "ERROR", error.toStatus()),
  };
  plainEncodings.set(resource, made);
  return made;
}

/** How a watch is written; NotAcceptable where the client asks for what cannot be had. */
export function watchEncodingOf(
  exchange: Exchange,
  resource: ResourceDefinition,
  nowMs: () => number,
): { readonly encoding: WatchEncoding; readonly contentType: string } {
  const wanted = negotiated(exchange, resource);
  if (wanted.as === "object" && wanted.encoding === "json") {
    return { contentType: jsonType, encoding: plainWatchEncodingOf(resource) };
  }
  if (wanted.encoding === "yaml") throw notAcceptable(watchTypes);
  // What is wrong with the question is said before the answer begins.
  if (wanted.as === "table") includedIn(exchange);
  const frame = (type: string, value: object) => frameOf(wanted, resource, type, value);
  let headers = true;
  const transformed = (type: string, object: KubernetesObject) => {
    const value = transformOf(exchange, resource, wanted, nowMs()).one(object, headers);
    headers = false;
    return frame(type, value as object);
  };
  const event = (type: WatchEventType, stored: StoredObject) =>
    wanted.as === "object" ? frame(type, stored.value) : transformed(type, stored.value);
  const bookmark: WatchEncoding["bookmark"] = (revision, initial) =>
    frame("BOOKMARK", bookmarkOf(wanted, resource, revision, initial));
  return {
    contentType: `${wanted.contentType};stream=watch`,
    encoding: { event, bookmark, error: (error) => frame("ERROR", error.toStatus()) },
  };
}

function frameOf(
  wanted: Negotiated,
  resource: ResourceDefinition,
  type: string,
  value: object,
): Uint8Array {
  if (wanted.encoding === "json") {
    return Buffer.from(`${JSON.stringify({ type, object: value })}\n`);
  }
  const object = value as Readonly<Record<string, unknown>>;
  const schema = protobufSchemaOf(resource, object["kind"]);
  return encodeProtobufWatchEvent(type, encodeProtobuf(schema, object));
}

/** What says how far a watch has come, in the form of the watch's other events. */
function bookmarkOf(
  wanted: Negotiated,
  resource: ResourceDefinition,
  revision: Revision,
  initial: boolean,
): object {
  const metadata = {
    resourceVersion: String(revision),
    ...(initial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
  };
  const apiVersion = `meta.k8s.io/${wanted.metaVersion}`;
  switch (wanted.as) {
    case "object":
      return { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    case "metadata":
      return { kind: "PartialObjectMetadata", apiVersion, metadata };
    case "table":
      return { kind: "Table", apiVersion, metadata, columnDefinitions: null, rows: [] };
  }
}
