import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { executable } from "../support/test-host.ts";
import { BenchNode } from "./bench-node.ts";
import { BenchServer } from "./bench-server.ts";
import { clusterLock } from "./cluster-lock.ts";
import { type Figure, median } from "./figure.ts";
import { Http2Load } from "./http2-load.ts";
import { repeated } from "./load.ts";
import { floorCertificate } from "./raw-http2.ts";

const runs = 5;
const nodeRuns = 3;

/** From exec to what somebody waits for: the API, the node. */
export async function measureBoot(): Promise<readonly Figure[]> {
  const bareMs = median(await repeated(runs, bareStartMs));
  const answerMs = median(await repeated(runs, bareAnswerMs));
  const coldMs = median(await repeated(runs, coldStartMs));
  const warmMs = median(await warmStartsMs());
  const nodeMs = await nodeStartsMs();
  const floor = { what: "bare Node: exec to the first HTTPS answer", value: answerMs / 1_000 };
  const boot = (name: string, ms: number, budget: number): Figure => {
    return { name, unit: "s", value: ms / 1_000, floor, budget, better: "less" };
  };
  return [
    {
      name: "`mini8s version`, from exec to exit",
      unit: "s",
      value: bareMs / 1_000,
      better: "less",
    },
    boot("boot to readyz, fresh data-dir, without a node", coldMs, 1),
    boot("boot to readyz, data-dir of an earlier run, without a node", warmMs, 1),
    boot("boot to node Ready, fresh data-dir", nodeMs, 3),
  ];
}

async function bareStartMs(): Promise<number> {
  const started = performance.now();
  await once(spawn(executable, ["version"], { stdio: "ignore" }), "exit");
  return performance.now() - started;
}

async function bareAnswerMs(): Promise<number> {
  const directory = await mkdtemp("/var/tmp/mini8s-floor-");
  try {
    const { ca, certificateFile, keyFile } = await floorCertificate(directory);
    const program = `const {readFileSync}=require("node:fs");const s=require("node:http2").createSecureServer({cert:readFileSync(${JSON.stringify(certificateFile)}),key:readFileSync(${JSON.stringify(keyFile)})},(q,r)=>r.end("ok"));s.listen(0,"127.0.0.1",()=>console.log(s.address().port))`;
    const started = performance.now();
    const child = spawn(process.execPath, ["-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [port] = await once(child.stdout, "data");
      using client = await Http2Load.connect({ host: "127.0.0.1", port: Number(port), ca });
      await client.request("GET", "/");
      return performance.now() - started;
    } finally {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function coldStartMs(): Promise<number> {
  await using server = await BenchServer.start();
  return server.readyMs;
}

async function warmStartsMs(): Promise<readonly number[]> {
  const directory = await mkdtemp("/var/tmp/mini8s-bench-");
  try {
    const start = async () => {
      await using server = await BenchServer.start(directory);
      // Long enough for the controllers to have settled what a first start leaves.
      await sleep(500);
      return server.readyMs;
    };
    await start();
    return await repeated(runs, start);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function nodeStartsMs(): Promise<number> {
  using _ = await clusterLock();
  const times = await repeated(nodeRuns, async () => {
    await using node = await BenchNode.start();
    return node.nodeReadyMs;
  });
  return median(times);
}
