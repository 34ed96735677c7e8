import { type Check, containersOf, named, plural, quoted, sortedSet } from "../check.ts";

/** No probe or hook makes the node send requests elsewhere than to the pod. */
export const hostProbesAndHostLifecycle: Check = {
  id: "hostProbesAndHostLifecycle",
  level: "baseline",
  versions: [
    {
      minor: 34,
      check({ spec }) {
        const bad: string[] = [];
        const hosts: string[] = [];
        for (const container of containersOf(spec)) {
          const { lifecycle } = container;
          const actions = [
            container.livenessProbe,
            container.readinessProbe,
            container.startupProbe,
            lifecycle?.postStart,
            lifecycle?.preStop,
          ];
          const named = actions
            .flatMap((action) => [action?.httpGet?.host ?? "", action?.tcpSocket?.host ?? ""])
            .filter((host) => host !== "");
          if (named.length > 0) bad.push(container.name);
          hosts.push(...named);
        }
        if (bad.length === 0) return undefined;
        const containers = sortedSet(bad);
        const forbidden = sortedSet(hosts);
        const uses = containers.length === 1 ? "uses" : "use";
        return {
          reason: "probe or lifecycle host",
          detail: `${named("container", containers)} ${uses} ${plural("probe or lifecycle host", forbidden.length)} ${quoted(forbidden)}`,
        };
      },
    },
  ],
};
