import type { Duplex } from "node:stream";
import type { Incoming } from "./exchange.ts";

/** A connection whose client asked to go on in another protocol. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What the client sent beyond its request. */
  readonly head: Buffer;
  /** Takes the connection away from HTTP: whoever does is the only one to use it from then on. */
  take(): void;
}

const upgrades = new WeakMap<Incoming, Upgrade>();

export function setUpgrade(incoming: Incoming, upgrade: Upgrade): void {
  upgrades.set(incoming, upgrade);
}

/** Undefined for an ordinary request. */
export function upgradeOf(incoming: Incoming): Upgrade | undefined {
  return upgrades.get(incoming);
}
