import {
  type Check,
  type CheckPod,
  containersWith,
  exceptUserNamespace,
  settersOf,
} from "../check.ts";

const check: CheckPod = ({ spec }) => {
  const bad = containersWith(spec, (context) => context?.runAsUser === 0);
  const setters = settersOf(spec.securityContext?.runAsUser === 0, bad);
  if (setters === undefined) return undefined;
  return { reason: "runAsUser=0", detail: `${setters} must not set runAsUser=0` };
};

/** Nobody asks to be user 0. */
export const runAsUser: Check = {
  id: "runAsUser",
  level: "restricted",
  versions: [
    { minor: 23, check },
    { minor: 35, check: exceptUserNamespace(check) },
  ],
};
