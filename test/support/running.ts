import type { Service } from "../../pkg/base/service.ts";

/** Runs a service until it is disposed of. */
export function running(service: Service): AsyncDisposable {
  const stop = new AbortController();
  const ended = service.run(stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}
