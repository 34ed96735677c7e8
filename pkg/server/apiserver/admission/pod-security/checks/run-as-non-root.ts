import {
  type Check,
  type CheckPod,
  containersWith,
  exceptUserNamespace,
  named,
  settersOf,
} from "../check.ts";

const reason = "runAsNonRoot != true";

const check: CheckPod = ({ spec }) => {
  const ofPod = spec.securityContext?.runAsNonRoot;
  const refusing = containersWith(spec, (context) => context?.runAsNonRoot === false);
  const setters = settersOf(ofPod === false, refusing);
  if (setters !== undefined) {
    return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  }
  if (ofPod === true) return undefined;
  const silent = containersWith(spec, (context) => context?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason,
    detail: `pod or ${named("container", silent)} must set securityContext.runAsNonRoot=true`,
  };
};

/** Nothing runs as root. */
export const runAsNonRoot: Check = {
  id: "runAsNonRoot",
  level: "restricted",
  versions: [
    { minor: 0, check },
    { minor: 35, check: exceptUserNamespace(check) },
  ],
};
