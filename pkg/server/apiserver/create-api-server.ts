import type { Hono } from "hono";
import { Registry } from "prom-client";
import type { ResourceDefinition } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { AdmissionPlugin } from "./admission/admission.ts";
import { createApp, type PathHandler } from "./app.ts";
import type { Authenticator } from "./authn/authenticator.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { createDiscovery } from "./discovery.ts";
import { notServed } from "./dispatch.ts";
import type { AppEnv } from "./exchange.ts";
import { type HealthChecks, healthPaths } from "./health.ts";
import type { Hub } from "./hub.ts";
import { type ApiListener, createListener, type TlsMaterial } from "./listen.ts";
import { createRequestMetrics } from "./metrics.ts";
import { reply } from "./reply.ts";
import { ResourceTable } from "./resource-table.ts";
import { versionPath } from "./version.ts";
import type { VirtualResource } from "./virtual-resource.ts";

export interface ApiServer {
  readonly app: Hono<AppEnv>;
  readonly service: ApiListener;
}

export interface ApiServerDeps {
  readonly hub: Hub;
  readonly resources: readonly ResourceDefinition[];
  readonly virtualResources: readonly VirtualResource[];
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly admission: readonly AdmissionPlugin[];
  readonly health: HealthChecks;
  readonly tls: TlsMaterial;
  readonly host: string;
  readonly port: number;
  readonly advertiseAddress: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The API server, its parts wired. */
export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { hub, clock, logger, admission } = deps;
  const draining = new AbortController();
  const registry = new Registry();
  const discovery = createDiscovery({
    surface: () => surface,
    serverAddress: `${deps.advertiseAddress}:${deps.port}`,
  });
  const surface = { resources: deps.resources, subresources: [] };
  const discoveryPath = (path: string): PathHandler => ({
    path,
    handle(exchange) {
      const answer = discovery.answer(exchange.path, exchange.header("accept"));
      if (answer === undefined) throw notServed();
      return reply(exchange, 200, answer.contentType, answer.body);
    },
  });
  const app = createApp({
    authenticator: deps.authenticator,
    authorizer: deps.authorizer,
    metrics: createRequestMetrics(registry, clock),
    logger,
    paths: [
      ...healthPaths(deps.health),
      versionPath({ gitCommit: "", buildDate: "" }),
      ...["/api", "/api/:version", "/apis", "/apis/:group", "/apis/:group/:version"].map(
        discoveryPath,
      ),
    ],
    dispatch: {
      hub,
      clock,
      admission,
      draining: draining.signal,
      resources: new ResourceTable(deps.resources),
      virtualResources: deps.virtualResources,
      valueSubresources: [],
      connectSubresources: [],
    },
  });
  const listener: ApiListener = createListener({
    app,
    upgrade: (_incoming, socket) => socket.destroy(),
    tls: deps.tls,
    host: deps.host,
    port: deps.port,
    clock,
    logger,
  });
  return { app, service: listener };
}
