import type { ApiError } from "../../api/api-error.ts";
import { encodeProtobuf } from "../../api/codec/protobuf.ts";
import { printYaml } from "../../api/codec/yaml.ts";
import { kubernetesObjectSchema } from "../../api/kubernetes-schema.ts";
import type { Answered, Exchange } from "./exchange.ts";
import { jsonType, type Negotiated, negotiate } from "./negotiation.ts";
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

/** Refuses in the media type that the client asked for; where there is none such, in JSON for people. */
export function replyError(exchange: Exchange, error: ApiError): Answered {
  const wanted = errorFormOf(exchange);
  const headers = headersOf(exchange, wanted.contentType);
  const retryAfter = error.details?.retryAfterSeconds;
  if (retryAfter !== undefined && retryAfter > 0) headers["Retry-After"] = String(retryAfter);
  return exchange.send(error.code, headers, printStatus(error.toStatus(), wanted));
}

const jsonForPeople = { encoding: "json", pretty: true, contentType: jsonType } as const;

/** A refusal is a Status whatever was asked for: it is no row of a table. */
function errorFormOf(exchange: Exchange): Pick<Negotiated, "encoding" | "pretty" | "contentType"> {
  const wishes = {
    accept: exchange.header("accept"),
    pretty: exchange.query.get("pretty"),
    userAgent: exchange.header("user-agent"),
  };
  try {
    return negotiate(wishes, { tables: false, serverVersion: false });
  } catch {
    return jsonForPeople;
  }
}

const statusDefinition = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

function printStatus(
  status: ReturnType<ApiError["toStatus"]>,
  { encoding, pretty }: Pick<Negotiated, "encoding" | "pretty">,
): Uint8Array | string {
  switch (encoding) {
    case "json":
      return JSON.stringify(status, null, pretty ? 2 : 0);
    case "yaml":
      return printYaml(status);
    case "protobuf":
      return encodeProtobuf(kubernetesObjectSchema(statusDefinition), { ...status });
  }
}
