import { ApiError } from "../../api/api-error.ts";
import type { Exchange } from "./exchange.ts";

export const bodyBytesMax = 3 * 1024 * 1024;

const empty = Buffer.alloc(0);

/** The whole body of a request; RequestEntityTooLarge as soon as it is known to be longer than allowed. */
export function readBody({ headers, body }: Exchange): Promise<Buffer> {
  const declared = Number(headers["content-length"] ?? 0);
  if (declared > bodyBytesMax) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (act: () => void) => {
      body.off("data", onData);
      body.off("end", onEnd);
      body.off("error", onGone);
      body.off("aborted", onGone);
      body.off("close", onGone);
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
    body.on("data", onData);
    body.on("end", onEnd);
    body.on("error", onGone);
    body.on("aborted", onGone);
    body.on("close", onGone);
    if (body.readableEnded) onEnd();
    else if (body.destroyed) onGone();
  });
}

function tooLarge(): ApiError {
  return new ApiError(
    "RequestEntityTooLarge",
    `Request entity too large: limit is ${bodyBytesMax}`,
  );
}
