import type { Pod } from "../../../../api/generated/core-v1.generated.ts";
import { podResource } from "../../../../api/resources/pod.ts";
import type { Clock } from "../../../../base/clock.ts";
import type { ObjectReader } from "../admission.ts";
import { printReasons, violationsOf } from "./evaluate.ts";
import { type LevelVersion, printLevelVersion } from "./policy.ts";

/** A namespace with more pods is judged by as many of them. */
const podsMax = 3_000;
/** A request does not hold up the others for longer. */
const checkMs = 100;

/** What an author of stricter labels is told of the pods that are there already, and stay. */
export function warningsOfExistingPods(
  reader: ObjectReader,
  clock: Clock,
  namespace: string,
  enforce: LevelVersion,
  exemptRuntimeClasses: readonly string[],
): readonly string[] {
  const pods = inOrder(
    reader
      .list(podResource, namespace)
      .filter((pod) => !exemptRuntimeClasses.includes(pod.spec?.runtimeClassName ?? "")),
  );
  const endsMs = clock.monotonic() + checkMs;
  const violators = new Map<string, string[]>();
  let checked = 0;
  for (const { metadata, spec } of pods.slice(0, podsMax)) {
    checked += 1;
    const violations = spec === undefined ? [] : violationsOf(enforce, { metadata, spec });
    if (violations.length > 0) {
      const reasons = printReasons(violations);
      const names = violators.get(reasons);
      if (names === undefined) violators.set(reasons, [metadata.name]);
      else names.push(metadata.name);
    }
    if (clock.monotonic() > endsMs) break;
  }
  const warnings: string[] = [];
  if (checked < pods.length) {
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${checked} of ${pods.length} existing pods`,
    );
  }
  if (violators.size > 0) {
    warnings.push(
      `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(printLevelVersion(enforce))}`,
    );
  }
  const told = [...violators].map(([reasons, names]) => `${printNames(names)}: ${reasons}`);
  return [...warnings, ...told.sort()];
}

/** One pod of each controller first: its others are most likely the same. */
function inOrder(pods: readonly Pod[]): readonly Pod[] {
  const seen = new Set<string>();
  const first: Pod[] = [];
  const others: Pod[] = [];
  for (const pod of pods) {
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (owner !== undefined && seen.has(owner.uid)) {
      others.push(pod);
      continue;
    }
    if (owner !== undefined) seen.add(owner.uid);
    first.push(pod);
  }
  return [...first, ...others];
}

function printNames(names: readonly string[]): string {
  const [first = ""] = [...names].sort();
  switch (names.length) {
    case 1:
      return first;
    case 2:
      return `${first} (and 1 other pod)`;
    default:
      return `${first} (and ${names.length - 1} other pods)`;
  }
}
