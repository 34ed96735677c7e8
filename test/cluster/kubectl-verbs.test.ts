import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type KubectlProgram, playScenario } from "../support/kubectl-session.ts";
import { officialClients } from "../support/official-clients.ts";
import { eventually, TestHost } from "../support/test-host.ts";
import { applyScenario, serverSideApplyScenario } from "./scenarios/apply.ts";
import { changeScenario, deleteScenario } from "./scenarios/change.ts";
import { createScenario } from "./scenarios/create.ts";
import { lookScenario, serverScenario } from "./scenarios/look.ts";

let host: TestHost;
let scratch: string;
let programs: Readonly<Record<string, KubectlProgram>>;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/mini8s-kubectl-");
  const { tree } = await officialClients();
  const libraries = join(tree, "usr/lib/x86_64-linux-gnu");
  programs = {
    "1.32": { name: "old", command: ["/usr/bin/kubectl"] },
    newest: {
      name: "newest",
      // With the libraries it came with, not the machine's, and yet in the machine's own files.
      command: [
        ...[join(libraries, "ld-linux-x86-64.so.2"), "--library-path", libraries],
        join(tree, "usr/bin/kubectl"),
      ],
    },
  };
  host = await TestHost.create();
  await host.start("--disable-agent");
  await eventually("the API is ready", async () =>
    (await host.kubectl("get", "--raw", "/readyz")).exitCode === 0 ? true : undefined,
  );
});
afterAll(async () => {
  await host?.destroy();
  await rm(scratch, { recursive: true, force: true });
});

const scenarios = [
  createScenario,
  applyScenario,
  serverSideApplyScenario,
  changeScenario,
  deleteScenario,
  lookScenario,
  serverScenario,
];

describe.each(["1.32", "newest"])("kubectl %s", (version) => {
  test.concurrent.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s",
    async (_, scenario) => {
      const program = programs[version];
      if (program !== undefined) await playScenario(host, program, scenario, scratch);
    },
  );
});
