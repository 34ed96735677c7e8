import { type Check, containersWith, named } from "../check.ts";

/** Privileged containers stand outside of nearly all that keeps containers apart. (The exemplar of a check.) */
export const privileged: Check = {
  id: "privileged",
  level: "baseline",
  versions: [
    {
      minor: 0,
      check({ spec }) {
        const bad = containersWith(spec, (context) => context?.privileged === true);
        if (bad.length === 0) return undefined;
        return {
          reason: "privileged",
          detail: `${named("container", bad)} must not set securityContext.privileged=true`,
        };
      },
    },
  ],
};
