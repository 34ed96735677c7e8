import type { Discovery } from "./discovery.ts";
import { notServed } from "./dispatch.ts";
import type { Answered, Exchange } from "./exchange.ts";
import { gzipped } from "./gzip.ts";
import { wantsGzip } from "./negotiation.ts";
import type { OpenApi } from "./openapi.ts";
import type { PathHandler } from "./path-handler.ts";
import { headersOf } from "./reply.ts";

/** `/api`, `/apis` and below: which kinds there are. */
export function discoveryPaths(discovery: Discovery): readonly PathHandler[] {
  const handle = async (exchange: Exchange) => {
    const answer = discovery.answer(exchange.path.replace(/\/+$/, ""), exchange.header("accept"));
    if (answer === undefined) throw notServed();
    return await replyDocument(exchange, answer);
  };
  const paths = ["/api", "/api/:version", "/apis", "/apis/:group", "/apis/:group/:version"];
  return paths.flatMap((path) => [
    { path, handle },
    { path: `${path}/`, handle },
  ]);
}

/** `/openapi/v2` and `/openapi/v3`: what the kinds look like. */
export function openApiPaths(openApi: OpenApi): readonly PathHandler[] {
  const handle = async (exchange: Exchange) => {
    const answer = await openApi.answer(
      exchange.path,
      exchange.query.get("hash"),
      exchange.header("accept"),
    );
    if (answer === undefined) throw notServed();
    if (answer.type === "moved") {
      const headers = { ...headersOf(exchange, "text/plain"), Location: answer.location };
      return exchange.send(301, headers, "");
    }
    return await replyDocument(exchange, answer);
  };
  return [{ path: "/openapi/*", handle }];
}

interface Document {
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly etag: string | undefined;
  readonly immutable?: boolean;
}

/** A client that has it already is only told so. */
async function replyDocument(exchange: Exchange, document: Document): Promise<Answered> {
  const headers = headersOf(exchange, document.contentType);
  headers["Vary"] = "Accept";
  if (document.etag !== undefined) headers["Etag"] = document.etag;
  if (document.immutable === true) headers["Cache-Control"] = "public, immutable";
  const known = exchange.header("if-none-match");
  if (document.etag !== undefined && known === document.etag) {
    return exchange.send(304, headers, "");
  }
  let body = document.body;
  if (wantsGzip(exchange.header("accept-encoding"), body.length)) {
    body = await gzipped(body);
    headers["Content-Encoding"] = "gzip";
  }
  return exchange.send(200, headers, body);
}
