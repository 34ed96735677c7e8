import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { executable, TestHost } from "../support/test-host.ts";
import { endedWithBench, hasEnded } from "./cleanup.ts";
import { Http2Load } from "./http2-load.ts";
import { targetOf } from "./kubeconfig.ts";
import { findProcess } from "./process-stats.ts";

const readyTimeoutMs = 60_000;

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** A server with its node, in a network namespace of its own, and the administrator's connection to it. */
export class BenchNode implements AsyncDisposable {
  readonly host: TestHost;
  readonly client: Http2Load;
  /** From exec to the first good /readyz, and to the node's Ready condition, in milliseconds. */
  readonly readyzMs: number;
  readonly nodeReadyMs: number;

  private constructor(host: TestHost, client: Http2Load, readyzMs: number, nodeReadyMs: number) {
    this.host = host;
    this.client = client;
    this.readyzMs = readyzMs;
    this.nodeReadyMs = nodeReadyMs;
  }

  /** `images`: archives that the node imports. */
  static async start(images: readonly string[] = []): Promise<BenchNode> {
    const host = await TestHost.create();
    try {
      for (const image of images) await host.addImage(image);
      const started = performance.now();
      await host.start();
      const deadline = started + readyTimeoutMs;
      const client = await untilReadyz(host, deadline);
      const readyzMs = performance.now() - started;
      while (!(await isNodeReady(client))) {
        if (performance.now() > deadline) throw new Error("the node was not Ready in time");
        await sleep(5);
      }
      const nodeReadyMs = performance.now() - started;
      return endedWithBench(new BenchNode(host, client, readyzMs, nodeReadyMs));
    } catch (caught) {
      const lines = existsSync(host.log) ? await host.logLines() : [];
      await host.destroy();
      throw new Error(`the node did not start: ${lines.slice(-8).join("\n")}`, { cause: caught });
    }
  }

  get pid(): number {
    const pid = findProcess(executable, "server", this.host.dataDir);
    if (pid === undefined) throw new Error("mini8s is not running");
    return pid;
  }

  get containerdPid(): number {
    const pid = findProcess("containerd", "--config", this.host.dataDir);
    if (pid === undefined) throw new Error("containerd is not running");
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    hasEnded(this);
    this.client[Symbol.dispose]();
    await this.host.destroy();
  }
}

async function untilReadyz(host: TestHost, deadline: number): Promise<Http2Load> {
  for (;;) {
    if (performance.now() > deadline) throw new Error("the API was not ready in time");
    if (existsSync(host.kubeconfig)) {
      const client = await connectTo(host).catch(() => undefined);
      const answer = await client?.request("GET", "/readyz").catch(() => undefined);
      if (client !== undefined && answer?.status === 200) return client;
      client?.[Symbol.dispose]();
    }
    await sleep(2);
  }
}

/** The kubeconfig speaks of the machine's loopback; from here it is reached by its address. */
function connectTo(host: TestHost): Promise<Http2Load> {
  return Http2Load.connect({ ...targetOf(host.kubeconfig), host: host.address });
}

async function isNodeReady(client: Http2Load): Promise<boolean> {
  const { status, body } = await client.request("GET", "/api/v1/nodes/node-1");
  if (status !== 200) return false;
  const node = JSON.parse(body.toString()) as {
    readonly status: { readonly conditions?: readonly Condition[] };
  };
  return node.status.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;
}
