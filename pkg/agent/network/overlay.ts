import type { Commands } from "../host/exec.ts";
import {
  type OverlayKind,
  type OverlayPlan,
  renderForwarding,
  renderRoutes,
  tunnelId,
  tunnelLink,
  tunnelPort,
} from "./plan-overlay.ts";

/** Puts overlay plans into the kernel, each time what differs from the last. */
export class Overlay {
  readonly #commands: Commands;
  readonly #kind: OverlayKind;
  #applied: OverlayPlan = { tunnel: undefined, peers: [] };
  /** The first time after a start the kernel may hold anything. */
  #known = false;

  constructor(commands: Commands, kind: OverlayKind) {
    this.#commands = commands;
    this.#kind = kind;
  }

  async apply(plan: OverlayPlan, uplink: string, mtu: number, signal: AbortSignal): Promise<void> {
    if (JSON.stringify(plan) === JSON.stringify(this.#applied) && this.#known) return;
    if (!this.#known) await this.#forgetForeign(plan, signal);
    this.#known = false;
    if (plan.tunnel !== undefined) await this.#ensureTunnel(plan.tunnel, uplink, mtu, signal);
    const routes = renderRoutes(this.#kind, this.#applied.peers, plan.peers, uplink);
    if (routes.length > 0) await this.#batch("ip", routes, signal);
    if (this.#kind === "vxlan" && plan.tunnel !== undefined) {
      const forwarding = renderForwarding(this.#applied.peers, plan.peers);
      if (forwarding.length > 0) await this.#batch("bridge", forwarding, signal);
    }
    this.#applied = plan;
    this.#known = true;
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
    await this.#commands.run(command, ["-batch", "-"], { input: `${lines.join("\n")}\n`, signal });
  }
}
