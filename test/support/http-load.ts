import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request on a connection of its own. */
export function httpGet(url: string, timeoutMs = 10_000): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, timeout: timeoutMs }, (incoming) => {
      let body = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        body += chunk;
      });
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body }));
      incoming.on("error", reject);
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

export interface LoadResult {
  readonly answered: number;
  /** What did not answer with 200, and why. */
  readonly lost: readonly string[];
  /** The longest that any request took. */
  readonly slowestMs: number;
}

/** Clients that ask again and again, each time on a new connection, until stopped. */
export class HttpLoad {
  readonly #stop = new AbortController();
  readonly #clients: readonly Promise<void>[];
  readonly #lost: string[] = [];
  #answered = 0;
  #slowestMs = 0;

  /** `urls` are asked in turn. */
  constructor(urls: readonly string[], clients = 20, pauseMs = 25) {
    this.#clients = Array.from({ length: clients }, (_, index) =>
      this.#client(urls, index, pauseMs),
    );
  }

  get answered(): number {
    return this.#answered;
  }

  async #client(urls: readonly string[], first: number, pauseMs: number): Promise<void> {
    for (let turn = first; !this.#stop.signal.aborted; turn += 1) {
      const url = urls[turn % urls.length] ?? "";
      const since = performance.now();
      try {
        const { status, body } = await httpGet(url);
        if (status === 200) this.#answered += 1;
        else this.#lost.push(`${url}: ${status} ${body.slice(0, 200)}`);
      } catch (caught) {
        this.#lost.push(
          `${url} after ${Math.round(performance.now() - since)} ms: ${String(caught)}`,
        );
      }
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - since);
      await sleep(pauseMs);
    }
  }

  async end(): Promise<LoadResult> {
    this.#stop.abort();
    await Promise.all(this.#clients);
    return { answered: this.#answered, lost: this.#lost, slowestMs: this.#slowestMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
