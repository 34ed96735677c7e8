import type { IncomingMessage } from "node:http";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ApiError } from "../../../api/api-error.ts";
import { joinStreams } from "../../../base/join-streams.ts";
import { type Answered, answered, type Exchange } from "../exchange.ts";
import { headersOf, reply } from "../reply.ts";
import type { Backend } from "./backend.ts";

/** What belongs to one connection only, and is never passed on. */
const hopHeaders: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);
/** What proves to us who the client is, which a backend need not know. */
const ownHeaders: ReadonlySet<string> = new Set(["authorization", "host", "cookie"]);

/** The client's headers, as far as they are meant for whoever answers in the end. */
export function passedHeaders(exchange: Exchange): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const incoming = exchange.headers;
  const named = new Set((incoming.connection ?? "").toLowerCase().split(/[ ,]+/));
  for (const [name, value] of Object.entries(incoming)) {
    if (value === undefined || name.startsWith(":") || name.startsWith("impersonate-")) continue;
    if (hopHeaders.has(name) || ownHeaders.has(name) || named.has(name)) continue;
    headers[name] = value;
  }
  return headers;
}

/**
 * Hands the client's connection over to `backend`: what is said on either side from then on is passed on byte for
 * byte. Where it refuses, the client is answered in its words, and stays with us.
 *
 * @param path with its query
 */
export async function relayUpgrade(
  backend: Backend,
  exchange: Exchange,
  path: string,
  headers: Readonly<Record<string, string | string[]>> = passedHeaders(exchange),
): Promise<Answered> {
  const { method, signal, upgrade } = exchange;
  if (upgrade === undefined) {
    return reply(exchange, 400, "text/plain; charset=utf-8", "Upgrade request required");
  }
  const answer = await backend.upgrade(
    {
      method,
      path,
      headers: {
        ...headers,
        connection: "Upgrade",
        upgrade: exchange.headers["upgrade"] ?? "",
      },
    },
    signal,
  );
  if (answer.outcome === "answered") {
    const { response } = answer;
    const { statusCode = 0 } = response;
    if (statusCode >= 400) return await relayAnswer(exchange, response);
    response.destroy();
    throw new ApiError(
      "InternalError",
      `Internal error occurred: invalid upgrade response: status code ${statusCode}`,
    );
  }
  upgrade.take();
  exchange.status = 101;
  upgrade.socket.write(headOf(answer.response));
  if (answer.head.length > 0) upgrade.socket.write(answer.head);
  if (upgrade.head.length > 0) answer.socket.write(upgrade.head);
  // Who has nothing more to say may still be told something: the output of a command that has read its input.
  upgrade.socket.allowHalfOpen = true;
  answer.socket.allowHalfOpen = true;
  await joinStreams(upgrade.socket, answer.socket);
  return answered;
}

function headOf({ statusMessage, rawHeaders }: IncomingMessage): string {
  let head = `HTTP/1.1 101 ${statusMessage ?? "Switching Protocols"}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

/** Passes a backend's answer on as it comes; `change`, if given, works on its headers and body on the way. */
export async function relayAnswer(
  exchange: Exchange,
  response: IncomingMessage,
  change?: (headers: Record<string, string | string[]>) => readonly Transform[],
): Promise<Answered> {
  const headers: Record<string, string | string[]> = headersOf(exchange, "text/plain");
  for (const [name, value] of Object.entries(response.headers)) {
    if (value === undefined || hopHeaders.has(name)) continue;
    delete headers[canonical(name)];
    headers[name] = value;
  }
  const steps = change?.(headers) ?? [];
  const outgoing = exchange.begin(response.statusCode ?? 502, headers);
  try {
    await pipeline([response, ...steps, outgoing]);
  } catch {
    // The client went, or the backend did: either way there is nobody left to tell.
    outgoing.destroy();
  }
  return answered;
}

function canonical(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (text) => text.toUpperCase());
}
