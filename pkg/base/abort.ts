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
