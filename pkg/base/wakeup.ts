/** A flag that one waiter waits for: however often it is raised meanwhile, the waiter wakes once. */
export class Wakeup {
  #raised = false;
  #waiting: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#waiting?.();
  }

  /** Forgets what was raised so far: call it before reading the state that the flag tells of. */
  clear(): void {
    this.#raised = false;
  }

  /** Resolves when the flag is up; rejects with `signal.reason` when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    if (this.#raised) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting = undefined;
        reject(signal.reason);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting = () => {
        signal.removeEventListener("abort", onAbort);
        this.#waiting = undefined;
        resolve();
      };
    });
  }
}
