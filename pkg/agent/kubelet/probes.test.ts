import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { aContainer } from "../../../test/support/pods.ts";
import type { Container, Probe } from "../../api/generated/core-v1.generated.ts";
import { createProber, type ProbeTarget } from "./probes.ts";

const second = 1_000;

/** Probes one container whose commands exit with what `exitCode` says, in time that the test moves. */
function probing(
  container: Partial<Container>,
  { exitCode = 0, before }: { exitCode?: number; before?: ProbeTarget["before"] } = {},
) {
  const clock = new ManualClock();
  const state = { exitCode, runs: 0, failures: [] as string[] };
  const prober = createProber({
    runtime: {
      execSync: () => {
        state.runs += 1;
        const stdout = Buffer.from("said");
        return Promise.resolve({ exitCode: state.exitCode, stdout, stderr: Buffer.alloc(0) });
      },
    },
    clock,
    onChange() {},
    onFailure: (_, kind, message) => state.failures.push(`${kind}: ${message}`),
  });
  const target: ProbeTarget = {
    containerId: "c",
    container: aContainer("app", container),
    podIp: "127.0.0.1",
    startedAtMs: clock.now(),
    before,
    leaving: false,
  };
  prober.track([target]);
  onTestFinished(() => prober.stop());
  return {
    state,
    verdict: () => prober.verdicts().get("c"),
    pass: (ms: number) => clock.advance(ms),
    leave: () => prober.track([{ ...target, leaving: true }]),
  };
}

const exec: Probe = { exec: { command: ["check"] }, periodSeconds: 2 };

test("a container is ready only once its readiness probe succeeds, and no longer when it fails often enough", async () => {
  const { state, verdict, pass } = probing({ readinessProbe: { ...exec, failureThreshold: 2 } });
  expect(verdict()?.ready).toBe(false);
  await pass(0);
  expect(verdict()?.ready).toBe(true);
  state.exitCode = 1;
  await pass(2 * second);
  expect(verdict()?.ready).toBe(true);
  await pass(2 * second);
  expect(verdict()?.ready).toBe(false);
  expect(state.failures).toEqual(["Readiness: said", "Readiness: said"]);
});

test("the initial delay counts from the container's start", async () => {
  const { state, pass } = probing({ readinessProbe: { ...exec, initialDelaySeconds: 3 } });
  await pass(2 * second);
  expect(state.runs).toBe(0);
  await pass(second);
  expect(state.runs).toBe(1);
});

test("liveness waits for startup, and startup that never comes is a failure of its own", async () => {
  const startupProbe = { ...exec, failureThreshold: 2 };
  const { state, verdict, pass } = probing({ startupProbe, livenessProbe: exec }, { exitCode: 1 });
  await pass(0);
  expect(verdict()).toMatchObject({ started: false, failed: undefined });
  await pass(2 * second);
  expect(verdict()?.failed?.probe).toBe("startup");
  expect(state.failures).toEqual(["Startup: said", "Startup: said"]);
});

test("an adopted container is what it was until a probe says otherwise", async () => {
  const { state, verdict, pass } = probing(
    { readinessProbe: { ...exec, failureThreshold: 1 }, startupProbe: exec },
    { before: { ready: true, started: true } },
  );
  expect(verdict()).toMatchObject({ ready: true, started: true });
  state.exitCode = 1;
  await pass(2 * second);
  expect(verdict()).toMatchObject({ ready: false, started: true });
});

test("an HTTP probe takes 200 to 399 for health, and names what it got instead", async () => {
  let code = 204;
  const server = createServer((_, response) => response.writeHead(code).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  const seen = async () => {
    const { state, verdict } = probing({ readinessProbe: { httpGet: { path: "/", port } } });
    await expect.poll(() => verdict()?.ready === true || state.failures.length > 0).toBe(true);
    return state.failures[0] ?? "healthy";
  };
  expect(await seen()).toBe("healthy");
  code = 503;
  expect(await seen()).toBe("Readiness: HTTP probe failed with statuscode: 503");
});

test("on its way out a container is asked whether it is ready, not whether it lives", async () => {
  const { state, verdict, pass, leave } = probing({
    readinessProbe: { ...exec, failureThreshold: 1 },
    livenessProbe: { ...exec, failureThreshold: 1 },
  });
  await pass(0);
  leave();
  await pass(0);
  expect(verdict()?.ready).toBe(true);
  state.exitCode = 1;
  await pass(2 * second);
  expect(verdict()).toMatchObject({ ready: false, failed: undefined });
  expect(state.failures).toEqual(["Readiness: said"]);
});
