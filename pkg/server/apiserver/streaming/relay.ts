import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { joinStreams } from "../../../base/join-streams.ts";
import type { Exchange } from "../exchange.ts";
import { headersOf } from "../reply.ts";
import { upgradeOf } from "../upgrade.ts";
import type { NodeConnector } from "./node-connector.ts";

/** What belongs to one connection only, and is never passed on. */
const hopHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);
/** What proves to us who the client is, which the node need not know. */
const ownHeaders: ReadonlySet<string> = new Set(["authorization", "host", "cookie"]);

export interface RelayTarget {
  readonly nodeName: string;
  /** With its query. */
  readonly path: string;
}

/** The client's headers, as far as they are meant for whoever answers in the end. */
export function passedHeaders(exchange: Exchange): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(exchange.incoming.headers)) {
    if (value === undefined || name.startsWith(":") || name.startsWith("impersonate-")) continue;
    if (!hopHeaders.has(name) && !ownHeaders.has(name)) headers[name] = value;
  }
  return headers;
}

/**
 * Hands the client's connection over to the node: what is said on either side from then on is passed on byte for
 * byte. A node that refuses is answered with its own words.
 */
export async function relayUpgrade(
  connector: NodeConnector,
  exchange: Exchange,
  { nodeName, path }: RelayTarget,
): Promise<Response> {
  const { incoming, method, signal } = exchange;
  const upgrade = upgradeOf(incoming);
  if (upgrade === undefined) {
    return new Response("Upgrade request required", {
      status: 400,
      headers: headersOf(exchange, "text/plain; charset=utf-8"),
    });
  }
  const answer = await connector.upgrade(
    nodeName,
    {
      method,
      path,
      headers: {
        ...passedHeaders(exchange),
        connection: "Upgrade",
        upgrade: incoming.headers["upgrade"] ?? "",
      },
    },
    signal,
  );
  if (answer.outcome === "answered") return await relayAnswer(exchange, answer.response);
  upgrade.take();
  upgrade.socket.write(headOf(answer.response));
  if (answer.head.length > 0) upgrade.socket.write(answer.head);
  if (upgrade.head.length > 0) answer.socket.write(upgrade.head);
  // Who has nothing more to say may still be told something: the output of a command that has read its input.
  upgrade.socket.allowHalfOpen = true;
  answer.socket.allowHalfOpen = true;
  await joinStreams(upgrade.socket, answer.socket);
  return RESPONSE_ALREADY_SENT;
}

function headOf({ statusMessage, rawHeaders }: IncomingMessage): string {
  let head = `HTTP/1.1 101 ${statusMessage ?? "Switching Protocols"}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

/** Passes a node's answer on as it comes. */
export async function relayAnswer(
  exchange: Exchange,
  response: IncomingMessage,
): Promise<Response> {
  const { outgoing } = exchange;
  const headers: Record<string, string | string[]> = headersOf(exchange, "text/plain");
  for (const [name, value] of Object.entries(response.headers)) {
    if (value === undefined || hopHeaders.has(name)) continue;
    delete headers[canonical(name)];
    headers[name] = value;
  }
  outgoing.writeHead(response.statusCode ?? 502, headers);
  outgoing.flushHeaders();
  try {
    await pipeline(response, outgoing as NodeJS.WritableStream);
  } catch {
    // The client went, or the node did: either way there is nobody left to tell.
    outgoing.destroy();
  }
  return RESPONSE_ALREADY_SENT;
}

function canonical(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (text) => text.toUpperCase());
}
