import { ApiError } from "../../api/api-error.ts";
import type { Incoming } from "./exchange.ts";

export const bodyBytesMax = 3 * 1024 * 1024;

const empty = Buffer.alloc(0);

/** The whole body of a request; RequestEntityTooLarge as soon as it is known to be longer than allowed. */
export function readBody(incoming: Incoming): Promise<Buffer> {
  const declared = Number(incoming.headers["content-length"] ?? 0);
  if (declared > bodyBytesMax) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (act: () => void) => {
      incoming.off("data", onData);
      incoming.off("end", onEnd);
      incoming.off("error", onGone);
      incoming.off("aborted", onGone);
      incoming.off("close", onGone);
      act();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) settle(() => reject(tooLarge()));
      else chunks.push(chunk);
    };
    const onEnd = () =>
      settle(() => {
        const [first = empty] = chunks;
        resolve(chunks.length === 1 ? first : Buffer.concat(chunks, bytes));
      });
    const onGone = () =>
      settle(() => reject(ApiError.badRequest("the request's body ended before it was complete")));
    incoming.on("data", onData);
    incoming.on("end", onEnd);
    incoming.on("error", onGone);
    incoming.on("aborted", onGone);
    incoming.on("close", onGone);
    if (incoming.readableEnded) onEnd();
  });
}

function tooLarge(): ApiError {
  return new ApiError(
    "RequestEntityTooLarge",
    `Request entity too large: limit is ${bodyBytesMax}`,
  );
}
