import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BareDebian } from "../support/debian-tree.ts";
import { eventually, executable } from "../support/test-host.ts";

test("the one file runs on a bare Debian without Node, and serves the API", async () => {
  await using machine = await BareDebian.create();
  cpSync(executable, join(machine.root, "usr/local/bin/mini8s"));
  for (const absent of ["node", "npm", "containerd"])
    expect((await machine.exec("sh", "-c", `command -v ${absent}`)).exitCode).not.toBe(0);

  expect((await machine.exec("mini8s", "version")).stdout).toMatch(/^mini8s \d/);
  expect((await machine.exec("mini8s", "--help")).stdout).toContain("server [options]");

  // A network of its own: it shares that with nothing.
  const server = spawn(
    "unshare",
    [
      ...["--net", "chroot", machine.root, "sh", "-c"],
      "exec mini8s server --disable-agent --node-ip 127.0.0.1 --bind-address 127.0.0.1 --data-dir /state",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  server.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => server.once("exit", resolve));
  try {
    await eventually("the API is ready, or mini8s says why not", () =>
      Promise.resolve(/the API is ready|^mini8s:/m.test(log) ? true : undefined),
    );
    expect(log).toContain('"message":"the API is ready"');
    server.kill("SIGTERM");
    expect(await ended).toBe(0);
  } finally {
    server.kill("SIGKILL");
  }
  expect(
    (await machine.exec("mini8s", "uninstall", "--data-dir", "/state", "--yes")).exitCode,
  ).toBe(0);
  expect((await machine.exec("ls", "/state")).exitCode).not.toBe(0);
});
