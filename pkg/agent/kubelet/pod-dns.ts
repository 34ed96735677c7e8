import type { Pod } from "../../api/generated/core-v1.generated.ts";

export interface ClusterDns {
  readonly servers: readonly string[];
  /** `cluster.local` */
  readonly domain: string;
}

export interface ResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What resolvers look at; more would be ignored silently. */
const serversMax = 3;
const searchesMax = 32;

export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const all = (keyword: string) => lines.filter(([first]) => first === keyword);
  const last = (keyword: string) => all(keyword).at(-1)?.slice(1) ?? [];
  return {
    servers: all("nameserver").flatMap(([, server]) => (server === undefined ? [] : [server])),
    searches: [...last("search")],
    options: all("options").flatMap((line) => line.slice(1)),
  };
}

/** The pod's resolver: by `dnsPolicy`, with `dnsConfig` added. */
export function podResolvConf(
  pod: Pod,
  cluster: ClusterDns | undefined,
  host: ResolvConf,
): ResolvConf {
  const { dnsPolicy = "ClusterFirst", hostNetwork = false, dnsConfig } = pod.spec;
  const clusterFirst =
    dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && !hostNetwork);
  const reachable = hostNetwork ? host : throughNode(host, cluster);
  const base = baseConf(dnsPolicy, clusterFirst ? cluster : undefined, pod, reachable);
  const options = new Map(base.options.map((option) => [option.split(":")[0], option]));
  for (const { name, value } of dnsConfig?.options ?? []) {
    options.set(
      name ?? "",
      value === undefined || value === "" ? (name ?? "") : `${name}:${value}`,
    );
  }
  return {
    servers: unique([...base.servers, ...(dnsConfig?.nameservers ?? [])]).slice(0, serversMax),
    searches: unique([...base.searches, ...(dnsConfig?.searches ?? [])]).slice(0, searchesMax),
    options: [...options.values()],
  };
}

/**
 * A resolver on the host's loopback interface, as systemd-resolved's, is not there for a pod. The cluster's DNS runs
 * on the host, and asks it for whatever it does not know itself.
 */
function throughNode(host: ResolvConf, cluster: ClusterDns | undefined): ResolvConf {
  if (cluster === undefined) return host;
  const isLoopback = (server: string) => server.startsWith("127.") || server === "::1";
  return {
    ...host,
    servers: host.servers.flatMap((server) => (isLoopback(server) ? cluster.servers : [server])),
  };
}

function baseConf(
  policy: string,
  cluster: ClusterDns | undefined,
  pod: Pod,
  host: ResolvConf,
): ResolvConf {
  if (policy === "None") return { servers: [], searches: [], options: [] };
  if (cluster === undefined) return host;
  const { domain } = cluster;
  return {
    servers: cluster.servers,
    searches: [
      `${pod.metadata.namespace}.svc.${domain}`,
      `svc.${domain}`,
      domain,
      ...host.searches,
    ],
    options: ["ndots:5"],
  };
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}
