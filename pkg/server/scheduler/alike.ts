import type { Pod } from "../../api/generated/core-v1.generated.ts";
import type { PodInfo } from "./pod-info.ts";

/** `covers`, asked once only for all pods of the same namespace and labels: a cluster has far fewer of those than pods. */
export function onceForAlike(covers: (pod: Pod) => boolean): (info: PodInfo) => boolean {
  const known = new Map<string, boolean>();
  return ({ pod, likeness }) => {
    let verdict = known.get(likeness);
    if (verdict === undefined) {
      verdict = covers(pod);
      known.set(likeness, verdict);
    }
    return verdict;
  };
}
