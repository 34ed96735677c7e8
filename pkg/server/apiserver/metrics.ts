import type { Registry } from "prom-client";
import type { Clock } from "../../base/clock.ts";
import type { Exchange } from "./exchange.ts";
import type { PathHandler } from "./path-handler.ts";
import { reply } from "./reply.ts";

/**
 * Counts requests and how long they take, under upstream's names. Counting is on the way of every request, so a
 * series is found by one look-up; its text is made when somebody asks.
 */
export interface RequestMetrics {
  finished(exchange: Exchange, code: number): void;
  /** In Prometheus' text. */
  text(): string;
}

const bucketsSeconds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

/** Series beyond these are not begun. */
const seriesMax = 2_000;

/** Whoever is answered so may have written anything into the path: it begins no series. */
const unproven: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 415]);

class Series {
  readonly labels: string;
  /** Whether requests of this kind are meant to last. */
  readonly lasts: boolean;
  readonly codes = new Map<number, number>();
  readonly counts: number[] = bucketsSeconds.map(() => 0);
  count = 0;
  sumSeconds = 0;

  constructor(labels: string, lasts: boolean) {
    this.labels = labels;
    this.lasts = lasts;
  }

  add(code: number, seconds: number): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (this.lasts) return;
    this.count += 1;
    this.sumSeconds += seconds;
    const at = bucketsSeconds.findIndex((bound) => seconds <= bound);
    if (at !== -1) this.counts[at] = (this.counts[at] ?? 0) + 1;
  }
}

export function createRequestMetrics(clock: Clock): RequestMetrics {
  const series = new Map<string, Series>();
  const begin = (key: string, make: () => Series): Series | undefined => {
    const known = series.get(key);
    if (known !== undefined || series.size >= seriesMax) return known;
    const made = make();
    series.set(key, made);
    return made;
  };
  return {
    finished(exchange, code) {
      const seconds = (clock.monotonic() - exchange.startedMs) / 1000;
      const key = keyOf(exchange);
      const found = series.get(key);
      if (found !== undefined) found.add(code, seconds);
      else if (unproven.has(code)) {
        const verb = methodOf(exchange);
        begin(verb, () => pathSeries(verb))?.add(code, seconds);
      } else begin(key, () => seriesOf(exchange))?.add(code, seconds);
    },
    text: () => textOf([...series.values()]),
  };
}

const connecting: ReadonlySet<string> = new Set(["log", "exec", "attach", "portforward", "proxy"]);
const verbs: ReadonlyMap<string, string> = new Map([
  ["create", "POST"],
  ["update", "PUT"],
]);

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

/** HTTP/2 takes any word for a method. */
function methodOf({ method }: Exchange): string {
  return methods.has(method) ? method : "other";
}

function keyOf(exchange: Exchange): string {
  const { info } = exchange;
  // Not the path: whoever asks for many would make many series.
  if (info.type === "path") return methodOf(exchange);
  const scope = scopeOf(info);
  return `${info.verb} ${info.group} ${info.version} ${info.resource} ${info.subresource} ${scope}`;
}

function scopeOf(info: { readonly name: string; readonly namespace: string }): string {
  if (info.name !== "") return "resource";
  return info.namespace === "" ? "cluster" : "namespace";
}

function pathSeries(verb: string): Series {
  return new Series(labelsOf({ verb }), false);
}

function seriesOf(exchange: Exchange): Series {
  const { info } = exchange;
  if (info.type === "path") return pathSeries(methodOf(exchange));
  const { group, version, resource, subresource } = info;
  const verb = connecting.has(subresource)
    ? "CONNECT"
    : (verbs.get(info.verb) ?? info.verb.toUpperCase());
  const labels = { verb, group, version, resource, subresource, scope: scopeOf(info) };
  return new Series(labelsOf(labels), verb === "WATCH" || verb === "CONNECT");
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(",");
}

function textOf(all: readonly Series[]): string {
  const total = "apiserver_request_total";
  const duration = "apiserver_request_duration_seconds";
  const lines = [
    `# HELP ${total} Requests that were answered, by verb, resource, scope and HTTP status code.`,
    `# TYPE ${total} counter`,
  ];
  for (const { labels, codes } of all) {
    for (const [code, count] of codes) lines.push(`${total}{${labels},code="${code}"} ${count}`);
  }
  lines.push(
    `# HELP ${duration} How long answers took, of requests that are not meant to last.`,
    `# TYPE ${duration} histogram`,
  );
  for (const { labels, lasts, counts, count, sumSeconds } of all) {
    if (lasts) continue;
    let below = 0;
    for (const [index, bound] of bucketsSeconds.entries()) {
      below += counts[index] ?? 0;
      lines.push(`${duration}_bucket{${labels},le="${bound}"} ${below}`);
    }
    lines.push(
      `${duration}_bucket{${labels},le="+Inf"} ${count}`,
      `${duration}_sum{${labels}} ${sumSeconds}`,
      `${duration}_count{${labels}} ${count}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** `/metrics`: the requests, and whatever other parts of the process count in `registry`. */
export function metricsPath(requests: RequestMetrics, registry: Registry): PathHandler {
  return {
    path: "/metrics",
    handle: async (exchange) =>
      reply(exchange, 200, registry.contentType, `${requests.text()}${await registry.metrics()}`),
  };
}
