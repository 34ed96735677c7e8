import {
  type Check,
  type CheckPod,
  containersWith,
  exceptUserNamespace,
  named,
  quotedSet,
} from "../check.ts";

const check: CheckPod = ({ spec }) => {
  const types: string[] = [];
  const bad = containersWith(spec, (context) => {
    const type = context?.procMount;
    if (type === undefined || type === "Default") return false;
    types.push(type);
    return true;
  });
  if (bad.length === 0) return undefined;
  return {
    reason: "procMount",
    detail: `${named("container", bad)} must not set securityContext.procMount to ${quotedSet(types)}`,
  };
};

/** What the runtime hides of /proc stays hidden, but for pods in a user namespace of their own. */
export const procMountBaseline: Check = {
  id: "procMount",
  level: "baseline",
  versions: [
    { minor: 0, check },
    { minor: 35, check: exceptUserNamespace(check) },
  ],
};

/** What the runtime hides of /proc stays hidden; since baseline allows more, restricted says so itself. */
export const procMountRestricted: Check = {
  id: "procMount_restricted",
  level: "restricted",
  versions: [{ minor: 35, check, overrides: ["procMount"] }],
};
