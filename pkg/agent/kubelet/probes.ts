import { connect } from "node:net";
import type { Container, Probe } from "../../api/generated/core-v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import { checkGrpcHealth } from "../cri/grpc-health.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import { connectFailure, httpGet, resolvePort } from "./http-get.ts";
import type { ProbeVerdict } from "./plan-pod.ts";

export interface ProbeTarget {
  readonly containerId: string;
  readonly container: Container;
  readonly podIp: string;
  readonly startedAtMs: number;
  /** What was known of this very container before mini8s started: it keeps its word until a probe says otherwise. */
  readonly before: { readonly ready: boolean; readonly started: boolean } | undefined;
  /** It is on its way out: nobody asks any more whether it lives, but traffic may still go where it is ready. */
  readonly leaving: boolean;
}

export interface ProberDeps {
  readonly runtime: Pick<RuntimeService, "execSync">;
  readonly clock: Clock;
  /** A probe of the container failed or changed its mind. */
  onChange(): void;
  onFailure(container: Container, kind: ProbeKind, message: string): void;
}

type ProbeKind = "Liveness" | "Readiness" | "Startup";

type ProbeOutcome = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** The probes of one pod's running containers. Nothing polls: each probe sleeps until its next turn. */
export interface Prober {
  /** Probes exactly these containers from now on. */
  track(targets: readonly ProbeTarget[]): void;
  verdicts(): ReadonlyMap<string, ProbeVerdict>;
  /** Ends all probes; settles when none runs any more. */
  stop(): Promise<void>;
}

interface Tracked {
  readonly leaving: boolean;
  verdict: ProbeVerdict;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export function createProber(deps: ProberDeps): Prober {
  const tracked = new Map<string, Tracked>();
  const ending = new Set<Promise<void>>();

  function start(target: ProbeTarget): void {
    const { container, before, leaving } = target;
    const { startupProbe, readinessProbe } = container;
    const livenessProbe = leaving ? undefined : container.livenessProbe;
    const stop = new AbortController();
    const entry: Tracked = {
      leaving,
      verdict: {
        started: startupProbe === undefined || before?.started === true,
        ready: readinessProbe === undefined || before?.ready === true,
        failed: undefined,
      },
      stop,
      done: Promise.resolve(),
    };
    const change = (next: Partial<ProbeVerdict>) => {
      entry.verdict = { ...entry.verdict, ...next };
      deps.onChange();
    };
    const work = async () => {
      if (!entry.verdict.started && startupProbe !== undefined) {
        if (leaving) return;
        await watchProbe(deps, target, "Startup", startupProbe, stop.signal, (outcome) => {
          if (outcome.ok) change({ started: true });
          else change({ failed: { probe: "startup", message: outcome.message } });
          return "stop";
        });
      }
      if (entry.verdict.failed !== undefined) return;
      await Promise.all([
        watchProbe(deps, target, "Readiness", readinessProbe, stop.signal, (outcome) => {
          if (entry.verdict.ready !== outcome.ok) change({ ready: outcome.ok });
          return "go on";
        }),
        watchProbe(deps, target, "Liveness", livenessProbe, stop.signal, (outcome) => {
          if (outcome.ok) return "go on";
          change({ failed: { probe: "liveness", message: outcome.message } });
          return "stop";
        }),
      ]);
    };
    const done = work().catch(() => {
      // Only an abort ends a probe this way: what a probe finds is a value.
    });
    tracked.set(target.containerId, Object.assign(entry, { done }));
  }

  function end(containerId: string, entry: Tracked): void {
    entry.stop.abort();
    tracked.delete(containerId);
    ending.add(entry.done);
    void entry.done.then(() => ending.delete(entry.done));
  }

  return {
    track(targets) {
      const wanted = new Set(targets.map(({ containerId }) => containerId));
      for (const [id, entry] of tracked) if (!wanted.has(id)) end(id, entry);
      for (const target of targets) {
        const { livenessProbe, readinessProbe, startupProbe } = target.container;
        const probed = livenessProbe ?? readinessProbe ?? startupProbe;
        const entry = tracked.get(target.containerId);
        if (entry === undefined) {
          if (probed !== undefined) start(target);
        } else if (entry.leaving !== target.leaving) {
          end(target.containerId, entry);
          const { ready, started } = entry.verdict;
          start({ ...target, before: { ready, started } });
        }
      }
    },
    verdicts: () => new Map([...tracked].map(([id, { verdict }]) => [id, verdict])),
    async stop() {
      for (const [id, entry] of tracked) end(id, entry);
      await Promise.all(ending);
    },
  };
}

/** Runs one probe in its rhythm and tells each time a threshold is reached. */
async function watchProbe(
  deps: ProberDeps,
  target: ProbeTarget,
  kind: ProbeKind,
  probe: Probe | undefined,
  signal: AbortSignal,
  decide: (outcome: ProbeOutcome) => "go on" | "stop",
): Promise<void> {
  if (probe === undefined) return;
  const { clock } = deps;
  const delayMs = (probe.initialDelaySeconds ?? 0) * 1000 - (clock.now() - target.startedAtMs);
  if (delayMs > 0) await clock.sleep(delayMs, signal);
  const periodMs = Math.max(1, probe.periodSeconds ?? 10) * 1000;
  let last: boolean | undefined;
  let inARow = 0;
  let nextMs = clock.monotonic();
  for (;;) {
    const outcome = await runProbe(deps.runtime, target, probe, signal);
    signal.throwIfAborted();
    inARow = outcome.ok === last ? inARow + 1 : 1;
    last = outcome.ok;
    if (!outcome.ok) deps.onFailure(target.container, kind, outcome.message);
    const threshold = outcome.ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (inARow >= threshold && decide(outcome) === "stop") return;
    nextMs = Math.max(nextMs + periodMs, clock.monotonic());
    await clock.sleep(nextMs - clock.monotonic(), signal);
  }
}

async function runProbe(
  runtime: Pick<RuntimeService, "execSync">,
  { container, containerId, podIp }: ProbeTarget,
  probe: Probe,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const timeoutSeconds = Math.max(1, probe.timeoutSeconds ?? 1);
  try {
    if (probe.exec !== undefined) {
      const command = probe.exec.command ?? [];
      const result = await runtime.execSync(containerId, command, timeoutSeconds, { signal });
      if (result.exitCode === 0) return { ok: true };
      return { ok: false, message: Buffer.concat([result.stdout, result.stderr]).toString() };
    }
    if (probe.httpGet !== undefined) {
      const answer = await httpGet(probe.httpGet, container, podIp, timeoutSeconds * 1000);
      if (answer.outcome === "failed") return { ok: false, message: answer.message };
      if (answer.code >= 200 && answer.code < 400) return { ok: true };
      return { ok: false, message: `HTTP probe failed with statuscode: ${answer.code}` };
    }
    if (probe.tcpSocket !== undefined) {
      const host = (probe.tcpSocket.host ?? "") || podIp;
      return await tcpConnect(host, resolvePort(probe.tcpSocket.port, container), timeoutSeconds);
    }
    if (probe.grpc !== undefined) {
      const { port, service } = probe.grpc;
      const answer = await checkGrpcHealth(
        { host: podIp, port, service: service ?? "" },
        timeoutSeconds * 1000,
      );
      return answer.outcome === "serving" ? { ok: true } : { ok: false, message: answer.message };
    }
    return { ok: true };
  } catch (caught) {
    signal.throwIfAborted();
    return { ok: false, message: caught instanceof Error ? caught.message : String(caught) };
  }
}

function tcpConnect(host: string, port: number, timeoutSeconds: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutSeconds * 1000 });
    const settle = (outcome: ProbeOutcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => settle({ ok: true }));
    socket.once("timeout", () =>
      settle({ ok: false, message: `dial tcp ${host}:${port}: i/o timeout` }),
    );
    socket.once("error", (cause) =>
      settle({
        ok: false,
        message: connectFailure(cause, { hostname: host, port: String(port) }),
      }),
    );
  });
}
