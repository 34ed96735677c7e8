import { type Check, type CheckPod, containersWith, exceptWindows, named } from "../check.ts";

const check: CheckPod = ({ spec }) => {
  const bad = containersWith(spec, (context) => context?.allowPrivilegeEscalation !== false);
  if (bad.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${named("container", bad)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

/** No process gains more than its parent has. */
export const allowPrivilegeEscalation: Check = {
  id: "allowPrivilegeEscalation",
  level: "restricted",
  versions: [
    { minor: 8, check },
    { minor: 25, check: exceptWindows(check) },
  ],
};
