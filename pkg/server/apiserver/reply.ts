import type { ApiError } from "../../api/api-error.ts";
import type { Answered, Exchange } from "./exchange.ts";
import { jsonType } from "./negotiation.ts";

/** The headers of every answer. Plain, because the server writes plain ones fastest. */
export function headersOf(exchange: Exchange, contentType: string): Record<string, string> {
  const headers: Record<string, string> = {
    "Audit-Id": exchange.auditId,
    "Cache-Control": "no-cache, private",
    "Content-Type": contentType,
  };
  const { flow } = exchange;
  if (flow !== undefined && flow.flowSchemaUid !== "") {
    headers["X-Kubernetes-Pf-Flowschema-Uid"] = flow.flowSchemaUid;
    headers["X-Kubernetes-Pf-Prioritylevel-Uid"] = flow.priorityLevelUid;
  }
  if (exchange.warnings.length > 0) headers["Warning"] = warningHeader(exchange.warnings);
  return headers;
}

export function reply(
  exchange: Exchange,
  status: number,
  contentType: string,
  body: Uint8Array | string,
): Answered {
  return exchange.send(status, headersOf(exchange, contentType), body);
}

export function replyJson(exchange: Exchange, status: number, value: unknown): Answered {
  return reply(exchange, status, jsonType, JSON.stringify(value));
}

export function replyError(exchange: Exchange, error: ApiError): Answered {
  const headers = headersOf(exchange, jsonType);
  const retryAfter = error.details?.retryAfterSeconds;
  if (retryAfter !== undefined && retryAfter > 0) headers["Retry-After"] = String(retryAfter);
  if (error.code === 401) headers["WWW-Authenticate"] = 'Bearer realm="kubernetes-master"';
  return exchange.send(error.code, headers, JSON.stringify(error.toStatus()));
}

/** All warnings together may be this long; what is more is left out, as upstream does. */
const warningCharactersMax = 4 * 1024;
const oneWarningCharactersMax = 256;

function warningHeader(warnings: readonly string[]): string {
  const whole = warnings.reduce((sum, text) => sum + text.length, 0) <= warningCharactersMax;
  const shown: string[] = [];
  let characters = 0;
  for (const text of new Set(warnings)) {
    const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
    const shortened = whole ? plain : plain.slice(0, oneWarningCharactersMax);
    characters += shortened.length;
    if (characters > warningCharactersMax) break;
    shown.push(`299 - "${asciiOf(shortened).replace(/[\\"]/g, "\\$&")}"`);
  }
  return shown.join(", ");
}

/** Header values are bytes: UTF-8 in Latin-1 clothing, as Go's servers send it. */
function asciiOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
