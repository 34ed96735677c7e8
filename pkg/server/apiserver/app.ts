import { randomUUID } from "node:crypto";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { ApiError } from "../../api/api-error.ts";
import type { Logger } from "../../base/log.ts";
import { MendableError } from "../../base/mendable-error.ts";
import { attributesOf } from "./attributes.ts";
import type { Authenticator } from "./authn/authenticator.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { forbiddenError } from "./authz/forbidden.ts";
import { clientCertificateOf } from "./client-certificate.ts";
import { type DispatchDeps, dispatch, notServed } from "./dispatch.ts";
import { type AppContext, type AppEnv, Exchange } from "./exchange.ts";
import { type FlowControl, FlowRefusal, type Seat } from "./flow-control/flow-control.ts";
import { createImpersonation } from "./impersonation.ts";
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
  readonly logger: Logger;
}

/** The API over HTTP. What happens to each request, and in which order, is read here from top to bottom. */
export function createApp(deps: AppDeps): Hono<AppEnv> {
  const { authenticator, authorizer, flowControl, metrics, logger } = deps;
  const impersonate = createImpersonation(authorizer);
  const app = new Hono<AppEnv>();

  app.onError((error, context) => {
    const exchange: Exchange = context.get("exchange") ?? new Exchange(context, randomUUID());
    const failure = ApiError.from(error);
    if (
      failure.code >= 500 &&
      !clientsAffair.has(failure.reason) &&
      !exchange.signal.aborted &&
      !isTold(error)
    ) {
      const { method, path, auditId } = exchange;
      logger.error("a request failed", { method, path, auditId, error });
    }
    metrics.finished(exchange, failure.code);
    // An answer that has begun cannot become another: it breaks off, and the client sees that it did.
    if (exchange.outgoing.headersSent) {
      const { method, path, auditId } = exchange;
      logger.error("an answer broke off", { method, path, auditId, error });
      exchange.outgoing.destroy();
      return RESPONSE_ALREADY_SENT;
    }
    return replyError(exchange, failure);
  });
  app.notFound((context) => {
    throw context.get("exchange") === undefined ? new Error("no exchange was made") : notServed();
  });

  // What is asked.
  app.use(async (context, next) => {
    const exchange = new Exchange(context, randomUUID());
    context.set("exchange", exchange);
    metrics.started(exchange);
    await next();
  });
  addPaths(deps.openPaths);

  // Who asks, as whom, whether it is their turn, and whether they may. One step, because each costs every request some
  // microseconds. Nothing of a body has been read when a request waits, or is told to come again.
  app.use(async (context, next) => {
    const exchange = context.get("exchange");
    const { headers } = exchange.incoming;
    const clientCertificate = clientCertificateOf(exchange.incoming);
    exchange.user = await authenticator.authenticate({ clientCertificate, headers });
    exchange.user = impersonate(headers, exchange.user, () => attributesOf(exchange));
    const seat = await seatOf(exchange);
    exchange.flow = seat;
    try {
      const attributes = attributesOf(exchange);
      const decision = authorizer.authorize(attributes);
      if (!decision.allowed) throw forbiddenError(attributes, decision);
      await next();
    } finally {
      seat.release();
    }
  });

  addPaths(deps.paths);

  const resources = async (context: AppContext) => {
    const exchange = context.get("exchange");
    const { info } = exchange;
    if (info.type !== "resource") throw notServed();
    return finish(context, await dispatch(deps.dispatch, exchange, info));
  };
  app.all("/api/*", resources);
  app.all("/apis/*", resources);

  async function seatOf(exchange: Exchange): Promise<Seat> {
    try {
      return await flowControl.seat(exchange);
    } catch (caught) {
      if (caught instanceof FlowRefusal) exchange.flow = caught;
      throw caught;
    }
  }

  function addPaths(paths: readonly PathHandler[]): void {
    for (const { path, methods = ["GET"], handle } of paths) {
      app.on([...methods], path, async (context) =>
        finish(context, await handle(context.get("exchange"))),
      );
    }
  }

  function finish(context: AppContext, response: Response): Response {
    metrics.finished(context.get("exchange"), response.status);
    return response;
  }

  return app;
}

/**
 * Refusals that Kubernetes answers with a 5xx, though it is the request that is wrong: those without a reason of the
 * patch machinery, and a version that is yet to come.
 */
const clientsAffair: ReadonlySet<string> = new Set(["", "Timeout"]);

/** A full disk is told of by the datastore, now and then: a line for each request would fill it further. */
function isTold(error: unknown): boolean {
  return error instanceof MendableError;
}
