import type { NodeFilter } from "../filter.ts";
import type { HostPort } from "../pod-info.ts";

const rejection = {
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  roomWouldHelp: true,
};

/** Rejects nodes on which a host port that the pod wants is taken. */
export const nodePortsFilter: NodeFilter = {
  name: "NodePorts",
  reconsideredWhen: "pod-leaves-or-node-changes",
  reject({ hostPorts }, node) {
    const taken = hostPorts.some((wanted) => node.hostPorts.some((used) => collide(wanted, used)));
    return taken ? rejection : undefined;
  },
};

function collide(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0";
}
