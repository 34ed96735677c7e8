import type {
  FlowSchema,
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  Subject,
} from "../../../api/generated/flowcontrol-v1.generated.ts";
import type { NewObject } from "../../../api/object.ts";
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
} from "../../../api/shared/mandatory-flow-control.ts";

/** Whether the server keeps an object's spec as it suggests; who changes the spec sets it to "false". */
export const autoUpdateAnnotation = "apf.kubernetes.io/autoupdate-spec";

const queueLengthLimit = 50;

/** The priority levels of every cluster. */
export const priorityLevelSpecs: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  ...mandatoryPriorityLevels,
  system: limited({ shares: 30, lendablePercent: 33, queues: 64, handSize: 6 }),
  "node-high": limited({ shares: 40, lendablePercent: 25, queues: 64, handSize: 6 }),
  "leader-election": limited({ shares: 10, lendablePercent: 0, queues: 16, handSize: 4 }),
  "workload-high": limited({ shares: 40, lendablePercent: 50, queues: 128, handSize: 6 }),
  "workload-low": limited({ shares: 100, lendablePercent: 90, queues: 128, handSize: 6 }),
  "global-default": limited({ shares: 20, lendablePercent: 50, queues: 128, handSize: 6 }),
};

function limited(level: {
  readonly shares: number;
  readonly lendablePercent: number;
  readonly queues: number;
  readonly handSize: number;
}): PriorityLevelConfigurationSpec {
  const { shares, lendablePercent, queues, handSize } = level;
  return {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      lendablePercent,
      limitResponse: { type: "Queue", queuing: { queues, handSize, queueLengthLimit } },
    },
  };
}

type Rules = Omit<PolicyRulesWithSubjects, "subjects">;

const everything: Rules = {
  resourceRules: [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true },
  ],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};

function leases(verbs: readonly string[]): NonNullable<Rules["resourceRules"]>[number] {
  return {
    verbs,
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    namespaces: ["*"],
    clusterScope: false,
  };
}

const everybody = [group("system:unauthenticated"), group("system:authenticated")];
const nodes = [group("system:nodes")];
const controllerManager = user("system:kube-controller-manager");
const scheduler = user("system:kube-scheduler");
const systemServiceAccounts: Subject = {
  kind: "ServiceAccount",
  serviceAccount: { name: "*", namespace: "kube-system" },
};

/** The flow schemas of every cluster. */
export const flowSchemaSpecs: Readonly<Record<string, FlowSchemaSpec>> = {
  ...mandatoryFlowSchemas,
  probes: schema("exempt", 2, undefined, everybody, {
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
  }),
  "system-leader-election": schema(
    "leader-election",
    100,
    "ByUser",
    [controllerManager, scheduler, systemServiceAccounts],
    { resourceRules: [leases(["get", "create", "update"])] },
  ),
  "system-node-high": schema("node-high", 400, "ByUser", nodes, {
    resourceRules: [
      {
        verbs: ["*"],
        apiGroups: [""],
        resources: ["nodes", "nodes/status"],
        namespaces: ["*"],
        clusterScope: true,
      },
      leases(["*"]),
    ],
  }),
  "system-nodes": schema("system", 500, "ByUser", nodes, everything),
  "kube-controller-manager": schema(
    "workload-high",
    800,
    "ByNamespace",
    [controllerManager],
    everything,
  ),
  "kube-scheduler": schema("workload-high", 800, "ByNamespace", [scheduler], everything),
  "kube-system-service-accounts": schema(
    "workload-high",
    900,
    "ByNamespace",
    [systemServiceAccounts],
    everything,
  ),
  "service-accounts": schema(
    "workload-low",
    9_000,
    "ByUser",
    [group("system:serviceaccounts")],
    everything,
  ),
  "global-default": schema("global-default", 9_900, "ByUser", everybody, everything),
};

function schema(
  level: string,
  matchingPrecedence: number,
  distinguisher: "ByUser" | "ByNamespace" | undefined,
  subjects: readonly Subject[],
  rules: Rules,
): FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence,
    ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
    rules: [{ subjects, ...rules }],
  };
}

function group(name: string): Subject {
  return { kind: "Group", group: { name } };
}

function user(name: string): Subject {
  return { kind: "User", user: { name } };
}

export function newPriorityLevel(
  name: string,
  spec: PriorityLevelConfigurationSpec,
): NewObject<PriorityLevelConfiguration> {
  return {
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: "PriorityLevelConfiguration",
    metadata: { name, annotations: { [autoUpdateAnnotation]: "true" } },
    spec,
    status: {},
  };
}

export function newFlowSchema(name: string, spec: FlowSchemaSpec): NewObject<FlowSchema> {
  return {
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: "FlowSchema",
    metadata: { name, annotations: { [autoUpdateAnnotation]: "true" } },
    spec,
    status: {},
  };
}
