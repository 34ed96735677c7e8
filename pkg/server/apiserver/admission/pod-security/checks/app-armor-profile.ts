import { type Check, containersOf, named, plural, quoted, sortedSet } from "../check.ts";

const annotationPrefix = "container.apparmor.security.beta.kubernetes.io/";

/** The runtime's AppArmor profile is not switched off. */
export const appArmorProfile: Check = {
  id: "appArmorProfile",
  level: "baseline",
  versions: [
    {
      minor: 0,
      check({ metadata, spec }) {
        const setters: string[] = [];
        const values: string[] = [];
        const ofPod = spec.securityContext?.appArmorProfile;
        if (ofPod !== undefined && !isAllowed(ofPod.type)) {
          setters.push("pod");
          values.push(ofPod.type ?? "");
        }
        const bad = containersOf(spec).flatMap(({ name, securityContext }) => {
          const profile = securityContext?.appArmorProfile;
          if (profile === undefined || isAllowed(profile.type)) return [];
          values.push(profile.type ?? "");
          return [name];
        });
        if (bad.length > 0) setters.push(named("container", bad));
        const annotations = Object.entries(metadata.annotations ?? {})
          .filter(([key, value]) => key.startsWith(annotationPrefix) && !isAllowedProfile(value))
          .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
          .sort();
        if (annotations.length > 0) setters.push(plural("annotation", annotations.length));
        if (setters.length === 0) return undefined;
        const all = [...sortedSet(values), ...annotations];
        return {
          reason: plural("forbidden AppArmor profile", all.length),
          detail: `${setters.join(" and ")} must not set AppArmor profile type to ${quoted(all)}`,
        };
      },
    },
  ],
};

function isAllowed(type: string | undefined): boolean {
  return type === "RuntimeDefault" || type === "Localhost";
}

function isAllowedProfile(profile: string): boolean {
  return profile === "" || profile === "runtime/default" || profile.startsWith("localhost/");
}
