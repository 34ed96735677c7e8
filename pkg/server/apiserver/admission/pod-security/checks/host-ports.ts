import { type Check, containersOf, named, plural, sortedSet } from "../check.ts";

/** A pod takes no port of its node. */
export const hostPorts: Check = {
  id: "hostPorts",
  level: "baseline",
  versions: [
    {
      minor: 0,
      check({ spec }) {
        const taken: string[] = [];
        const bad = containersOf(spec).flatMap(({ name, ports = [] }) => {
          const used = ports.map((port) => port.hostPort ?? 0).filter((port) => port !== 0);
          taken.push(...used.map(String));
          return used.length === 0 ? [] : [name];
        });
        if (bad.length === 0) return undefined;
        const ports = sortedSet(taken);
        const uses = bad.length === 1 ? "uses" : "use";
        return {
          reason: "hostPort",
          detail: `${named("container", bad)} ${uses} ${plural("hostPort", ports.length)} ${ports.join(", ")}`,
        };
      },
    },
  ],
};
