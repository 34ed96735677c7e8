import { aborted } from "./abort.ts";

/** A long-running part of mini8s. `run` settles only when nothing it started is still running. */
export interface Service {
  readonly name: string;
  /** Resolves after `signal` aborts and all is stopped; rejects when the part cannot go on. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs all of them until `signal` aborts or one rejects; then stops the rest, waits for every one to
 * settle, and rejects with the first failure, if there was one.
 */
export async function runAll(services: readonly Service[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const forward = () => stop.abort(signal.reason);
  if (signal.aborted) forward();
  signal.addEventListener("abort", forward, { once: true });
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    services.map(async (service) => {
      try {
        await service.run(stop.signal);
        if (!stop.signal.aborted) throw new Error(`${service.name} ended without being told to`);
      } catch (error) {
        if (!stop.signal.aborted) failure ??= { error };
        stop.abort(error);
      }
    }),
  );
  signal.removeEventListener("abort", forward);
  if (failure !== undefined) throw failure.error;
}

/**
 * As `runAll`, for a service and one that uses it: on the way down, `below` goes on until `above` has settled, so that
 * nobody asks what is no longer there.
 */
export async function runStacked(
  below: Service,
  above: Service,
  signal: AbortSignal,
): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const upper: Service = {
    name: above.name,
    run: (stop) => above.run(stop).finally(() => settled.resolve()),
  };
  const lower: Service = {
    name: below.name,
    async run(stop) {
      const down = new AbortController();
      const running = below.run(down.signal);
      await Promise.race([running, aborted(stop).then(() => settled.promise)]);
      down.abort(stop.reason);
      await running;
    },
  };
  await runAll([lower, upper], signal);
}
