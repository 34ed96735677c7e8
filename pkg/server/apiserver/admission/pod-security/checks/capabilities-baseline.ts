import { type Check, containersWith, named, quotedSet } from "../check.ts";

const allowed: ReadonlySet<string> = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

/** No container gets more capabilities than runtimes give by themselves. */
export const capabilitiesBaseline: Check = {
  id: "capabilities_baseline",
  level: "baseline",
  versions: [
    {
      minor: 0,
      check({ spec }) {
        const forbidden: string[] = [];
        const bad = containersWith(spec, (context) => {
          const added = (context?.capabilities?.add ?? []).filter((name) => !allowed.has(name));
          forbidden.push(...added);
          return added.length > 0;
        });
        if (bad.length === 0) return undefined;
        return {
          reason: "non-default capabilities",
          detail: `${named("container", bad)} must not include ${quotedSet(forbidden)} in securityContext.capabilities.add`,
        };
      },
    },
  ],
};
