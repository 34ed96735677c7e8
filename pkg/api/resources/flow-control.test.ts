import { describe, expect, test } from "vitest";
import { createdFromYaml, refusalsOf } from "../../../test/support/decode-yaml.ts";
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from "../shared/mandatory-flow-control.ts";
import { flowSchemaResource } from "./flowschema.ts";
import { priorityLevelConfigurationResource } from "./prioritylevelconfiguration.ts";

const head = (kind: string, name: string) =>
  `apiVersion: flowcontrol.apiserver.k8s.io/v1, kind: ${kind}, metadata: {name: ${name}}`;

const schema = (spec: string, name = "shop") =>
  createdFromYaml(flowSchemaResource, `{${head("FlowSchema", name)}, spec: ${spec}}`);

const level = (spec: string, name = "shop", annotations = "{}") =>
  createdFromYaml(
    priorityLevelConfigurationResource,
    `{apiVersion: flowcontrol.apiserver.k8s.io/v1, kind: PriorityLevelConfiguration, metadata: {name: ${name}, annotations: ${annotations}}, spec: ${spec}}`,
  );

const anyone = "{kind: Group, group: {name: g}}";
const pods = "{verbs: [get], apiGroups: [''], resources: [pods], namespaces: ['*']}";

/** A flow schema with one rule, of which `rule` says what is not as it should be. */
const ruled = (rule: string) => schema(`{priorityLevelConfiguration: {name: l}, rules: [${rule}]}`);

test("a flow schema without a precedence is among the ordinary ones", () => {
  expect(schema("{priorityLevelConfiguration: {name: l}}")).toMatchObject({
    spec: { matchingPrecedence: 1000 },
    status: {},
  });
});

describe("a flow schema is refused for", () => {
  test.each<[string, string[]]>([
    [`{priorityLevelConfiguration: {name: l}}`, []],
    [
      "{matchingPrecedence: -1}",
      [
        "spec.matchingPrecedence: Invalid value: -1: must be a positive value",
        "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
      ],
    ],
    [
      "{matchingPrecedence: 10001, priorityLevelConfiguration: {name: A}}",
      [
        "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
        `spec.priorityLevelConfiguration.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      ],
    ],
    [
      "{matchingPrecedence: 1, priorityLevelConfiguration: {name: l}, distinguisherMethod: {type: ByHat}}",
      [
        "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
        'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByHat"}: supported values: "ByNamespace", "ByUser"',
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(flowSchemaResource, schema(spec))).toEqual(expected);
  });

  test.each<[string, string[]]>([
    [`{subjects: [${anyone}], resourceRules: [${pods}]}`, []],
    [
      "{subjects: []}",
      [
        "spec.rules[0].subjects: Required value: subjects must contain at least one value",
        "spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty",
      ],
    ],
    [
      `{subjects: [{kind: Robot}, {kind: User}, {kind: Group, user: {name: u}}, {kind: User, user: {name: ''}, serviceAccount: {name: a, namespace: b}}], resourceRules: [${pods}]}`,
      [
        'spec.rules[0].subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
        "spec.rules[0].subjects[1].user: Required value: user is required when subject kind is 'User'",
        "spec.rules[0].subjects[2].group: Required value: group is required when subject kind is 'Group'",
        "spec.rules[0].subjects[2].user: Forbidden: user is forbidden when subject kind is not 'User'",
        "spec.rules[0].subjects[3].user.name: Required value",
        "spec.rules[0].subjects[3].serviceAccount: Forbidden: serviceAccount is forbidden when subject kind is not 'ServiceAccount'",
      ],
    ],
    [
      `{subjects: [{kind: ServiceAccount}, {kind: ServiceAccount, serviceAccount: {name: ''}}, {kind: ServiceAccount, serviceAccount: {name: '*', namespace: ns}}], resourceRules: [${pods}]}`,
      [
        "spec.rules[0].subjects[0].serviceAccount: Required value: serviceAccount is required when subject kind is 'ServiceAccount'",
        "spec.rules[0].subjects[1].serviceAccount.name: Required value",
        "spec.rules[0].subjects[1].serviceAccount.namespace: Required value: must specify namespace for service account",
      ],
    ],
    [
      `{subjects: [${anyone}], resourceRules: [{verbs: [], apiGroups: [], resources: []}, {verbs: ['*', get], apiGroups: ['*', a], resources: ['*', b], namespaces: ['*', c]}, {verbs: [fly], apiGroups: [a], resources: [b], clusterScope: true}]}`,
      [
        "spec.rules[0].resourceRules[0].verbs: Required value: verbs must contain at least one value",
        "spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "spec.rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource",
        "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace",
        `spec.rules[0].resourceRules[1].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
        `spec.rules[0].resourceRules[1].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other api groups`,
        `spec.rules[0].resourceRules[1].resources: Invalid value: ["*","b"]: if '*' is present, must not specify other resources`,
        `spec.rules[0].resourceRules[1].namespaces: Invalid value: ["*","c"]: if '*' is present, must not specify other namespaces`,
        'spec.rules[0].resourceRules[2].verbs: Unsupported value: ["fly"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
      ],
    ],
    [
      `{subjects: [${anyone}], nonResourceRules: [{verbs: [get], nonResourceURLs: []}, {verbs: [get], nonResourceURLs: ['*', /a]}, {verbs: [get], nonResourceURLs: [/, '', a, '/a b', //a, '/a*', '/*/*', '/a/*']}]}`,
      [
        "spec.rules[0].nonResourceRules[0].nonResourceURLs: Required value: nonResourceURLs must contain at least one value",
        `spec.rules[0].nonResourceRules[1].nonResourceURLs: Invalid value: ["*","/a"]: if '*' is present, must not specify other non-resource URLs`,
        'spec.rules[0].nonResourceRules[2].nonResourceURLs[1]: Invalid value: "": must not be empty',
        'spec.rules[0].nonResourceRules[2].nonResourceURLs[2]: Invalid value: "a": must start with slash',
        'spec.rules[0].nonResourceRules[2].nonResourceURLs[3]: Invalid value: "/a b": must not contain white-space',
        'spec.rules[0].nonResourceRules[2].nonResourceURLs[4]: Invalid value: "//a": must not contain double slash',
        'spec.rules[0].nonResourceRules[2].nonResourceURLs[5]: Invalid value: "/a*": wildcard can only do suffix matching',
        'spec.rules[0].nonResourceRules[2].nonResourceURLs[6]: Invalid value: "/*/*": wildcard can only do suffix matching',
      ],
    ],
  ])("the rule %s", (rule, expected) => {
    expect(refusalsOf(flowSchemaResource, ruled(rule))).toEqual(expected);
  });
});

test.each(["exempt", "catch-all"] as const)("the flow schema %s is what it is", (name) => {
  const own = mandatoryFlowSchemas[name];
  expect(refusalsOf(flowSchemaResource, schema(JSON.stringify(own), name))).toEqual([]);
  const other = schema(JSON.stringify({ ...own, rules: [] }), name);
  expect(refusalsOf(flowSchemaResource, other)).toEqual([
    expect.stringMatching(
      new RegExp(`^spec: Invalid value: .*: spec of '${name}' must equal the fixed value$`),
    ),
  ]);
});

test("a priority level has queues of the usual size", () => {
  expect(
    level("{type: Limited, limited: {limitResponse: {type: Queue, queuing: {}}}}"),
  ).toMatchObject({
    spec: {
      limited: {
        nominalConcurrencyShares: 30,
        lendablePercent: 0,
        limitResponse: { queuing: { handSize: 8, queues: 64, queueLengthLimit: 50 } },
      },
    },
    status: {},
  });
});

describe("a priority level is refused for", () => {
  const queued = (queuing: string) =>
    `{type: Limited, limited: {limitResponse: {type: Queue, queuing: ${queuing}}}}`;
  const at = "spec.limited.limitResponse.queuing";
  test.each<[string, string[]]>([
    ["{type: Limited, limited: {nominalConcurrencyShares: 0, limitResponse: {type: Reject}}}", []],
    ["{type: Odd}", ['spec.type: Unsupported value: "Odd": supported values: "Exempt", "Limited"']],
    [
      "{type: Exempt, limited: {limitResponse: {type: Reject}}}",
      [
        `spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`,
        "spec.limited: Forbidden: must be nil if the type is not Limited",
      ],
    ],
    [
      "{type: Limited, exempt: {}}",
      [
        "spec.exempt: Forbidden: must be nil if the type is Limited",
        "spec.limited: Required value: must not be empty when type is Limited",
      ],
    ],
    [
      "{type: Limited, limited: {nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1, limitResponse: {type: Reject, queuing: {}}}}",
      [
        "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
        "spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited",
        "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
        "spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer",
      ],
    ],
    [
      "{type: Limited, limited: {limitResponse: {type: Queue}}}",
      [`${at}: Required value: must not be empty if limited.limitResponse.type is Limited`],
    ],
    [
      "{type: Limited, limited: {limitResponse: {type: Wait}}}",
      [
        'spec.limited.limitResponse.type: Unsupported value: "Wait": supported values: "Queue", "Reject"',
      ],
    ],
    [
      queued("{queueLengthLimit: -1, queues: -1, handSize: -1}"),
      [
        `${at}.queueLengthLimit: Invalid value: -1: must be positive`,
        `${at}.queues: Invalid value: -1: must be positive`,
        `${at}.handSize: Invalid value: -1: must be positive`,
      ],
    ],
    [
      queued("{queues: 10000001, handSize: 3}"),
      [
        `${at}.queues: Invalid value: 10000001: must not be greater than 10000000`,
        `${at}.handSize: Invalid value: 3: required entropy bits of deckSize 10000001 and handSize 3 should not be greater than 60`,
      ],
    ],
    [
      queued("{queues: 4, handSize: 5}"),
      [`${at}.handSize: Invalid value: 5: should not be greater than queues (4)`],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(priorityLevelConfigurationResource, level(spec))).toEqual(expected);
  });

  test("an annotation of an older version", () => {
    const object = level(
      "{type: Limited, limited: {limitResponse: {type: Reject}}}",
      "shop",
      "{flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares: ''}",
    );
    expect(refusalsOf(priorityLevelConfigurationResource, object)).toEqual([
      "metadata.annotations: Forbidden: annotation 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares' is forbidden",
    ]);
  });
});

test("of the mandatory priority levels, only the exempt one's shares may be changed", () => {
  const { exempt, "catch-all": catchAll } = mandatoryPriorityLevels;
  const shares = { ...exempt, exempt: { nominalConcurrencyShares: 7, lendablePercent: 50 } };
  const refusals = (spec: object, name: string) =>
    refusalsOf(priorityLevelConfigurationResource, level(JSON.stringify(spec), name));
  expect(refusals(exempt, "exempt")).toEqual([]);
  expect(refusals(shares, "exempt")).toEqual([]);
  expect(refusals(catchAll, "catch-all")).toEqual([]);
  const more = { ...catchAll, limited: { ...catchAll.limited, nominalConcurrencyShares: 6 } };
  expect(refusals(more, "catch-all")).toEqual([
    expect.stringMatching(/spec of 'catch-all' must equal the fixed value$/),
  ]);
});

test("a condition is there once, and has a type", () => {
  const one = { type: "Dangling", status: "False" };
  const object = {
    ...schema("{priorityLevelConfiguration: {name: l}}"),
    status: { conditions: [one, one, { status: "True" }] },
  };
  expect(refusalsOf(flowSchemaResource, object)).toEqual([
    'status.conditions[1].type: Duplicate value: "Dangling"',
    "status.conditions[2].type: Required value: must not be empty",
  ]);
});

test("rows stand in the order in which requests meet the flow schemas", () => {
  const at = (name: string, precedence: number) =>
    schema(`{matchingPrecedence: ${precedence}, priorityLevelConfiguration: {name: l}}`, name);
  const rows = [at("b", 20), at("a", 20), at("c", 3)].sort(flowSchemaResource.compareRows);
  expect(rows.map(({ metadata }) => metadata.name)).toEqual(["c", "a", "b"]);
});

test("kubectl get shows where requests go, and whether that exists", () => {
  const object = {
    ...schema("{priorityLevelConfiguration: {name: l}, distinguisherMethod: {type: ByUser}}"),
    status: { conditions: [{ type: "Dangling", status: "False" }] },
  };
  const cells = flowSchemaResource.columns.map(({ name, cell }) => [name, cell(object, 0)]);
  expect(cells).toEqual([
    ["Name", "shop"],
    ["PriorityLevel", "l"],
    ["MatchingPrecedence", 1000],
    ["DistinguisherMethod", "ByUser"],
    ["Age", "<unknown>"],
    ["MissingPL", "False"],
  ]);
  const limited = level(
    "{type: Limited, limited: {limitResponse: {type: Queue, queuing: {queues: 9}}}}",
  );
  const shown = priorityLevelConfigurationResource.columns.map(({ cell }) => cell(limited, 0));
  expect(shown).toEqual(["shop", "Limited", 30, 9, 8, 50, "<unknown>"]);
});
