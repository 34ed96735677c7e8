import { randomInt } from "node:crypto";
import { isIP } from "node:net";
import { PassThrough, type Transform } from "node:stream";
import { createDeflate, createGunzip, createGzip, createInflate } from "node:zlib";
import { ApiError } from "../../../api/api-error.ts";
import type { Pod, Service } from "../../../api/generated/core-v1.generated.ts";
import type { EndpointSlice } from "../../../api/generated/discovery-v1.generated.ts";
import { endpointSliceResource } from "../../../api/resources/endpointslice.ts";
import { podResource } from "../../../api/resources/pod.ts";
import type { ObjectReader } from "../admission/admission.ts";
import type { Answered, Exchange } from "../exchange.ts";
import { headersOf } from "../reply.ts";
import { readStored, type StoreDeps, type Target } from "../resource-store.ts";
import type { Backend } from "../streaming/backend.ts";
import { createHttpBackend } from "../streaming/http-backend.ts";
import type { NodeConnector } from "../streaming/node-connector.ts";
import { passedHeaders, relayAnswer, relayUpgrade } from "../streaming/relay.ts";
import type { ConnectSubresource } from "../subresources/subresource.ts";
import { rewriteHtmlLinks } from "./html-links.ts";
import { type ProxiedName, parseProxiedName } from "./proxied-name.ts";
import { proxiedPath, proxyPrefix } from "./proxied-path.ts";
import { checkProxyable, isProxyable, proxyableLookup } from "./proxyable-address.ts";
import { type LinkContext, rewriteLink } from "./rewrite-link.ts";

export interface ProxyDeps extends StoreDeps {
  readonly reader: ObjectReader;
  readonly nodes: NodeConnector;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * `pods/proxy`, `services/proxy` and `nodes/proxy`: HTTP with what runs in the cluster, through the API server. Only
 * addresses that a client may name are dialled, no redirect is followed, and a connection that went on in another
 * protocol is never spoken HTTP on again.
 */
export function createProxies(deps: ProxyDeps): readonly ConnectSubresource[] {
  const proxy = (
    plural: string,
    backendOf: (target: Target, asked: ProxiedName) => Backend,
  ): ConnectSubresource => ({
    name: "proxy",
    isOf: (resource) => resource.group === "" && resource.plural === plural,
    methods,
    async connect(exchange, target) {
      const asked = parseProxiedName(target.name);
      if (asked === undefined) {
        const kind = plural.slice(0, -1);
        throw ApiError.badRequest(`invalid ${kind} request ${JSON.stringify(target.name)}`);
      }
      return await forward(exchange, backendOf({ ...target, name: asked.name }, asked));
    },
  });
  return [
    proxy("pods", (target, asked) => podBackend(deps, target, asked)),
    proxy("services", (target, asked) => serviceBackend(deps, target, asked)),
    proxy("nodes", (_target, asked) => nodeBackend(deps, asked)),
  ];
}

function podBackend(deps: ProxyDeps, target: Target, { scheme, port }: ProxiedName): Backend {
  const pod = readStored(deps, target).value as unknown as Pod;
  const declared = pod.spec.containers.find(({ ports = [] }) => ports.length > 0)?.ports?.[0];
  const host = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "";
  checkProxyable(host);
  return direct(scheme, host, port === "" ? declared?.containerPort : Number(port));
}

function serviceBackend(
  { reader, ...deps }: ProxyDeps,
  target: Target,
  { scheme, port }: ProxiedName,
): Backend {
  const service = readStored(deps, target).value as unknown as Service;
  const { name } = service.metadata;
  const portName = /^\d+$/.test(port) ? portNameOf(service, Number(port)) : port;
  const slices = reader
    .list(endpointSliceResource, target.namespace)
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name);
  const found = slices.flatMap((slice) => podAddresses(reader, slice, portName));
  const chosen = found.length === 0 ? undefined : found[randomInt(found.length)];
  if (chosen === undefined) {
    throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  }
  return direct(scheme, chosen.host, chosen.port);
}

function portNameOf(service: Service, number: number): string {
  const port = service.spec.ports?.find((each) => each.port === number);
  if (port !== undefined) return port.name ?? "";
  const { name } = service.metadata;
  throw unavailable(`no service port ${number} found for service ${JSON.stringify(name)}`);
}

/** Where a slice leads to by the port of that name. Whoever writes endpoints may write any address: only pods' own count. */
function podAddresses(
  reader: ObjectReader,
  slice: EndpointSlice,
  portName: string,
): readonly { readonly host: string; readonly port: number }[] {
  const port = slice.ports?.find((each) => (each.name ?? "") === portName)?.port;
  if (port === undefined) return [];
  return (slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ targetRef, addresses }) => {
      if (targetRef?.kind !== "Pod") return [];
      const pod = reader.get(podResource, slice.metadata.namespace, targetRef.name ?? "");
      const own = new Set(pod?.status?.podIPs?.map(({ ip }) => ip));
      return addresses
        .filter((host) => own.has(host) && isProxyable(host))
        .map((host) => ({ host, port }));
    });
}

function nodeBackend({ nodes }: ProxyDeps, { scheme, name, port }: ProxiedName): Backend {
  const address = nodes.addressOf(name);
  if (isIP(address.host) !== 0) checkProxyable(address.host);
  if (port === "" || port === String(address.port)) return nodes.kubelet(name);
  return direct(scheme, address.host, Number(port));
}

function direct(scheme: ProxiedName["scheme"], host: string, port: number | undefined): Backend {
  const usual = scheme === "https" ? 443 : 80;
  const number = port ?? usual;
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw unavailable(`error trying to reach service: invalid port ${JSON.stringify(port)}`);
  }
  return createHttpBackend({
    scheme: scheme === "https" ? "https" : "http",
    host,
    port: number,
    // What runs in a pod has a certificate of its own making, if any: nobody here could vouch for it.
    tls: { rejectUnauthorized: false },
    lookup: proxyableLookup,
    unreachable: (cause) => unavailable(`error trying to reach service: ${cause.message}`),
  });
}

function unavailable(message: string): ApiError {
  return new ApiError("ServiceUnavailable", message);
}

async function forward(exchange: Exchange, backend: Backend): Promise<Answered> {
  const { info, method, path, signal } = exchange;
  const rest = info.type === "resource" ? info.rest : "";
  const backendPath = proxiedPath(rest, path);
  const query = queryOf(exchange.url);
  const isUpgrade = exchange.upgrade !== undefined;
  if (backendPath === "" && !isUpgrade && (method === "GET" || method === "HEAD")) {
    // Relative links of the page that follows would otherwise lose the last word of the path.
    const headers = { ...headersOf(exchange, "text/plain"), Location: `${path}/${query}` };
    return exchange.send(301, headers, "");
  }
  const prefix = proxyPrefix(path, backendPath);
  const headers = forwardedHeaders(exchange, `${prefix}${backendPath}`);
  const asked = `${backendPath === "" ? "/" : backendPath}${query}`;
  if (isUpgrade) return await relayUpgrade(backend, exchange, asked, headers);
  const body = exchange.hasBody ? exchange.body : undefined;
  const answer = await backend.fetch({ method, path: asked, headers }, signal, body);
  const requestHost = hostOf(exchange);
  const context: LinkContext = { backendHost: backend.host, requestHost, prefix };
  return await relayAnswer(exchange, answer, (answered) => rewriteAnswer(answered, context));
}

function queryOf(url: string): string {
  const question = url.indexOf("?");
  return question === -1 ? "" : url.slice(question);
}

function hostOf({ headers }: Exchange): string {
  const authority = headers[":authority"];
  return headers.host ?? (typeof authority === "string" ? authority : "");
}

/** The client's headers, and who it was that asked, and for what. */
function forwardedHeaders(
  exchange: Exchange,
  forwardedUri: string,
): Record<string, string | string[]> {
  const headers = passedHeaders(exchange);
  const { remoteAddress = "" } = exchange.socket;
  const before = headers["x-forwarded-for"];
  headers["x-forwarded-for"] = before === undefined ? remoteAddress : `${before}, ${remoteAddress}`;
  headers["x-forwarded-uri"] = forwardedUri;
  headers["host"] = hostOf(exchange);
  return headers;
}

/** Redirects and pages name paths of the backend's own: those have to lead through the proxy again. */
function rewriteAnswer(
  headers: Record<string, string | string[]>,
  context: LinkContext,
): readonly Transform[] {
  const { location } = headers;
  if (typeof location === "string") {
    headers["location"] = rewriteLink(location, context);
    return [];
  }
  const type = String(headers["content-type"] ?? "").split(";", 1)[0];
  const codec = codecs.get(String(headers["content-encoding"] ?? ""));
  if (type?.trim() !== "text/html" || codec === undefined) return [];
  delete headers["content-length"];
  const links = rewriteHtmlLinks((link) => rewriteLink(link, context));
  const [decode, encode] = codec();
  // Characters may be cut in two where the network cuts; the parser reads whole ones.
  return [...decode, new PassThrough({ encoding: "utf8" }), links, ...encode];
}

type Codec = () => readonly [readonly Transform[], readonly Transform[]];

/** The encodings of pages whose links can be changed; others are passed on as they are. */
const codecs: ReadonlyMap<string, Codec> = new Map<string, Codec>([
  ["", () => [[], []]],
  ["gzip", () => [[createGunzip()], [createGzip()]]],
  ["deflate", () => [[createInflate()], [createDeflate()]]],
]);
