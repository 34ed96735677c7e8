import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectRpc, type RpcConnection } from "../../pkg/agent/cri/connect.ts";
import { NamespaceMode } from "../../pkg/agent/cri/generated/cri-v1.generated.ts";
import { createRuntimeService, type RuntimeService } from "../../pkg/agent/cri/runtime.ts";
import { normalizeImageName } from "../../pkg/agent/kubelet/image-name.ts";

const signal = new AbortController().signal;
const quietTimeoutMs = 60_000;
const namespaceOptions = {
  network: NamespaceMode.POD,
  pid: NamespaceMode.CONTAINER,
  ipc: NamespaceMode.POD,
};

/** The floor of a pod: what a runtime takes for sandbox, create and start, asked by nobody but this. */
export class RawCri implements AsyncDisposable {
  readonly #connection: RpcConnection;
  readonly #runtime: RuntimeService;
  readonly #image: string;
  readonly #directory: string;
  readonly #sandboxes: string[] = [];

  private constructor(connection: RpcConnection, image: string, directory: string) {
    this.#connection = connection;
    this.#runtime = createRuntimeService(connection);
    this.#image = normalizeImageName(image);
    this.#directory = directory;
  }

  static async open(socket: string, image: string): Promise<RawCri> {
    return new RawCri(connectRpc(socket), image, await mkdtemp("/var/tmp/mini8s-floor-"));
  }

  /** Milliseconds of one pod of one container. Its labels are nobody's, so no kubelet takes it for its own. */
  async podMs(name: string): Promise<number> {
    const sandbox = {
      metadata: { name, namespace: "floor", uid: `floor-${name}`, attempt: 0 },
      hostname: name,
      logDirectory: join(this.#directory, name),
      linux: { securityContext: { namespaceOptions } },
    };
    const started = performance.now();
    const id = await this.#runtime.runPodSandbox(sandbox, "", { signal });
    this.#sandboxes.push(id);
    const config = {
      metadata: { name: "sleep", attempt: 0 },
      image: { image: this.#image },
      command: ["sleep", "3600"],
      logPath: "sleep.log",
      linux: { securityContext: { namespaceOptions } },
    };
    const container = await this.#runtime.createContainer(id, config, sandbox, { signal });
    await this.#runtime.startContainer(container, { signal });
    return performance.now() - started;
  }

  async podsMs(count: number, inFlight: number): Promise<number> {
    let next = 0;
    const started = performance.now();
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (next < count) await this.podMs(`many-${next++}`);
      }),
    );
    return performance.now() - started;
  }

  /** Waits until the runtime holds nothing but what was made here: an earlier pod's end is not measured with the next one. */
  async quiet(): Promise<void> {
    const deadline = performance.now() + quietTimeoutMs;
    for (;;) {
      const sandboxes = await this.#runtime.listPodSandboxes({}, { signal });
      if (sandboxes.every(({ id }) => this.#sandboxes.includes(id))) return;
      if (performance.now() > deadline) throw new Error("the node keeps sandboxes of deleted pods");
      await sleep(20);
    }
  }

  async removeAll(): Promise<void> {
    for (const id of this.#sandboxes.splice(0)) {
      await this.#runtime.stopPodSandbox(id, { signal });
      await this.#runtime.removePodSandbox(id, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.removeAll();
    this.#connection[Symbol.dispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
