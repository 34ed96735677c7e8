import type { Registry } from "prom-client";
import type { Draft, KubernetesObject } from "../../api/object.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import { bindingResource } from "../../api/resources/binding.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { AdmissionPlugin, ObjectReader } from "./admission/admission.ts";
import { type Api, createApi } from "./api.ts";
import { type App, createApp } from "./app.ts";
import type { Authenticator } from "./authn/authenticator.ts";
import type { TokenIssuer } from "./authn/token-request.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { createObjectFeed } from "./authz/object-feed.ts";
import { serveCustomResources } from "./custom/serve-custom-resources.ts";
import {
  type ApiSurface,
  createDiscovery,
  groupsOf,
  rootPathOf,
  type SubresourceDescription,
  versionsOf,
} from "./discovery.ts";
import { type DispatchDeps, subresourceDeps } from "./dispatch.ts";
import { discoveryPaths, openApiPaths } from "./document-paths.ts";
import { createFlowControl, type FlowControlOptions } from "./flow-control/flow-control.ts";
import { followConfiguration } from "./flow-control/follow-configuration.ts";
import { createWorkload } from "./flow-control/workload.ts";
import { type HealthChecks, healthPaths } from "./health.ts";
import type { Hub } from "./hub.ts";
import { type ApiListener, createListener, type TlsMaterial } from "./listen.ts";
import { createRequestMetrics, metricsPath } from "./metrics.ts";
import { createOpenApi, type OpenApiDeps } from "./openapi.ts";
import type { PathHandler } from "./path-handler.ts";
import { createProxies } from "./proxy/proxies.ts";
import type { ResourceTable } from "./resource-table.ts";
import { rootPath } from "./root-path.ts";
import { ServedWatches } from "./served-watches.ts";
import { createNodeConnector } from "./streaming/node-connector.ts";
import { bindingSubresource, bindingTarget } from "./subresources/binding.ts";
import { evictionSubresource } from "./subresources/eviction.ts";
import { finalizeSubresource } from "./subresources/finalize.ts";
import { createPodConnects } from "./subresources/pod-connect.ts";
import { scaleSubresource } from "./subresources/scale.ts";
import { createTokenSubresource } from "./subresources/token.ts";
import { kubernetesVersion, versionPaths } from "./version.ts";
import type { VirtualResource } from "./virtual-resource.ts";

export interface ApiServerDeps {
  readonly hub: Hub;
  readonly reader: ObjectReader;
  /** Every kind that is served; read anew for each request, so that custom kinds come and go. */
  readonly resources: ResourceTable;
  /** What answers the kinds that are not stored; Binding's is here already. */
  readonly virtualResources: readonly VirtualResource[];
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly admission: readonly AdmissionPlugin[];
  readonly issueToken: TokenIssuer;
  readonly health: HealthChecks;
  /** Default: as many seats as kube-apiserver has. */
  readonly flowControl?: Pick<FlowControlOptions, "serverSeats" | "waitMs">;
  /** Further paths for those who may ask, e.g. `/openid/v1/jwks`. */
  readonly paths?: readonly PathHandler[];
  /** Paths that are answered before it is asked who wants to know: they look at credentials of their own. */
  readonly openPaths?: readonly PathHandler[];
  /** Texts for `kubectl explain`. */
  readonly describe?: OpenApiDeps["describe"];
  readonly tls: TlsMaterial;
  /** What the API server shows to kubelets, and who vouches for those. PEM; read anew for each request to one. */
  readonly kubelets: {
    readonly certificate: string;
    readonly key: string;
    readonly authorities: string;
  };
  readonly host: string;
  readonly port: number;
  readonly advertiseAddress: string;
  readonly build: { readonly gitCommit: string; readonly buildDate: string };
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ApiServer {
  readonly app: App;
  /** Listens; ends every watch, and drains, when it is told to stop. */
  readonly service: ApiListener;
  /** The same API for those in this process. Works before the service runs, and until the hub is closed. */
  readonly api: Api;
}

/** The API server, its parts wired. */
export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { hub, clock, logger, admission, authorizer } = deps;
  const watches = new ServedWatches(clock, () => hub.revision);
  const store = { hub, clock, admission };
  const nodes = createNodeConnector({ reader: deps.reader, tls: deps.kubelets });
  const dispatch: DispatchDeps = {
    ...store,
    watches,
    resources: deps.resources,
    virtualResources: [...deps.virtualResources, bindings(() => dispatch)],
    valueSubresources: [
      scaleSubresource,
      bindingSubresource,
      evictionSubresource,
      finalizeSubresource,
      createTokenSubresource(deps.issueToken),
    ],
    connectSubresources: [
      ...createPodConnects({ ...store, authorizer, nodes }),
      ...createProxies({ ...store, reader: deps.reader, nodes }),
    ],
  };
  serveCustomResources({
    feed: createObjectFeed(hub),
    resources: deps.resources,
    logger,
    replaced: (definitions) => watches.endOf(definitions),
  });
  const surface = surfaceOf(deps.resources);
  const discovery = createDiscovery({
    surface,
    serverAddress: `${deps.advertiseAddress}:${deps.port}`,
  });
  const openApi = createOpenApi({
    surface,
    gitVersion: kubernetesVersion.gitVersion,
    describe: deps.describe,
  });
  const requests = createRequestMetrics(clock);
  const workload = createWorkload(hub, deps.resources);
  const flowControl = createFlowControl({ ...deps.flowControl, clock, workload });
  followConfiguration(flowControl, createObjectFeed(hub));
  const paths = [
    ...healthPaths(deps.health),
    ...versionPaths(deps.build),
    metricsPath(requests, deps.metrics),
    ...discoveryPaths(discovery),
    ...openApiPaths(openApi),
    ...(deps.paths ?? []),
  ];
  const app = createApp({
    authenticator: deps.authenticator,
    authorizer,
    flowControl,
    clock,
    metrics: requests,
    logger,
    openPaths: deps.openPaths ?? [],
    paths: [...paths, rootPath(() => servedPaths(surface(), paths))],
    dispatch,
  });
  const listener = createListener({
    app,
    tls: deps.tls,
    host: deps.host,
    port: deps.port,
    clock,
    logger,
    drain: () => watches.endAll(),
  });
  return { app, service: listener, api: createApi({ ...dispatch, authorizer }) };
}

/** What is served at the time of the call: the same value until a kind comes or goes. */
function surfaceOf(resources: ResourceTable): () => ApiSurface {
  let surface: ApiSurface = { resources: resources.all, subresources: servedSubresources };
  return () => {
    if (surface.resources !== resources.all) surface = { ...surface, resources: resources.all };
    return surface;
  };
}

/** Every path but those of objects. */
function servedPaths(surface: ApiSurface, handlers: readonly PathHandler[]): readonly string[] {
  return [
    ...handlers.map(({ path }) => path),
    "/openapi/v2",
    "/openapi/v3",
    ...groupsOf(surface).flatMap((group) => [
      ...(group === "" ? [] : [`/apis/${group}`]),
      ...versionsOf(surface, group).map((version) => rootPathOf({ group, version })),
    ]),
  ];
}

/** `POST bindings`: the older way to say what `pods/binding` says. */
function bindings(dispatch: () => DispatchDeps): VirtualResource {
  return {
    resource: bindingResource as unknown as ResourceDefinition,
    async create(context, namespace, draft, options) {
      const target = bindingTarget(namespace, draft as Draft<KubernetesObject>);
      const deps = subresourceDeps(dispatch());
      return (await bindingSubresource.create?.(deps, context, target, draft, options)) as never;
    },
  };
}

const pods = { group: "", version: "v1", plural: "pods" };

const proxied = ["create", "delete", "get", "patch", "update"];

/** What discovery tells of subresources besides `status` and `scale`. */
const servedSubresources: readonly SubresourceDescription[] = [
  { parent: pods, name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"] },
  { parent: pods, name: "binding", kind: "Binding", verbs: ["create"] },
  {
    parent: pods,
    name: "eviction",
    kind: "Eviction",
    group: "policy",
    version: "v1",
    verbs: ["create"],
  },
  { parent: pods, name: "exec", kind: "PodExecOptions", verbs: ["create", "get"] },
  { parent: pods, name: "log", kind: "Pod", verbs: ["get"] },
  { parent: pods, name: "portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"] },
  { parent: pods, name: "proxy", kind: "PodProxyOptions", verbs: proxied },
  {
    parent: { group: "", version: "v1", plural: "services" },
    name: "proxy",
    kind: "ServiceProxyOptions",
    verbs: proxied,
  },
  {
    parent: { group: "", version: "v1", plural: "nodes" },
    name: "proxy",
    kind: "NodeProxyOptions",
    verbs: proxied,
  },
  {
    parent: { group: "", version: "v1", plural: "namespaces" },
    name: "finalize",
    kind: "Namespace",
    verbs: ["update"],
  },
  {
    parent: { group: "", version: "v1", plural: "serviceaccounts" },
    name: "token",
    kind: "TokenRequest",
    group: "authentication.k8s.io",
    version: "v1",
    verbs: ["create"],
  },
];
