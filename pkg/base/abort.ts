/** True where `caught` is only the obedience to `signal`, and no failure of its own. */
export function isAbortOf(signal: AbortSignal, caught: unknown): boolean {
  if (!signal.aborted) return false;
  if (caught === signal.reason) return true;
  return (
    caught instanceof Error && (caught.cause === signal.reason || caught.name === "AbortError")
  );
}

/** Resolves once `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * `promise`, unless `signal` aborts before: then its reason is thrown, and `promise` goes on alone. Leaves nothing
 * behind on `signal`, which may live for months.
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
