import {
  type Check,
  type CheckPod,
  containersWith,
  exceptWindows,
  named,
  quotedSet,
} from "../check.ts";

const overrides = ["capabilities_baseline"];

const check: CheckPod = ({ spec }) => {
  const keeping = containersWith(
    spec,
    (context) => context?.capabilities?.drop?.includes("ALL") !== true,
  );
  const forbidden: string[] = [];
  const adding = containersWith(spec, (context) => {
    const added = (context?.capabilities?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
    forbidden.push(...added);
    return added.length > 0;
  });
  const details = [
    ...(keeping.length === 0
      ? []
      : [`${named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [
          `${named("container", adding)} must not include ${quotedSet(forbidden)} in securityContext.capabilities.add`,
        ]),
  ];
  if (details.length === 0) return undefined;
  return { reason: "unrestricted capabilities", detail: details.join("; ") };
};

/** Containers drop all capabilities, and add at most the one to listen on a low port. */
export const capabilitiesRestricted: Check = {
  id: "capabilities_restricted",
  level: "restricted",
  versions: [
    { minor: 22, check, overrides },
    { minor: 25, check: exceptWindows(check), overrides },
  ],
};
