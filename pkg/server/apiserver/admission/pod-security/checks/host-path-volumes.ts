import { type Check, named } from "../check.ts";

/** A pod sees no files of its node. */
export const hostPathVolumes: Check = {
  id: "hostPathVolumes",
  level: "baseline",
  versions: [
    {
      minor: 0,
      check({ spec }) {
        const bad = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined);
        if (bad.length === 0) return undefined;
        return {
          reason: "hostPath volumes",
          detail: named(
            "volume",
            bad.map((volume) => volume.name),
          ),
        };
      },
    },
  ],
};
