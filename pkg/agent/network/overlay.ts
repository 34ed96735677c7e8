import type { Commands } from "../host/exec.ts";
import {
  type OverlayKind,
  type OverlayPlan,
  renderForwarding,
  renderRoutes,
  renderStaleForwarding,
  renderStaleRoutes,
  routeProtocol,
  tunnelId,
  tunnelLink,
  tunnelPort,
} from "./plan-overlay.ts";

/** Makes the kernel hold what overlay plans say, and nothing of ours beyond it. */
export class Overlay {
  readonly #commands: Commands;
  readonly #kind: OverlayKind;
  /** What the kernel is known to hold; undefined after a start or a failure, when it may hold anything. */
  #applied: string | undefined;

  constructor(commands: Commands, kind: OverlayKind) {
    this.#commands = commands;
    this.#kind = kind;
  }

  async apply(plan: OverlayPlan, uplink: string, mtu: number, signal: AbortSignal): Promise<void> {
    const wanted = JSON.stringify([plan, uplink, mtu]);
    if (wanted === this.#applied) return;
    if (this.#applied === undefined) await this.#forgetForeign(plan, signal);
    this.#applied = undefined;
    if (plan.tunnel !== undefined) await this.#ensureTunnel(plan.tunnel, uplink, mtu, signal);
    await this.#removeStale(plan, signal);
    await this.#batch("ip", renderRoutes(this.#kind, plan.peers, uplink), signal);
    if (plan.tunnel !== undefined)
      await this.#batch("bridge", renderForwarding(plan.peers), signal);
    this.#applied = wanted;
  }

  /** Asks the kernel, not our memory: what was taken away by hand must not be taken away again. */
  async #removeStale(plan: OverlayPlan, signal: AbortSignal): Promise<void> {
    const proto = ["-4", "route", "show", "proto", String(routeProtocol)];
    const routes = await this.#commands.run("ip", proto, { signal });
    await this.#batch("ip", renderStaleRoutes(routes.stdout, plan.peers), signal);
    if (plan.tunnel === undefined) return;
    const entries = await this.#commands.run("bridge", ["fdb", "show", "dev", tunnelLink], {
      signal,
    });
    await this.#batch("bridge", renderStaleForwarding(entries.stdout, plan.peers), signal);
  }

  /** A tunnel of an earlier run with another address would swallow packets: it is made anew. */
  async #forgetForeign(plan: OverlayPlan, signal: AbortSignal): Promise<void> {
    const { exitCode, stdout } = await this.#commands.attempt(
      "ip",
      ["-o", "link", "show", tunnelLink],
      { signal },
    );
    if (exitCode !== 0) return;
    if (plan.tunnel !== undefined && stdout.includes(plan.tunnel.mac)) return;
    await this.#commands.attempt("ip", ["link", "del", tunnelLink], { signal });
  }

  async #ensureTunnel(
    tunnel: NonNullable<OverlayPlan["tunnel"]>,
    uplink: string,
    mtu: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { exitCode } = await this.#commands.attempt("ip", ["link", "show", tunnelLink], {
      signal,
    });
    const make =
      exitCode === 0
        ? []
        : [
            `link add ${tunnelLink} address ${tunnel.mac} type vxlan id ${tunnelId} local ${tunnel.localAddress} dev ${uplink} dstport ${tunnelPort} nolearning`,
          ];
    await this.#batch(
      "ip",
      [
        ...make,
        `addr replace ${tunnel.address}/32 dev ${tunnelLink}`,
        `link set ${tunnelLink} mtu ${mtu} up`,
      ],
      signal,
    );
  }

  async #batch(
    command: "ip" | "bridge",
    lines: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    if (lines.length === 0) return;
    await this.#commands.run(command, ["-batch", "-"], { input: `${lines.join("\n")}\n`, signal });
  }
}
