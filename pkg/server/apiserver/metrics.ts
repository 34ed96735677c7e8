import { Counter, Histogram, type Registry } from "prom-client";
import type { Clock } from "../../base/clock.ts";
import type { PathHandler } from "./app.ts";
import type { Exchange } from "./exchange.ts";
import { reply } from "./reply.ts";

/** Counts requests and how long they take, under upstream's names. */
export interface RequestMetrics {
  started(exchange: Exchange): void;
  finished(exchange: Exchange, code: number): void;
}

const bucketsSeconds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

export function createRequestMetrics(registry: Registry, clock: Clock): RequestMetrics {
  const labels = ["verb", "group", "version", "resource", "subresource", "scope"] as const;
  const total = new Counter({
    name: "apiserver_request_total",
    help: "Requests that were answered, by verb, resource, scope and HTTP status code.",
    labelNames: [...labels, "code"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "apiserver_request_duration_seconds",
    help: "How long answers took, of requests that are not meant to last.",
    labelNames: [...labels],
    buckets: bucketsSeconds,
    registers: [registry],
  });
  const startedMs = new WeakMap<Exchange, number>();

  return {
    started(exchange) {
      startedMs.set(exchange, clock.monotonic());
    },
    finished(exchange, code) {
      const since = startedMs.get(exchange);
      if (since === undefined) return;
      startedMs.delete(exchange);
      const values = labelsOf(exchange);
      total.inc({ ...values, code });
      if (lasting.has(values.verb)) return;
      duration.observe(values, (clock.monotonic() - since) / 1000);
    },
  };
}

const lasting: ReadonlySet<string> = new Set(["WATCH", "CONNECT"]);
const connecting: ReadonlySet<string> = new Set(["log", "exec", "attach", "portforward", "proxy"]);

function labelsOf({
  info,
}: Exchange): Record<"verb" | "group" | "version" | "resource" | "subresource" | "scope", string> {
  if (info.type === "path") {
    // Not the path: whoever asks for many would make many series.
    return {
      verb: info.verb.toUpperCase(),
      group: "",
      version: "",
      resource: "",
      subresource: "",
      scope: "",
    };
  }
  const { group, version, resource, subresource, name, namespace } = info;
  const verb = connecting.has(subresource)
    ? "CONNECT"
    : (verbs[info.verb] ?? info.verb.toUpperCase());
  const scope = name !== "" ? "resource" : namespace !== "" ? "namespace" : "cluster";
  return { verb, group, version, resource, subresource, scope };
}

const verbs: Readonly<Record<string, string>> = { create: "POST", update: "PUT" };

/** `/metrics`, in Prometheus' text. */
export function metricsPath(registry: Registry): PathHandler {
  return {
    path: "/metrics",
    handle: async (exchange) =>
      reply(exchange, 200, registry.contentType, await registry.metrics()),
  };
}
