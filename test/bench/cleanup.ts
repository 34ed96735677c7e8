const open = new Set<AsyncDisposable>();

/** Ends `resource` with the bench, also where a signal ends the bench before its own block does. */
export function endedWithBench<T extends AsyncDisposable>(resource: T): T {
  open.add(resource);
  return resource;
}

/** `resource` has ended by itself. */
export function hasEnded(resource: AsyncDisposable): void {
  open.delete(resource);
}

/** The latest first. */
export async function endAll(): Promise<void> {
  for (const resource of [...open].reverse()) await resource[Symbol.asyncDispose]();
}
