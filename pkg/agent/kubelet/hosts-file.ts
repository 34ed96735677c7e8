import type { Pod } from "../../api/generated/core-v1.generated.ts";

/** The pod's name in its own UTS namespace. */
export function podHostname(pod: Pod): string {
  // A name may be longer than the kernel lets a host be called.
  return (pod.spec.hostname ?? "") || pod.metadata.name.slice(0, 63).replace(/[-.]+$/, "");
}

/** The pod's name in the cluster's DNS, where it has a subdomain. */
export function podDomain(pod: Pod, clusterDomain: string): string | undefined {
  const { subdomain } = pod.spec;
  if (subdomain === undefined || subdomain === "") return undefined;
  return `${podHostname(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
}

/** The pod's `/etc/hosts`; a pod on the host's network gets the host's own, with the pod's aliases. */
export function hostsFile(
  pod: Pod,
  context: {
    readonly podIps: readonly string[];
    readonly clusterDomain: string;
    readonly hostFile: string;
  },
): string {
  const head =
    pod.spec.hostNetwork === true
      ? `# Kubernetes-managed hosts file (host network).\n${context.hostFile}`
      : ownHosts(pod, context);
  return head + aliases(pod);
}

function ownHosts(
  pod: Pod,
  { podIps, clusterDomain }: { readonly podIps: readonly string[]; readonly clusterDomain: string },
): string {
  const domain = podDomain(pod, clusterDomain);
  const own = podIps.map((ip) =>
    [ip, ...(domain === undefined ? [] : [domain]), podHostname(pod)].join("\t"),
  );
  return [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::\tip6-localnet",
    "fe00::\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...own,
    "",
  ].join("\n");
}

function aliases(pod: Pod): string {
  const list = pod.spec.hostAliases ?? [];
  if (list.length === 0) return "";
  const lines = list.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join("\t"));
  return ["\n# Entries added by HostAliases.", ...lines, ""].join("\n");
}
