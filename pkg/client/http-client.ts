import { ApiError } from "../api/api-error.ts";
import type { Status } from "../api/generated/meta-v1.generated.ts";
import { type KubernetesObject, keyOf, type NewObject, type ObjectKey } from "../api/object.ts";
import { apiVersionOf, type ResourceDefinition } from "../api/resource.ts";
import { isAbortOf } from "../base/abort.ts";
import { deepFreeze } from "../base/deep-freeze.ts";
import type {
  Client,
  DeleteOptions,
  ObjectList,
  PatchBody,
  Selection,
  WriteOptions,
} from "./client.ts";
import { createHttpInformer, type ListWatch, type WatchLine } from "./http-informer.ts";
import type { Informer, InformerOptions } from "./informer.ts";
import { collectionPath, objectPath, queryString } from "./resource-path.ts";
import {
  createHttpTransport,
  type HttpTransportOptions,
  type TransportRequest,
  type TransportResponse,
} from "./transport.ts";

const limits = {
  /** A list is fetched in pages of this many. */
  pageObjects: 500,
  bodyBytesMax: 64 << 20,
  watchLineBytesMax: 16 << 20,
  /** A request that is no watch is given up after this. */
  requestMs: 60_000,
  /** How often a server that asks for patience (429 with Retry-After) is asked again. */
  patienceTries: 10,
};

/** A client that holds a connection until it is disposed of. */
export interface HttpClient extends Client, AsyncDisposable {
  /** Any other path of the API, as JSON: `/version`, `/api`, … */
  getPath(path: string, signal: AbortSignal): Promise<unknown>;
  /** See `Transport.renew`: for a new certificate. */
  renew(): void;
}

export interface HttpClientOptions extends HttpTransportOptions {
  /** Where jitter comes from: a number in [0, 1). */
  readonly random: () => number;
}

/** The API over HTTP/2 and JSON, as an agent or a tool speaks to it. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { clock } = options;
  const transport = createHttpTransport(options);
  const fieldManager = options.userAgent.split("/", 1)[0] ?? options.userAgent;

  async function exchange(request: TransportRequest, signal: AbortSignal): Promise<unknown> {
    const deadline = new AbortController();
    const limited = AbortSignal.any([signal, deadline.signal]);
    const cancelDeadline = clock.after(limits.requestMs, () => deadline.abort());
    try {
      for (let tries = 1; ; tries++) {
        const response = await transport.request(
          { ...request, headers: { accept: "application/json", ...request.headers } },
          limited,
        );
        const body = await readBody(response);
        const waitMs = retryAfterMs(response);
        if (response.code === 429 && waitMs !== undefined && tries < limits.patienceTries) {
          await clock.sleep(waitMs, limited);
          continue;
        }
        return parseAnswer(response.code, body);
      }
    } catch (caught) {
      const tooLate = !signal.aborted && isAbortOf(deadline.signal, caught);
      throw tooLate ? noAnswerInTime(options.server, request) : caught;
    } finally {
      cancelDeadline();
    }
  }

  function send(
    method: TransportRequest["method"],
    path: string,
    body: unknown,
    signal: AbortSignal,
    contentType = "application/json",
  ): Promise<unknown> {
    const headers = { "content-type": contentType };
    return exchange({ method, path, headers, body: JSON.stringify(body) }, signal);
  }

  async function getIfThere(path: string, signal: AbortSignal): Promise<unknown> {
    try {
      return await exchange({ method: "GET", path }, signal);
    } catch (caught) {
      if (isObjectMissing(caught)) return undefined;
      throw caught;
    }
  }

  async function list<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    selection: Selection & { readonly resourceVersion?: string },
    signal: AbortSignal,
  ): Promise<ObjectList<T>> {
    const path = collectionPath(resource, selection.namespace);
    const { labelSelector, fieldSelector, resourceVersion } = selection;
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const query = queryString({
        labelSelector,
        fieldSelector,
        limit: limits.pageObjects,
        ...(next === undefined ? { resourceVersion } : { continue: next }),
      });
      const page = parseList<T>(
        await exchange({ method: "GET", path: path + query }, signal),
        resource,
      );
      items.push(...page.items);
      if (page.next === undefined) return { items, resourceVersion: page.resourceVersion };
      next = page.next;
    }
  }

  function listWatch<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    selection: Selection,
  ): ListWatch<T> {
    const path = collectionPath(resource, selection.namespace);
    const { labelSelector, fieldSelector } = selection;
    return {
      list: (resourceVersion, signal) => list(resource, { ...selection, resourceVersion }, signal),
      async *watch(resourceVersion, timeoutSeconds, signal) {
        const query = queryString({
          watch: true,
          allowWatchBookmarks: true,
          labelSelector,
          fieldSelector,
          resourceVersion,
          timeoutSeconds,
        });
        const response = await transport.request(
          { method: "GET", path: path + query, headers: { accept: "application/json" } },
          signal,
        );
        if (response.code !== 200) parseAnswer(response.code, await readBody(response));
        for await (const line of linesOf(response)) yield parseWatchLine<T>(line);
      },
    };
  }

  return {
    async get<T extends KubernetesObject>(
      resource: ResourceDefinition<T>,
      key: ObjectKey,
      signal: AbortSignal,
    ) {
      return (await getIfThere(objectPath(resource, key), signal)) as T | undefined;
    },
    getSubresource: (resource, key, subresource, signal) =>
      getIfThere(objectPath(resource, key, subresource), signal),
    list,
    async create<T extends KubernetesObject>(
      resource: ResourceDefinition<T>,
      object: NewObject<T>,
      signal: AbortSignal,
    ) {
      const path = collectionPath(resource, object.metadata.namespace);
      return (await send("POST", path, object, signal)) as T;
    },
    createSubresource: (resource, key, subresource, body, signal) =>
      send("POST", objectPath(resource, key, subresource), body, signal),
    async update<T extends KubernetesObject>(
      resource: ResourceDefinition<T>,
      object: T,
      signal: AbortSignal,
      write: WriteOptions = {},
    ) {
      const path = objectPath(resource, keyOf(object), write.subresource);
      return (await send("PUT", path, object, signal)) as T;
    },
    async patch<T extends KubernetesObject>(
      resource: ResourceDefinition<T>,
      key: ObjectKey,
      patch: PatchBody,
      signal: AbortSignal,
      write: WriteOptions = {},
    ) {
      const { body, contentType, query } = patchRequest(patch, fieldManager);
      const path = objectPath(resource, key, write.subresource) + query;
      return (await send("PATCH", path, body, signal, contentType)) as T;
    },
    async delete(resource, key, signal, deletion: DeleteOptions = {}) {
      const body = { kind: "DeleteOptions", apiVersion: "v1", ...deletion };
      try {
        await send("DELETE", objectPath(resource, key), body, signal);
      } catch (caught) {
        if (!isObjectMissing(caught)) throw caught;
      }
    },
    informer<T extends KubernetesObject>(
      resource: ResourceDefinition<T>,
      selection: InformerOptions = {},
    ): Informer<T> {
      return createHttpInformer({
        name: resource.plural,
        source: listWatch(resource, selection),
        clock,
        logger: options.logger,
        random: options.random,
      });
    },
    getPath: (path, signal) => exchange({ method: "GET", path }, signal),
    renew: () => transport.renew(),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** A 404 for the object itself: one for a path that the server does not know carries no such details. */
function isObjectMissing(caught: unknown): boolean {
  return caught instanceof ApiError && caught.reason === "NotFound" && caught.details !== undefined;
}

function noAnswerInTime(server: string, request: TransportRequest): ApiError {
  return new ApiError(
    "Timeout",
    `${server} did not answer ${request.method} ${request.path} within ${limits.requestMs} ms`,
  );
}

function patchRequest(
  patch: PatchBody,
  fieldManager: string,
): { readonly body: unknown; readonly contentType: string; readonly query: string } {
  switch (patch.type) {
    case "json":
      return {
        body: patch.operations,
        contentType: "application/json-patch+json",
        query: "",
      };
    case "merge":
      return { body: patch.patch, contentType: "application/merge-patch+json", query: "" };
    case "strategic":
      return {
        body: patch.patch,
        contentType: "application/strategic-merge-patch+json",
        query: "",
      };
    case "apply":
      return {
        body: patch.object,
        contentType: "application/apply-patch+yaml",
        query: queryString({ fieldManager, force: patch.force ?? false }),
      };
  }
}

function retryAfterMs(response: TransportResponse): number | undefined {
  const seconds = Number(response.headers["retry-after"]);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

async function readBody(response: TransportResponse): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > limits.bodyBytesMax) {
      throw new ApiError(
        "InternalError",
        `the server's answer is larger than ${limits.bodyBytesMax} bytes: ask for less at once`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString("utf8");
}

async function* linesOf(response: TransportResponse): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of response.body) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]);
      rest = [];
      restBytes = 0;
      start = end + 1;
      if (line.length > 0) yield line.toString("utf8");
    }
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > limits.watchLineBytesMax) {
      throw new ApiError(
        "InternalError",
        `a watch event is larger than ${limits.watchLineBytesMax} bytes`,
      );
    }
  }
}

function parseAnswer(code: number, body: string): unknown {
  const value = parseJson(body);
  if (code >= 200 && code < 300) return deepFreeze(value ?? {});
  if (isRecord(value) && value["kind"] === "Status") {
    throw ApiError.fromStatus(value as Partial<Status>, code);
  }
  throw ApiError.fromStatus({ message: body === "" ? `the server answered ${code}` : body }, code);
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseList<T extends KubernetesObject>(
  value: unknown,
  resource: ResourceDefinition<T>,
): {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly next: string | undefined;
} {
  if (!isRecord(value) || !isRecord(value["metadata"])) {
    throw new ApiError("InternalError", `the server's answer is no list of ${resource.plural}`);
  }
  const items = Array.isArray(value["items"]) ? value["items"] : [];
  const next = value["metadata"]["continue"];
  return {
    // The items of a typed list do not name their kind.
    items: items.map((item: object) =>
      Object.freeze({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...item }),
    ) as unknown as T[],
    resourceVersion: String(value["metadata"]["resourceVersion"] ?? ""),
    next: typeof next === "string" && next !== "" ? next : undefined,
  };
}

function parseWatchLine<T extends KubernetesObject>(line: string): WatchLine<T> {
  const value = parseJson(line);
  if (!isRecord(value) || !isRecord(value["object"])) {
    throw new ApiError("InternalError", "the server sent a watch event that cannot be read");
  }
  const object = deepFreeze(value["object"]);
  switch (value["type"]) {
    case "ADDED":
    case "MODIFIED":
      return { type: "set", object: object as unknown as T };
    case "DELETED":
      return { type: "deleted", object: object as unknown as T };
    case "BOOKMARK":
      return { type: "bookmark", object: object as unknown as KubernetesObject };
    case "ERROR":
      throw ApiError.fromStatus(object as Partial<Status>, 500);
    default:
      throw new ApiError(
        "InternalError",
        `the server sent a watch event of an unknown type ${JSON.stringify(value["type"])}`,
      );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
