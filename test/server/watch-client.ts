import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";

export interface WatchEvent {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events as a client without types does
  readonly object: any;
}

/** A watch over the wire, event by event. */
export class WatchClient implements Disposable {
  readonly #stream: ClientHttp2Stream;
  readonly #events: WatchEvent[] = [];
  #text = "";
  #ended = false;
  #wake = () => {};

  constructor(session: ClientHttp2Session, path: string) {
    this.#stream = session.request({ ":path": path });
    this.#stream.setEncoding("utf8");
    this.#stream.on("data", (chunk: string) => {
      const lines = (this.#text + chunk).split("\n");
      this.#text = lines.pop() ?? "";
      for (const line of lines) this.#events.push(JSON.parse(line));
      this.#wake();
    });
    this.#stream.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
    this.#stream.on("error", () => {});
  }

  /** The next event; undefined where the server ended the watch. */
  async next(): Promise<WatchEvent | undefined> {
    while (this.#events.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#events.shift();
  }

  /** `TYPE name` of the next `count` events. */
  async take(count: number): Promise<string[]> {
    const told: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const event = await this.next();
      told.push(`${event?.type} ${event?.object.metadata?.name ?? ""}`);
    }
    return told;
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }
}
