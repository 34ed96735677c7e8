import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import { ApiError } from "../../api/api-error.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { MendableError } from "../../base/mendable-error.ts";
import { attributesOf } from "./attributes.ts";
import type { Authenticator } from "./authn/authenticator.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { forbiddenError } from "./authz/forbidden.ts";
import { clientCertificateOf } from "./client-certificate.ts";
import { Deadlines } from "./deadlines.ts";
import { type DispatchDeps, dispatch, notAllowed, notServed } from "./dispatch.ts";
import { type Answered, ClientGoneError, type Exchange } from "./exchange.ts";
import { type FlowControl, FlowRefusal, type Seat } from "./flow-control/flow-control.ts";
import { createImpersonation } from "./impersonation.ts";
import { lasts } from "./long-running.ts";
import type { RequestMetrics } from "./metrics.ts";
import type { PathHandler } from "./path-handler.ts";
import { replyError } from "./reply.ts";

export interface AppDeps {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly flowControl: FlowControl;
  readonly dispatch: DispatchDeps;
  readonly paths: readonly PathHandler[];
  /** Answered before it is asked who wants to know. */
  readonly openPaths: readonly PathHandler[];
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Answers a request; never throws. */
export type App = (exchange: Exchange) => Promise<void>;

/** The API over HTTP. What happens to each request, and in which order, is read here from top to bottom. */
export function createApp(deps: AppDeps): App {
  const { authenticator, authorizer, flowControl, metrics } = deps;
  const openPaths = routesOf(deps.openPaths);
  const paths = routesOf(deps.paths);
  const deadlines = new Deadlines(deps.clock);
  const impersonate = createImpersonation(authorizer);

  return async (exchange) => {
    exchange.startedMs = deps.clock.monotonic();
    const isBounded = !lasts(exchange.info);
    if (isBounded) deadlines.add(exchange);
    try {
      await answer(exchange);
    } catch (caught) {
      fail(deps.logger, exchange, caught);
    }
    if (isBounded) deadlines.delete(exchange);
    metrics.finished(exchange, exchange.status);
  };

  async function answer(exchange: Exchange): Promise<Answered> {
    const { info } = exchange;
    const open = info.type === "path" ? openPaths(exchange) : undefined;
    if (open !== undefined) return await open.handle(exchange);

    // Who asks, and as whom.
    const { headers } = exchange;
    const clientCertificate = clientCertificateOf(exchange);
    exchange.user = await authenticator.authenticate({ clientCertificate, headers });
    exchange.user = impersonate(headers, exchange.user, () => attributesOf(exchange));

    // Whose turn it is. Nothing of a body has been read when a request waits, or is told to come again.
    const seat = await seatOf(exchange);
    exchange.flow = seat;
    try {
      // Whether they may.
      const attributes = attributesOf(exchange);
      const decision = authorizer.authorize(attributes);
      if (!decision.allowed) throw forbiddenError(attributes, decision);

      if (info.type === "resource") return await dispatch(deps.dispatch, exchange, info);
      const found = paths(exchange);
      if (found === undefined) throw notServed();
      return await found.handle(exchange);
    } finally {
      seat.release();
    }
  }

  async function seatOf(exchange: Exchange): Promise<Seat> {
    try {
      return await flowControl.seat(exchange);
    } catch (caught) {
      if (caught instanceof FlowRefusal) exchange.flow = caught;
      throw caught;
    }
  }
}

/** Finds the handler of a path that is no object; MethodNotAllowed where it is there for other methods. */
function routesOf(
  handlers: readonly PathHandler[],
): (exchange: Exchange) => PathHandler | undefined {
  const router = routerOf(handlers, ({ methods = ["GET"] }) => methods);
  const anyMethod = routerOf(handlers, () => ["ANY"]);
  return ({ method, path }) => {
    const [found] = router.match(method === "HEAD" ? "GET" : method, path);
    const handler = found[0]?.[0];
    if (handler === undefined && anyMethod.match("ANY", path)[0].length > 0) throw notAllowed();
    return handler;
  };
}

function routerOf(
  handlers: readonly PathHandler[],
  methodsOf: (handler: PathHandler) => readonly string[],
): SmartRouter<PathHandler> {
  const router = new SmartRouter<PathHandler>({
    routers: [new RegExpRouter(), new TrieRouter()],
  });
  for (const handler of handlers) {
    for (const method of methodsOf(handler)) router.add(method, handler.path, handler);
  }
  return router;
}

function fail(logger: Logger, exchange: Exchange, caught: unknown): void {
  if (caught instanceof ClientGoneError) return;
  const failure = ApiError.from(caught);
  const { method, path, auditId } = exchange;
  // An answer that has begun cannot become another: it breaks off, and the client sees that it did.
  if (exchange.status !== 0) {
    if (exchange.isClosed) return;
    logger.error("an answer broke off", { method, path, auditId, error: caught });
    exchange.breakOff();
    return;
  }
  if (
    failure.code >= 500 &&
    !clientsAffair.has(failure.reason) &&
    !exchange.isClosed &&
    !isTold(caught)
  ) {
    logger.error("a request failed", { method, path, auditId, error: caught });
  }
  replyError(exchange, failure);
}

/**
 * Refusals that Kubernetes answers with a 5xx, though it is the request that is wrong: those without a reason of the
 * patch machinery, a version that is yet to come, and a Service that nobody stands behind.
 */
const clientsAffair: ReadonlySet<string> = new Set(["", "Timeout", "ServiceUnavailable"]);

/** A full disk is told of by the datastore, now and then: a line for each request would fill it further. */
function isTold(error: unknown): boolean {
  return error instanceof MendableError;
}
