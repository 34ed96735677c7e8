import { type Check, containersWith, settersOf } from "../check.ts";

/** No Windows container runs as a process of its node. */
export const windowsHostProcess: Check = {
  id: "windowsHostProcess",
  level: "baseline",
  versions: [
    {
      minor: 0,
      check({ spec }) {
        const bad = containersWith(
          spec,
          (context) => context?.windowsOptions?.hostProcess === true,
        );
        const setters = settersOf(spec.securityContext?.windowsOptions?.hostProcess === true, bad);
        if (setters === undefined) return undefined;
        return {
          reason: "hostProcess",
          detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true`,
        };
      },
    },
  ],
};
