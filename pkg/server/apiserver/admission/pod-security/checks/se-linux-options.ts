import type { SELinuxOptions } from "../../../../../api/generated/core-v1.generated.ts";
import {
  type Check,
  type CheckPod,
  containersWith,
  plural,
  quoted,
  settersOf,
  sortedSet,
} from "../check.ts";

const types = ["", "container_t", "container_init_t", "container_kvm_t"];

/** SELinux confines a pod as one of the types made for containers, and as no user or role of its own. */
export const seLinuxOptions: Check = {
  id: "seLinuxOptions",
  level: "baseline",
  versions: [
    { minor: 0, check: allowing(new Set(types)) },
    { minor: 31, check: allowing(new Set([...types, "container_engine_t"])) },
  ],
};

function allowing(allowed: ReadonlySet<string>): CheckPod {
  const isBad = (options: SELinuxOptions | undefined): options is SELinuxOptions =>
    options !== undefined &&
    (!allowed.has(options.type ?? "") || Boolean(options.user) || Boolean(options.role));
  return ({ spec }) => {
    const all: SELinuxOptions[] = [];
    const collect = (options: SELinuxOptions | undefined): boolean => {
      if (!isBad(options)) return false;
      all.push(options);
      return true;
    };
    const ofPod = collect(spec.securityContext?.seLinuxOptions);
    const bad = containersWith(spec, (context) => collect(context?.seLinuxOptions));
    const setters = settersOf(ofPod, bad);
    if (setters === undefined) return undefined;
    const badTypes = sortedSet(
      all.map((options) => options.type ?? "").filter((type) => !allowed.has(type)),
    );
    const data = [
      ...(badTypes.length === 0 ? [] : [`${plural("type", badTypes.length)} ${quoted(badTypes)}`]),
      ...(all.some((options) => options.user) ? ["user may not be set"] : []),
      ...(all.some((options) => options.role) ? ["role may not be set"] : []),
    ];
    return {
      reason: "seLinuxOptions",
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join("; ")}`,
    };
  };
}
