import type {
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
} from "../generated/flowcontrol-v1.generated.ts";

export const flowControlGroup = "flowcontrol.apiserver.k8s.io";

function everythingOf(groups: readonly string[]): PolicyRulesWithSubjects {
  return {
    subjects: groups.map((name) => ({ kind: "Group", group: { name } })),
    resourceRules: [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] },
    ],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  };
}

/** The flow schemas without which some request would have no place; their specs are what they are. */
export const mandatoryFlowSchemas: Readonly<Record<"exempt" | "catch-all", FlowSchemaSpec>> = {
  exempt: {
    priorityLevelConfiguration: { name: "exempt" },
    matchingPrecedence: 1,
    rules: [everythingOf(["system:masters"])],
  },
  "catch-all": {
    priorityLevelConfiguration: { name: "catch-all" },
    matchingPrecedence: 10_000,
    distinguisherMethod: { type: "ByUser" },
    rules: [everythingOf(["system:unauthenticated", "system:authenticated"])],
  },
};

/** The priority levels that the mandatory flow schemas lead to. Of `exempt`, the shares may be changed. */
export const mandatoryPriorityLevels: Readonly<
  Record<"exempt" | "catch-all", PriorityLevelConfigurationSpec>
> = {
  exempt: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  "catch-all": {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: 5,
      lendablePercent: 0,
      limitResponse: { type: "Reject" },
    },
  },
};

/** One of the mandatory specs by the name of its object. */
export function mandatorySpec<Spec>(
  specs: Readonly<Record<string, Spec>>,
  name: string,
): Spec | undefined {
  return Object.hasOwn(specs, name) ? specs[name] : undefined;
}
