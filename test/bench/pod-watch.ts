import { expectStatus, podsPath } from "./api-objects.ts";
import type { Http2Load } from "./http2-load.ts";

interface PodEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: {
    readonly metadata: { readonly name: string };
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  };
}

const timeoutMs = 60_000;

/** Tells when pods become Ready and when they are gone, as a watcher learns it. Times are `performance.now()`. */
export class PodWatch implements Disposable {
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #rest = "";

  static async start(client: Http2Load): Promise<PodWatch> {
    const watch = new PodWatch();
    const list = await expectStatus(client.request("GET", podsPath), 200);
    const { metadata } = JSON.parse(list.body.toString()) as {
      readonly metadata: { readonly resourceVersion: string };
    };
    const query = `watch=true&resourceVersion=${metadata.resourceVersion}`;
    client.watch(`${podsPath}?${query}`, (chunk) => watch.#onChunk(chunk));
    return watch;
  }

  ready(name: string): Promise<number> {
    return this.#await(`ready ${name}`);
  }

  gone(name: string): Promise<number> {
    return this.#await(`gone ${name}`);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #await(what: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`did not happen in time: ${what}`));
      const timer = setTimeout(late, timeoutMs);
      this.#timers.add(timer);
      this.#waiting.set(what, (at) => {
        clearTimeout(timer);
        this.#timers.delete(timer);
        resolve(at);
      });
    });
  }

  #onChunk(chunk: Buffer): void {
    const at = performance.now();
    const lines = (this.#rest + chunk.toString()).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const { type, object } = JSON.parse(line) as PodEvent;
      const { name } = object.metadata;
      const isReady = object.status?.conditions?.some(
        (condition) => condition.type === "Ready" && condition.status === "True",
      );
      if (type === "DELETED") this.#tell(`gone ${name}`, at);
      else if (isReady === true) this.#tell(`ready ${name}`, at);
    }
  }

  #tell(what: string, at: number): void {
    const told = this.#waiting.get(what);
    this.#waiting.delete(what);
    told?.(at);
  }
}
