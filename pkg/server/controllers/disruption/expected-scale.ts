import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { OwnerReference } from "../../../api/generated/meta-v1.generated.ts";
import { controllerOf } from "../../../client/ownership.ts";

/** What keeps pods: its uid, and how many it should keep. */
export interface PodKeeper {
  readonly uid: string;
  readonly replicas: number;
}

export type ExpectedScale =
  | {
      readonly outcome: "known";
      readonly podCount: number;
      /** These pods have no controller, and so nobody who says how many of them there should be. */
      readonly unmanaged: readonly string[];
    }
  | { readonly outcome: "unknown"; readonly why: string };

/** Who keeps the pods that name `controller`; a string says why that is not to be known, undefined that it is not there. */
export type FindKeeper = (
  controller: OwnerReference,
  namespace: string,
) => Promise<PodKeeper | string | undefined>;

/** How many pods there should be in all by what their controllers ask for; each controller counts once. */
export async function expectedScale(
  pods: readonly Pod[],
  findKeeper: FindKeeper,
): Promise<ExpectedScale> {
  const unmanaged: string[] = [];
  const looked = new Set<string>();
  const keepers = new Map<string, number>();
  for (const pod of pods) {
    const { name, namespace = "" } = pod.metadata;
    const controller = controllerOf(pod);
    if (controller === undefined) {
      unmanaged.push(name);
      continue;
    }
    if (looked.has(controller.uid)) continue;
    looked.add(controller.uid);
    const keeper = await findKeeper(controller, namespace);
    if (keeper === undefined) {
      return {
        outcome: "unknown",
        why: `found no controllers for pod ${JSON.stringify(name)}`,
      };
    }
    if (typeof keeper === "string") return { outcome: "unknown", why: keeper };
    keepers.set(keeper.uid, keeper.replicas);
  }
  const podCount = [...keepers.values()].reduce((sum, replicas) => sum + replicas, 0);
  return { outcome: "known", podCount, unmanaged };
}
