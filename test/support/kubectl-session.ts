import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { runCommand } from "./run-command.ts";
import type { TestHost } from "./test-host.ts";
import { parseTranscript, readable, saidPattern } from "./transcript.ts";

export interface KubectlProgram {
  readonly name: string;
  /** How it is started; the arguments of kubectl come behind. */
  readonly command: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** What is in the directory that the commands run in. */
  readonly files?: Readonly<Record<string, string>>;
  readonly transcript: string;
}

/** No command of a transcript takes longer; one that hangs is ended, and fails. */
const commandSecondsMax = 30;

/** Plays a scenario with one kubectl, in a namespace and a directory of its own, and looks at all that it says. */
export async function playScenario(
  host: TestHost,
  program: KubectlProgram,
  scenario: Scenario,
  scratch: string,
): Promise<void> {
  const namespace = `${scenario.name.replace(/[^a-z]+/g, "-")}-${program.name}`;
  const home = join(scratch, namespace);
  await mkdir(join(home, "bin"), { recursive: true });
  const kubeconfig = join(home, "kubeconfig");
  const admin = await readFile(host.kubeconfig, "utf8");
  await writeFile(kubeconfig, admin);
  const kubectl = join(home, "bin/kubectl");
  await writeFile(
    kubectl,
    `#!/bin/sh\nexec timeout ${commandSecondsMax} ${program.command.join(" ")} "$@"\n`,
  );
  await chmod(kubectl, 0o755);
  for (const [name, content] of Object.entries(scenario.files ?? {})) {
    const own = content.replaceAll("$NS", namespace);
    await writeFile(join(home, name), own);
    if (own.startsWith("#!")) await chmod(join(home, name), 0o755);
  }
  const shell = (command: string) =>
    runCommand("nsenter", [
      ...[`--net=/run/netns/${host.name}`, "env", "-i", "LC_ALL=C.UTF-8", `HOME=${home}`],
      ...[`PATH=${join(home, "bin")}:/usr/sbin:/usr/bin:/sbin:/bin`, `KUBECONFIG=${kubeconfig}`],
      ...[`NS=${namespace}`, "bash", "-c", `cd "$HOME"; { ${command}\n} 2>&1`],
    ]);
  await shell("kubectl config set-context --current --namespace=$NS");
  const made = await shell("kubectl create namespace $NS");
  expect(made.stdout).toBe(`namespace/${namespace} created\n`);
  const wrong: string[] = [];
  for (const step of parseTranscript(scenario.transcript)) {
    const { exitCode, stdout } = await shell(step.command);
    const output = readable(stdout);
    const pattern = step.said === "" ? /^$/ : saidPattern(step.said.replaceAll("$NS", namespace));
    if (pattern.test(output) && (exitCode !== 0) === step.mustFail) continue;
    wrong.push(
      `$ ${step.command}\nexit ${exitCode}, said:\n${output}but should ${step.mustFail ? "fail and " : ""}say:\n${step.said}\n`,
    );
  }
  expect(wrong.join("\n")).toBe("");
}
