"use strict";
// Runs the bundle once as the executable will, and keeps what V8 compiled: node warm-cache.cjs BUNDLE CACHE.
// The run is a control plane that starts, answers what a kubectl asks first, and stops: what is compiled then is
// what a start needs. Nothing of it touches the disk but a folder of its own.
const { readFileSync, writeFileSync, mkdtempSync, rmSync, existsSync } = require("node:fs");
const http2 = require("node:http2");
const net = require("node:net");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const vm = require("node:vm");

const [bundle, cache] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "mini8s-warm-"));
const kubeconfig = join(folder, "kubeconfig.yaml");
const startMs = 20_000;

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function untilWritten(file) {
  const deadline = Date.now() + startMs;
  while (!existsSync(file)) {
    if (Date.now() > deadline)
      throw new Error("the bundle does not start: run it from source to see why");
    await sleep(20);
  }
}

async function ask(port) {
  const text = readFileSync(kubeconfig, "utf8");
  const field = (name) => Buffer.from(new RegExp(`${name}: (\\S+)`).exec(text)[1], "base64");
  const session = http2.connect(`https://127.0.0.1:${port}`, {
    ca: field("certificate-authority-data"),
    cert: field("client-certificate-data"),
    key: field("client-key-data"),
  });
  const call = (method, path, body) =>
    new Promise((resolve, reject) => {
      const stream = session.request(
        { ":method": method, ":path": path, "content-type": "application/json" },
        { endStream: body === undefined },
      );
      stream.on("error", reject);
      stream.on("end", resolve);
      stream.resume();
      if (body !== undefined) stream.end(JSON.stringify(body));
    });
  const pods = "/api/v1/namespaces/default/pods";
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "warm" },
    spec: { containers: [{ name: "c", image: "i" }] },
  };
  for (let round = 0; round < 3; round++) {
    await call("GET", "/readyz");
    await call("GET", "/apis");
    await call("POST", pods, pod);
    await call("GET", pods);
    await call("GET", `${pods}/warm`);
    await call("DELETE", `${pods}/warm?gracePeriodSeconds=0`);
    await call("GET", "/api/v1/nodes");
  }
  session.close();
}

async function main() {
  const port = await freePort();
  const script = new vm.Script(readFileSync(bundle, "utf8"), {
    filename: "mini8s.js",
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  process.argv = [
    ...[
      process.argv[0],
      "mini8s",
      "server",
      "--disable-agent",
      "--datastore-endpoint",
      "memory://",
    ],
    ...[
      "--data-dir",
      folder,
      "--write-kubeconfig",
      kubeconfig,
      "--https-listen-port",
      String(port),
    ],
    ...["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"],
  ];
  process.on("exit", () => {
    writeFileSync(cache, script.createCachedData());
    rmSync(folder, { recursive: true, force: true });
  });
  script.runInThisContext()(require, module, exports, __filename, __dirname);
  await untilWritten(kubeconfig);
  await ask(port);
  process.kill(process.pid, "SIGTERM");
}

main().catch((error) => {
  console.error(`warm-cache: ${error.message}`);
  process.exit(1);
});
