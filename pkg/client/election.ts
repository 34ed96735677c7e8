import { ApiError } from "../api/api-error.ts";
import type { Lease } from "../api/generated/coordination-v1.generated.ts";
import { objectKey } from "../api/object.ts";
import { leaseResource } from "../api/resources/lease.ts";
import { formatMicroTime } from "../api/time.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { runAll, type Service } from "../base/service.ts";
import type { Client } from "./client.ts";

export interface ElectionOptions {
  readonly client: Pick<Client, "get" | "create" | "update">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The Lease that is fought for. */
  readonly namespace: string;
  readonly name: string;
  /** Who we are; unique among the candidates. */
  readonly identity: string;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
}

/** client-go's defaults for the control plane. */
const timing = {
  leaseMs: 15_000,
  /** A leader that could not renew for this long lets go of its work. */
  renewWithinMs: 10_000,
  retryMs: 2_000,
};

/**
 * Runs `led` while we hold the Lease, and never while another may: a holder that cannot renew stops before its
 * Lease runs out. Losing the Lease stops `led` and starts over; a failure of `led` ends it all.
 */
export function leaderElected(led: readonly Service[], options: ElectionOptions): Service {
  const { client, clock, logger, identity } = options;
  const key = objectKey(options.namespace, options.name);
  /** What the Lease said when it last changed, and when that was by our own clock: others' clocks are not trusted. */
  let observed: { readonly content: string; readonly atMs: number } | undefined;

  async function tryToHold(signal: AbortSignal): Promise<boolean> {
    const now = formatMicroTime(clock.now());
    const lease = await client.get(leaseResource, key, signal);
    if (lease === undefined) {
      await client.create(
        leaseResource,
        {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { namespace: options.namespace, name: options.name },
          spec: specFor(identity, now, now, 0),
        },
        signal,
      );
      return true;
    }
    const { holderIdentity = "", acquireTime, leaseTransitions = 0 } = lease.spec;
    const content = JSON.stringify([holderIdentity, lease.spec.renewTime]);
    if (observed?.content !== content) observed = { content, atMs: clock.monotonic() };
    const heldByUs = holderIdentity === identity;
    const durationMs = (lease.spec.leaseDurationSeconds ?? 0) * 1000;
    if (!heldByUs && holderIdentity !== "" && clock.monotonic() < observed.atMs + durationMs) {
      return false;
    }
    const spec = heldByUs
      ? specFor(identity, acquireTime ?? now, now, leaseTransitions)
      : specFor(identity, now, now, leaseTransitions + 1);
    await client.update(leaseResource, { ...lease, spec: { ...lease.spec, ...spec } }, signal);
    return true;
  }

  async function attempt(signal: AbortSignal): Promise<boolean> {
    try {
      return await tryToHold(signal);
    } catch (caught) {
      if (signal.aborted) return false;
      logger.debug("cannot take or renew the lease", {
        lease: key,
        error: ApiError.from(caught).message,
      });
      return false;
    }
  }

  /** Ends when the Lease was not renewed in time, or when `signal` aborts. */
  async function keepRenewing(signal: AbortSignal): Promise<void> {
    let renewedAtMs = clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(timing.retryMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const deadline = new AbortController();
      const leftMs = renewedAtMs + timing.renewWithinMs - clock.monotonic();
      const cancel = clock.after(Math.max(0, leftMs), () => deadline.abort());
      const askedAtMs = clock.monotonic();
      const held = await attempt(AbortSignal.any([signal, deadline.signal]));
      cancel();
      if (held) renewedAtMs = askedAtMs;
      else if (clock.monotonic() - renewedAtMs >= timing.renewWithinMs) return;
    }
  }

  async function letGo(): Promise<void> {
    const deadline = new AbortController();
    const cancel = clock.after(timing.retryMs, () => deadline.abort());
    try {
      const lease = await client.get(leaseResource, key, deadline.signal);
      if (lease?.spec.holderIdentity !== identity) return;
      const spec: Lease["spec"] = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 };
      await client.update(leaseResource, { ...lease, spec }, deadline.signal);
    } catch (caught) {
      logger.debug("cannot release the lease, it will run out", {
        lease: key,
        error: ApiError.from(caught).message,
      });
    } finally {
      cancel();
    }
  }

  async function lead(signal: AbortSignal): Promise<void> {
    const lost = new AbortController();
    const leading = AbortSignal.any([signal, lost.signal]);
    logger.info("leading", { lease: key, identity });
    const renewing = keepRenewing(leading).finally(() => lost.abort());
    try {
      await runAll(led, leading);
    } finally {
      lost.abort();
      await renewing;
      if (signal.aborted) await letGo();
      else logger.warn("no longer leading", { lease: key, identity });
    }
  }

  return {
    name: `election of ${options.name}`,
    async run(signal) {
      while (!signal.aborted) {
        if (await attempt(signal)) await lead(signal);
        if (signal.aborted) return;
        const waitMs = timing.retryMs * (1 + 0.2 * options.random());
        await clock.sleep(waitMs, signal).catch(() => undefined);
      }
    },
  };
}

function specFor(
  holderIdentity: string,
  acquireTime: string,
  renewTime: string,
  leaseTransitions: number,
) {
  const leaseDurationSeconds = timing.leaseMs / 1000;
  return { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions };
}
