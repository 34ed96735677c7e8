import type { NodeCondition } from "../../api/generated/core-v1.generated.ts";

/** The event reasons of each condition: when it becomes true, and when it becomes anything else. */
const reasons: Readonly<Record<string, readonly [whenTrue: string, otherwise: string]>> = {
  MemoryPressure: ["NodeHasInsufficientMemory", "NodeHasSufficientMemory"],
  DiskPressure: ["NodeHasDiskPressure", "NodeHasNoDiskPressure"],
  PIDPressure: ["NodeHasInsufficientPID", "NodeHasSufficientPID"],
  Ready: ["NodeReady", "NodeNotReady"],
};

/** What a node's events tell of: the conditions that are new or say something else than before, by their reasons. */
export function nodeConditionEvents(
  before: readonly NodeCondition[],
  now: readonly NodeCondition[],
): readonly string[] {
  return now.flatMap(({ type, status }) => {
    const [whenTrue, otherwise] = reasons[type] ?? [];
    const previous = before.find((condition) => condition.type === type)?.status;
    if (previous === status) return [];
    return (status === "True" ? whenTrue : otherwise) ?? [];
  });
}
