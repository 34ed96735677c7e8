import type { Check } from "../check.ts";

const fields = ["hostNetwork", "hostPID", "hostIPC"] as const;

/** A pod lives in namespaces of its own. */
export const hostNamespaces: Check = {
  id: "hostNamespaces",
  level: "baseline",
  versions: [
    {
      minor: 0,
      check({ spec }) {
        const shared = fields.filter((field) => spec[field] === true);
        if (shared.length === 0) return undefined;
        return {
          reason: "host namespaces",
          detail: shared.map((field) => `${field}=true`).join(", "),
        };
      },
    },
  ],
};
