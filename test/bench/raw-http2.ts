import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createAuthority,
  generateKey,
  issueKeyPair,
} from "../../pkg/server/certificates/authority.ts";
import { endedWithBench, hasEnded } from "./cleanup.ts";
import { Http2Load } from "./http2-load.ts";

/** A server of bare `node:http2` in a process of its own: what the machine can do at best. */
export class RawHttp2 implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #port: number;
  readonly #ca: string;

  private constructor(process: ChildProcess, directory: string, port: number, ca: string) {
    this.#process = process;
    this.#directory = directory;
    this.#port = port;
    this.#ca = ca;
  }

  static async start(): Promise<RawHttp2> {
    const directory = await mkdtemp("/var/tmp/mini8s-floor-");
    const { ca, certificateFile, keyFile } = await floorCertificate(directory);
    const child = fork(
      join(import.meta.dirname, "raw-server.ts"),
      [certificateFile, keyFile],
      // The flags of the executable, so that the same garbage collector is compared.
      {
        stdio: ["ignore", "pipe", "inherit", "ipc"],
        execArgv: ["--max-semi-space-size=8", "--no-parallel-scavenge"],
      },
    );
    const [port] = await once(child.stdout ?? child, "data");
    return endedWithBench(new RawHttp2(child, directory, Number(port), ca));
  }

  connect(): Promise<Http2Load> {
    return Http2Load.connect({ host: "127.0.0.1", port: this.#port, ca: this.#ca });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    hasEnded(this);
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGKILL");
      await ended;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A serving certificate for 127.0.0.1, as files. */
export async function floorCertificate(
  directory: string,
): Promise<{ readonly ca: string; readonly certificateFile: string; readonly keyFile: string }> {
  const now = Date.now();
  const authority = createAuthority("floor", generateKey(), now);
  const pair = issueKeyPair(
    authority,
    {
      subject: { commonName: "floor", organizations: [] },
      uses: ["server"],
      alternativeNames: ["127.0.0.1"],
    },
    now,
  );
  const certificateFile = join(directory, "floor.crt");
  const keyFile = join(directory, "floor.key");
  await writeFile(certificateFile, pair.certificatePem);
  await writeFile(keyFile, pair.keyPem);
  return { ca: authority.certificatePem, certificateFile, keyFile };
}
