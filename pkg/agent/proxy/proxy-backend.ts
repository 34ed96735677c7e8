import type { ServiceTable } from "./service-table.ts";

/** The addresses that decide what is masqueraded. */
export interface ProxyNetwork {
  /** All pods of the cluster, e.g. 10.42.0.0/16. */
  readonly clusterCidr: string;
  readonly serviceCidr: string;
}

/** One way of putting the service table into the kernel: nftables, iptables, IPVS. */
export interface ProxyBackend {
  readonly mode: "nftables" | "iptables" | "ipvs";
  /** Makes the kernel serve exactly `table`. After a failure the next call starts from nothing. */
  apply(table: ServiceTable, signal: AbortSignal): Promise<void>;
  /** False where somebody else has flushed our rules, as a firewall that is started again does. */
  isInPlace(signal: AbortSignal): Promise<boolean>;
  /** What the kernel holds is unknown: the next `apply` starts from nothing. */
  forget(): void;
}
