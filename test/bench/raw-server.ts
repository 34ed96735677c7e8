/**
 * The floor of everything over HTTP: bare `node:http2`, in a process of its own as mini8s is. Prints its port.
 * `/bytes/<n>` answers n bytes; `/parts/<count>/<bytes>` writes so many ready buffers; `/watch` lasts, and each POST to
 * `/tell/<bytes>` writes one buffer to all who watch.
 */
import { readFileSync } from "node:fs";
import { createSecureServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

const [certificateFile = "", keyFile = ""] = process.argv.slice(2);
const buffers = new Map<number, Buffer>();
const watchers = new Set<ServerHttp2Stream>();

function bufferOf(bytes: number): Buffer {
  const known = buffers.get(bytes);
  if (known !== undefined) return known;
  const made = Buffer.alloc(bytes, "x");
  made[bytes - 1] = "\n".charCodeAt(0);
  buffers.set(bytes, made);
  return made;
}

const server = createSecureServer({
  cert: readFileSync(certificateFile),
  key: readFileSync(keyFile),
  settings: { maxConcurrentStreams: 10_000 },
});
server.on("stream", (stream, headers) => {
  const [, what, first = "0", second = "0"] = (headers[":path"] ?? "").split("/");
  stream.on("error", () => {});
  stream.resume();
  stream.respond({ ":status": 200, "content-type": "application/json" });
  if (what === "watch") {
    watchers.add(stream);
    stream.once("close", () => watchers.delete(stream));
    return;
  }
  if (what === "parts") {
    const buffer = bufferOf(Number(second));
    for (let left = Number(first); left > 0; left--) stream.write(buffer);
    stream.end();
    return;
  }
  if (what === "tell") {
    const buffer = bufferOf(Number(first));
    for (const watcher of watchers) watcher.write(buffer);
    stream.end();
    return;
  }
  stream.end(bufferOf(Number(first)));
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit());
