import { createIptablesBackend } from "../../pkg/agent/proxy/iptables/iptables.ts";
import { createNftablesBackend } from "../../pkg/agent/proxy/nftables/nftables.ts";
import type { ProxyBackend } from "../../pkg/agent/proxy/proxy-backend.ts";
import type { Frontend, ServiceTable } from "../../pkg/agent/proxy/service-table.ts";
import { PacketLab } from "../support/packet-lab.ts";
import { endedWithBench, hasEnded } from "./cleanup.ts";
import { type Figure, median } from "./figure.ts";
import { repeated } from "./load.ts";

/** iptables-restore over nftables takes minutes for 10,000. */
const services = { nftables: 10_000, iptables: 1_000 } as const;
const changes = 9;
const network = { clusterCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16" };

/** How long the kernel's rules for many Services take: all of them, and one change among them. */
export async function measureServices(): Promise<readonly Figure[]> {
  return [
    ...(await measure("nftables", { change: 100 })),
    ...(await measure("iptables", { change: undefined })),
  ];
}

async function measure(
  mode: "nftables" | "iptables",
  budget: { readonly change: number | undefined },
): Promise<readonly Figure[]> {
  const count = services[mode];
  const lab = await PacketLab.create(0);
  const ending = endedWithBench({ [Symbol.asyncDispose]: () => lab.destroy() });
  try {
    const floor = mode === "nftables" ? await nftFloor(lab, count) : undefined;
    const deps = { commands: lab.commands, network };
    const backend = mode === "nftables" ? createNftablesBackend(deps) : createIptablesBackend(deps);
    const wholeMs = await elapsed(backend, tableOf(count, 0));
    const changeMs = median(
      await repeated(changes, (run) => elapsed(backend, tableOf(count, run + 1))),
    );
    const what = "bare nft, one map";
    return [
      {
        name: `${mode}: ${count.toLocaleString("en-US")} Services of 2 endpoints, from nothing`,
        unit: "ms",
        value: wholeMs,
        ...(floor === undefined ? {} : { floor: { what, value: floor.wholeMs } }),
        better: "less",
      },
      {
        name: `${mode}: one endpoint changes among them`,
        unit: "ms",
        value: changeMs,
        ...(floor === undefined ? {} : { floor: { what, value: floor.changeMs } }),
        ...(budget.change === undefined ? {} : { budget: budget.change }),
        better: "less",
      },
    ];
  } finally {
    hasEnded(ending);
    await lab.destroy();
  }
}

async function elapsed(backend: ProxyBackend, table: ServiceTable): Promise<number> {
  const started = performance.now();
  await backend.apply(table, AbortSignal.timeout(120_000));
  return performance.now() - started;
}

/** The table after so many changes: each gives the next Service another second endpoint. */
function tableOf(count: number, version: number): ServiceTable {
  return Array.from({ length: count }, (_, index): Frontend => {
    const last = index < version ? 200 + version : 100;
    return {
      kind: "address",
      address: `10.43.${index >> 8}.${index & 255}`,
      protocol: "tcp",
      port: 80,
      service: `shop/service-${index}:http`,
      backends: [
        { address: `10.42.${index >> 8}.${index & 255}`, port: 8080 },
        { address: `10.42.${index >> 8}.${index & 255}`, port: 9000 + last },
      ],
      affinitySeconds: 0,
      masquerade: false,
      whenEmpty: "reject",
    };
  });
}

async function nftFloor(
  lab: PacketLab,
  count: number,
): Promise<{ readonly wholeMs: number; readonly changeMs: number }> {
  const nft = async (input: string) => {
    const started = performance.now();
    await lab.commands.run("nft", ["-f", "-"], { input });
    return performance.now() - started;
  };
  const element = (index: number) =>
    `10.43.${index >> 8}.${index & 255} . 80 : 10.42.${index >> 8}.${index & 255} . 8080`;
  const elements = Array.from({ length: 2 * count }, (_, index) => element(index)).join(", ");
  const wholeMs = await nft(
    `add table ip floor\nadd map ip floor m { type ipv4_addr . inet_service : ipv4_addr . inet_service; }\nadd element ip floor m { ${elements} }\n`,
  );
  const changeMs = median(
    await repeated(changes, (run) =>
      nft(`add element ip floor m { ${element(2 * count + run)} }\n`),
    ),
  );
  await lab.commands.run("nft", ["delete", "table", "ip", "floor"]);
  return { wholeMs, changeMs };
}
