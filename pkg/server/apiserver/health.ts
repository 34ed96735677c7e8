import type { Answered, Exchange } from "./exchange.ts";
import type { PathHandler } from "./path-handler.ts";
import { reply } from "./reply.ts";

/** One reason for which the server may not be well. */
export interface HealthCheck {
  readonly name: string;
  /** Undefined when all is well; else what is wrong. */
  problem(): string | undefined;
}

export interface HealthChecks {
  /** Whether the process should go on living. */
  readonly live: readonly HealthCheck[];
  /** Whether it should be sent requests. */
  readonly ready: readonly HealthCheck[];
}

/** `/livez`, `/readyz`, `/healthz`: in one word, check by check with `?verbose`, or one check by its path. */
export function healthPaths(checks: HealthChecks): readonly PathHandler[] {
  const ping: HealthCheck = { name: "ping", problem: () => undefined };
  const log: HealthCheck = { name: "log", problem: () => undefined };
  const live = [ping, log, ...checks.live];
  return [
    ...endpoint("livez", live),
    ...endpoint("healthz", live),
    ...endpoint("readyz", [...live, ...checks.ready]),
  ];
}

function endpoint(name: string, checks: readonly HealthCheck[]): readonly PathHandler[] {
  return [
    { path: `/${name}`, handle: (exchange) => answer(exchange, name, checks) },
    ...checks.map((check) => ({
      path: `/${name}/${check.name}`,
      handle: (exchange: Exchange) =>
        answer(exchange, `${name}/${check.name}`, [check], check.name),
    })),
  ];
}

function answer(
  exchange: Exchange,
  what: string,
  checks: readonly HealthCheck[],
  alone?: string,
): Answered {
  const excluded = new Set(alone === undefined ? exchange.query.getAll("exclude") : []);
  const verbose = exchange.query.has("verbose");
  let lines = "";
  let failed = false;
  for (const check of checks) {
    if (excluded.has(check.name)) {
      lines += `[+]${check.name} excluded: ok\n`;
      continue;
    }
    const problem = check.problem();
    if (problem === undefined) lines += `[+]${check.name} ok\n`;
    else {
      failed = true;
      // Anyone may ask; what exactly is wrong is in the log.
      lines += `[-]${check.name} failed: reason withheld\n`;
    }
  }
  const type = "text/plain; charset=utf-8";
  if (failed) return reply(exchange, 500, type, `${lines}${what} check failed\n`);
  return reply(exchange, 200, type, verbose ? `${lines}${what} check passed\n` : "ok");
}
