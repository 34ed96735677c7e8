import type { ApiError } from "../../api/api-error.ts";
import type { Answered, Exchange } from "./exchange.ts";
import { jsonType } from "./negotiation.ts";
import { warningHeader } from "./warning-header.ts";

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
  return exchange.send(error.code, headers, JSON.stringify(error.toStatus()));
}
