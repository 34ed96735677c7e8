import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { silentLogger } from "../base/log.ts";
import { createHttpTransport } from "./transport.ts";

test("an idle connection is probed for hours and nothing piles up on it", async () => {
  const server = createServer((_request, response) => response.end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const clock = new ManualClock();
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.name);
  process.on("warning", onWarning);
  try {
    await using transport = createHttpTransport({
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ca: "",
      credentials: () => ({ type: "anonymous" }),
      userAgent: "test",
      clock,
      logger: silentLogger,
    });
    const { body } = await transport.request(
      { method: "GET", path: "/" },
      new AbortController().signal,
    );
    for await (const _ of body);
    for (let ping = 0; ping < 15; ping++) {
      await clock.advance(30_000);
      // The answer to the ping sets the time of the next one.
      while (clock.nextInMs !== 30_000) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(warnings).toEqual([]);
  } finally {
    process.off("warning", onWarning);
    server.close();
  }
});
