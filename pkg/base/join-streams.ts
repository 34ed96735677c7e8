import type { Duplex } from "node:stream";

/**
 * Passes on what either side says to the other, byte for byte and no faster than it is taken. Resolves once both are
 * closed: an end is passed on as an end, and who is gone takes the other along once that has been sent everything.
 */
export async function joinStreams(one: Duplex, other: Duplex): Promise<void> {
  const closed = [carry(one, other), carry(other, one)];
  await Promise.all(closed);
}

/** Resolves when `from` is closed. */
function carry(from: Duplex, to: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const close = () => {
      // Nobody is left to hear an answer; what was said is still delivered.
      if (from.readableEnded && !to.destroyed) to.end(() => to.destroy());
      else to.destroy();
      resolve();
    };
    if (from.closed) return close();
    // Told by the close that follows.
    from.on("error", () => {});
    from.once("close", close);
    from.pipe(to);
  });
}
