import { type CommandOutput, runCommand } from "./run-command.ts";
import type { TestHost } from "./test-host.ts";

export interface KubectlOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** kubectl as a person uses it on one machine and in one namespace; none of its commands takes longer than this. */
const timeoutSeconds = 40;

export class Kubectl {
  readonly #host: TestHost;
  readonly #namespace: string;

  constructor(host: TestHost, namespace: string) {
    this.#host = host;
    this.#namespace = namespace;
  }

  run(args: readonly string[], options: KubectlOptions = {}): Promise<CommandOutput> {
    const { input, environment = {} } = options;
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    return runCommand(
      "nsenter",
      [
        ...[`--net=/run/netns/${this.#host.name}`, "timeout", String(timeoutSeconds)],
        ...["env", ...variables, "kubectl", "--kubeconfig", this.#host.kubeconfig],
        ...["--namespace", this.#namespace, ...args],
      ],
      input === undefined ? {} : { input },
    );
  }

  /** What it printed; must succeed. */
  async ok(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args, options);
    if (exitCode === 0) return stdout.trim();
    throw new Error(`kubectl ${args.join(" ")} failed with ${exitCode}: ${stderr}${stdout}`);
  }

  /** What it complained of; must fail. */
  async refused(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args, options);
    if (exitCode !== 0) return stderr.trim();
    throw new Error(`kubectl ${args.join(" ")} should have failed, but said: ${stdout}${stderr}`);
  }

  /** A value out of an object. */
  path(what: string, jsonpath: string): Promise<string> {
    return this.ok(["get", ...what.split(" "), "-o", `jsonpath=${jsonpath}`]);
  }
}
