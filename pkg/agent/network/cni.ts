import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../host/files.ts";

export interface CniConfig {
  /** This node's part of the pods' addresses, e.g. 10.42.0.0/24. */
  readonly podCidr: string;
  readonly mtu: number;
  /** Where host-local keeps which address is given out. Must survive a restart, as the pods do. */
  readonly ipamDir: string;
}

/** The bridge all pods of the node are attached to, under k3s's and flannel's name. */
export const podBridge = "cni0";

/** The name of the network: host-local's folder, and the result cache's file names, begin with it. */
export const cniNetworkName = "mini8s";

/** The CNI configuration of a node: a bridge, addresses of the node's own range, host ports. */
export function renderCniConfig(config: CniConfig): string {
  return `${JSON.stringify(
    {
      cniVersion: "0.4.0",
      name: cniNetworkName,
      plugins: [
        {
          type: "bridge",
          bridge: podBridge,
          isDefaultGateway: true,
          // Our own rules masquerade: the plugin's would hide pods from the pods of other nodes.
          ipMasq: false,
          // A pod may reach itself through its Service.
          hairpinMode: true,
          forceAddress: true,
          mtu: config.mtu,
          ipam: {
            type: "host-local",
            ranges: [[{ subnet: config.podCidr }]],
            dataDir: config.ipamDir,
          },
        },
        { type: "portmap", capabilities: { portMappings: true } },
      ],
    },
    undefined,
    2,
  )}\n`;
}

/** Writes the configuration where containerd watches for it. Nothing is written where it is right already. */
export async function writeCniConfig(confDir: string, config: CniConfig): Promise<void> {
  await mkdir(confDir, { recursive: true });
  await mkdir(config.ipamDir, { recursive: true });
  const file = join(confDir, "10-mini8s.conflist");
  const text = renderCniConfig(config);
  if ((await readFileIfThere(file)) !== text) await writeFileAtomically(file, text);
}
