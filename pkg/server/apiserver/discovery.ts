import { createHash } from "node:crypto";
import { apiVersionOf, type ResourceDefinition } from "../../api/resource.ts";
import { compareVersions } from "../../api/version-order.ts";
import { parseAccept } from "./negotiation.ts";

/** A subresource besides `status` and `scale`, which the resource itself declares. */
export interface SubresourceDescription {
  readonly parent: { readonly group: string; readonly version: string; readonly plural: string };
  /** Last word of the path, e.g. `log`. */
  readonly name: string;
  /** What it answers with, e.g. `Pod` for `pods/log`, `TokenRequest` for `serviceaccounts/token`. */
  readonly kind: string;
  /** Of `kind`. Default: the parent's. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** All that is served. A new value is a new surface: answers are made anew for it. */
export interface ApiSurface {
  readonly resources: readonly ResourceDefinition[];
  readonly subresources: readonly SubresourceDescription[];
}

export interface DiscoveryAnswer {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Only with the aggregated form, which clients ask for again and again. */
  readonly etag: string | undefined;
}

export interface Discovery {
  /** The answer for a path such as `/apis/apps/v1`; undefined where nothing is there. */
  answer(path: string, accept: string | null | undefined): DiscoveryAnswer | undefined;
}

/** Groups in the order in which kubectl tries them for a short name; others follow by name. */
const groupOrder: readonly string[] = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "resource.k8s.io",
];

/** Answers are made when first asked for, and kept until the surface is another. */
export function createDiscovery(deps: {
  surface(): ApiSurface;
  /** `host:port` under which clients without other knowledge reach the server. */
  readonly serverAddress: string;
}): Discovery {
  let madeFor: ApiSurface | undefined;
  let made = new Map<string, DiscoveryAnswer | undefined>();
  return {
    answer(path, accept) {
      const surface = deps.surface();
      if (surface !== madeFor) {
        made = new Map();
        madeFor = surface;
      }
      const form = formOf(path, accept);
      const key = `${form} ${path}`;
      if (!made.has(key)) made.set(key, makeAnswer(surface, path, form, deps.serverAddress));
      return made.get(key);
    },
  };
}

type Form = "plain" | "v2" | "v2beta1";

/** The aggregated form is to be had of the two roots only. */
function formOf(path: string, accept: string | null | undefined): Form {
  if (path !== "/api" && path !== "/apis") return "plain";
  for (const clause of parseAccept(accept ?? "")) {
    const { params } = clause;
    if (clause.type !== "application/json") continue;
    if (!params.has("as")) return "plain";
    const isAggregated =
      params.get("as") === "APIGroupDiscoveryList" && params.get("g") === "apidiscovery.k8s.io";
    const version = params.get("v");
    if (isAggregated && (version === "v2" || version === "v2beta1")) return version;
  }
  return "plain";
}

function makeAnswer(
  surface: ApiSurface,
  path: string,
  form: Form,
  serverAddress: string,
): DiscoveryAnswer | undefined {
  if (form !== "plain") {
    const body = Buffer.from(JSON.stringify(aggregatedDiscovery(surface, path === "/api", form)));
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`;
    return { contentType, body, etag: etagOf(body) };
  }
  const value = plainDiscovery(surface, path, serverAddress);
  if (value === undefined) return undefined;
  return {
    contentType: "application/json",
    body: Buffer.from(JSON.stringify(value)),
    etag: undefined,
  };
}

function etagOf(body: Uint8Array): string {
  return `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
}

function plainDiscovery(surface: ApiSurface, path: string, serverAddress: string): unknown {
  const [root, first, second, ...more] = path.split("/").slice(1);
  if (more.length > 0) return undefined;
  if (root === "api") {
    if (first === undefined) return apiVersions(serverAddress);
    return second === undefined ? apiResourceList(surface, "", first) : undefined;
  }
  if (root !== "apis") return undefined;
  if (first === undefined) return apiGroupList(surface);
  return second === undefined ? apiGroup(surface, first) : apiResourceList(surface, first, second);
}

function apiVersions(serverAddress: string): unknown {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

function apiGroupList(surface: ApiSurface): unknown {
  const groups = groupsOf(surface).filter((group) => group !== "");
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groups.map((group) => groupEntry(surface, group)),
  };
}

function apiGroup(surface: ApiSurface, group: string): unknown {
  if (group === "" || !groupsOf(surface).includes(group)) return undefined;
  return { kind: "APIGroup", apiVersion: "v1", ...groupEntry(surface, group) };
}

function groupEntry(surface: ApiSurface, group: string) {
  const versions = versionsOf(surface, group).map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

/** The resources of one group and version; undefined where it is not served. */
function apiResourceList(surface: ApiSurface, group: string, version: string): unknown {
  const resources = resourcesOf(surface, group, version);
  if (resources.length === 0) return undefined;
  const entries = resources.flatMap((resource) => [
    {
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.scope === "namespace",
      kind: resource.kind,
      verbs: [...resource.verbs].sort(),
      ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
      ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
      ...(resource.storage === "stored" ? { storageVersionHash: storageHash(resource) } : {}),
    },
    ...subresourcesOf(surface, resource).map((sub) => ({
      name: `${resource.plural}/${sub.name}`,
      singularName: "",
      namespaced: resource.scope === "namespace",
      ...(sub.group === group && sub.version === version
        ? {}
        : { group: sub.group, version: sub.version }),
      kind: sub.kind,
      verbs: [...sub.verbs].sort(),
    })),
  ]);
  return {
    kind: "APIResourceList",
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: entries,
  };
}

/** Changes where objects of the kind are stored as another version. */
function storageHash(resource: ResourceDefinition): string {
  const { group, version, kind } = resource.storedAs ?? resource;
  const what = `${group}/${version}/${kind}`;
  return createHash("sha256").update(what).digest().subarray(0, 8).toString("base64");
}

function aggregatedDiscovery(surface: ApiSurface, core: boolean, form: "v2" | "v2beta1"): unknown {
  const groups = groupsOf(surface).filter((group) => (group === "") === core);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${form}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versionsOf(surface, group).map((version) => ({
        version,
        resources: resourcesOf(surface, group, version).map((resource) =>
          aggregatedResource(surface, resource),
        ),
        freshness: "Current",
      })),
    })),
  };
}

function aggregatedResource(surface: ApiSurface, resource: ResourceDefinition): unknown {
  const { group, version, kind } = resource;
  const subresources = subresourcesOf(surface, resource);
  return {
    resource: resource.plural,
    responseKind: { group, version, kind },
    scope: resource.scope === "namespace" ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: [...resource.verbs].sort(),
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
            verbs: [...sub.verbs].sort(),
          })),
        }),
  };
}

/** The groups that are served, in the order in which clients are told of them. */
export function groupsOf(surface: ApiSurface): readonly string[] {
  const groups = new Set(surface.resources.map((resource) => resource.group));
  const rank = (group: string) => {
    const index = groupOrder.indexOf(group);
    return index === -1 ? groupOrder.length : index;
  };
  return [...groups].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
}

/** The versions of a group, the preferred one first: v2, v1, v1beta1, v1alpha1. */
export function versionsOf(surface: ApiSurface, group: string): readonly string[] {
  const versions = surface.resources
    .filter((resource) => resource.group === group)
    .map((resource) => resource.version);
  return [...new Set(versions)].sort(compareVersions);
}

/** The resources of one group and version, by name. */
export function resourcesOf(
  surface: ApiSurface,
  group: string,
  version: string,
): readonly ResourceDefinition[] {
  return surface.resources
    .filter((resource) => resource.group === group && resource.version === version)
    .sort((a, b) => (a.plural < b.plural ? -1 : 1));
}

type Subresource = Required<Omit<SubresourceDescription, "parent">>;

/** All subresources of a resource, by name. */
export function subresourcesOf(
  surface: ApiSurface,
  resource: ResourceDefinition,
): readonly Subresource[] {
  const { group, version, kind, plural } = resource;
  const rewritten = ["get", "patch", "update"];
  const own: Subresource[] = [];
  if (resource.subresources.status) {
    own.push({ name: "status", group, version, kind, verbs: rewritten });
  }
  for (const name of Object.keys(resource.subresources.parts ?? {})) {
    own.push({ name, group, version, kind, verbs: rewritten });
  }
  if (resource.subresources.scale !== undefined) {
    own.push({
      name: "scale",
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
      verbs: rewritten,
    });
  }
  const others = surface.subresources
    .filter(
      ({ parent }) =>
        parent.group === group && parent.version === version && parent.plural === plural,
    )
    .map((sub) => ({
      name: sub.name,
      group: sub.group ?? group,
      version: sub.version ?? version,
      kind: sub.kind,
      verbs: sub.verbs,
    }));
  return [...own, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `/api/v1`, `/apis/apps/v1`: where a group and version is served. */
export function rootPathOf(resource: { readonly group: string; readonly version: string }): string {
  return `${resource.group === "" ? "/api" : "/apis"}/${apiVersionOf(resource)}`;
}
