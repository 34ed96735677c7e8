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
import { forgetFlows, staleUdpFlows } from "./udp-flows.ts";

/** Changes that come within this time are applied together: a rolling update is many small ones. */
const coalesceMs = 10;
/** How long after a failure the whole is tried again. */
const retryMs = 1_000;
/** How often we look whether our rules are still there: nothing tells of a firewall that was started again. */
const lookMs = 30_000;

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

  async function areInPlace(signal: AbortSignal): Promise<boolean> {
    try {
      return await backend.isInPlace(signal);
    } catch (caught) {
      if (isAbortOf(signal, caught)) throw caught;
      logger.warn("cannot look at the rules of the Services", { error: caught });
      return true;
    }
  }

  return {
    name: "proxy",
    async run(signal) {
      const changes = new Wakeup();
      const told = { conntrackMissing: false };
      const ends = [
        services.subscribe(() => changes.raise()),
        slices.subscribe(() => changes.raise()),
      ];
      try {
        // Rules from half a list would refuse Services that are served.
        await Promise.all([services.synced(signal), slices.synced(signal)]);
        changes.clear();
        let before: ServiceTable = [];
        for (;;) {
          const next = table();
          try {
            await backend.apply(next, signal);
            if (!(await forgetFlows(deps.commands, staleUdpFlows(before, next), signal)))
              tellOnce(told, logger);
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
          while (!(await changed(changes, clock, signal))) {
            if (await areInPlace(signal)) continue;
            logger.warn("somebody flushed the rules of the Services, making them anew", {
              mode: backend.mode,
            });
            backend.forget();
            break;
          }
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

/** True as soon as something has changed, false when it is time to look at the rules. */
async function changed(changes: Wakeup, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const due = new AbortController();
  const cancel = clock.after(lookMs, () => due.abort());
  try {
    await changes.wait(AbortSignal.any([signal, due.signal]));
    return true;
  } catch (caught) {
    if (signal.aborted) throw caught;
    return false;
  } finally {
    cancel();
  }
}

function tellOnce(told: { conntrackMissing: boolean }, logger: Logger): void {
  if (told.conntrackMissing) return;
  told.conntrackMissing = true;
  logger.warn(
    "UDP clients may stay tied to pods that are gone: run apt-get install conntrack to have their flows forgotten",
  );
}
