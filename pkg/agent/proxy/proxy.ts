import type { Service } from "../../api/generated/core-v1.generated.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";
import { isAbortOf } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service as LongRunning } from "../../base/service.ts";
import { Wakeup } from "../../base/wakeup.ts";
import type { Informer } from "../../client/informer.ts";
import type { Commands } from "../host/exec.ts";
import type { ProxyBackend } from "./proxy-backend.ts";
import { buildServiceTable, type ServiceTable } from "./service-table.ts";

/** Changes that come within this time are applied together: a rolling update is many small ones. */
const coalesceMs = 10;
/** How long after a failure the whole is tried again. */
const retryMs = 1_000;

/** Keeps the kernel's rules equal to the cluster's Services: wake, coalesce, plan, apply. */
export function createProxy(deps: {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly backend: ProxyBackend;
  readonly commands: Commands;
  readonly nodeName: string;
  readonly answeredHere: ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}): LongRunning {
  const { services, slices, backend, clock, logger } = deps;
  const table = (): ServiceTable =>
    buildServiceTable({
      services: services.list(),
      slices: slices.list(),
      nodeName: deps.nodeName,
      answeredHere: deps.answeredHere,
    });

  return {
    name: "proxy",
    async run(signal) {
      const changes = new Wakeup();
      const ends = [
        services.subscribe(() => changes.raise()),
        slices.subscribe(() => changes.raise()),
      ];
      try {
        // Rules from half a list would refuse Services that are served.
        await Promise.all([services.synced(signal), slices.synced(signal)]);
        let before: ServiceTable = [];
        while (!signal.aborted) {
          const next = table();
          try {
            await backend.apply(next, signal);
            await forgetFlows(deps.commands, goneUdpBackends(before, next), signal);
            before = next;
          } catch (caught) {
            if (isAbortOf(signal, caught)) throw caught;
            logger.error("cannot program the Services, trying again", {
              mode: backend.mode,
              error: caught,
            });
            changes.raise();
            await clock.sleep(retryMs, signal);
          }
          await changes.wait(signal);
          await clock.sleep(coalesceMs, signal);
          changes.clear();
        }
      } catch (caught) {
        if (!isAbortOf(signal, caught)) throw caught;
      } finally {
        for (const end of ends) end();
      }
    },
  };
}

/**
 * Back ends that UDP clients may still be tied to: a UDP flow has no end, so conntrack would send it to a gone
 * pod for as long as the client goes on. A frontend that had none at all has no flows worth keeping, either.
 */
export function goneUdpBackends(
  before: ServiceTable,
  after: ServiceTable,
): readonly { readonly frontend: string; readonly backend: string }[] {
  const alive = new Set<string>();
  for (const { kind, address, port, protocol, backends } of after) {
    if (protocol !== "udp") continue;
    for (const backend of backends) alive.add(`${kind} ${address} ${port} ${backend.address}`);
  }
  return before
    .filter(({ protocol, kind }) => protocol === "udp" && kind === "address")
    .flatMap(({ kind, address, port, backends }) =>
      backends
        .filter((backend) => !alive.has(`${kind} ${address} ${port} ${backend.address}`))
        .map((backend) => ({ frontend: address, backend: backend.address })),
    );
}

async function forgetFlows(
  commands: Commands,
  gone: ReturnType<typeof goneUdpBackends>,
  signal: AbortSignal,
): Promise<void> {
  for (const { frontend, backend } of gone) {
    // Exits with 1 where nothing matches, which is as good.
    await commands.attempt(
      "conntrack",
      ["-D", "-p", "udp", "--orig-dst", frontend, "--dst-nat", backend],
      { signal },
    );
  }
}
