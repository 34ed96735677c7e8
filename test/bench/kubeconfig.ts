import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import type { Target } from "./http2-load.ts";

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
  }[];
  readonly users: readonly {
    readonly user: {
      readonly "client-certificate-data": string;
      readonly "client-key-data": string;
    };
  }[];
}

/** Where a kubeconfig leads, and as whom. */
export function targetOf(kubeconfigFile: string): Target {
  const config = load(readFileSync(kubeconfigFile, "utf8")) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (cluster === undefined || user === undefined)
    throw new Error(`${kubeconfigFile} names no cluster or no user`);
  const decode = (text: string) => Buffer.from(text, "base64");
  const { hostname, port } = new URL(cluster.server);
  return {
    host: hostname,
    port: Number(port),
    ca: decode(cluster["certificate-authority-data"]),
    cert: decode(user["client-certificate-data"]),
    key: decode(user["client-key-data"]),
  };
}
