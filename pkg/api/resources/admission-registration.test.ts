import { describe, expect, test } from "vitest";
import { createdFromYaml, refusalsOf } from "../../../test/support/decode-yaml.ts";
import { mutatingAdmissionPolicyResource } from "./mutatingadmissionpolicy.ts";
import { mutatingAdmissionPolicyBindingResource } from "./mutatingadmissionpolicybinding.ts";
import { mutatingWebhookConfigurationResource } from "./mutatingwebhookconfiguration.ts";
import { validatingAdmissionPolicyResource } from "./validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBindingResource } from "./validatingadmissionpolicybinding.ts";
import { validatingWebhookConfigurationResource } from "./validatingwebhookconfiguration.ts";

const head = (kind: string) =>
  `apiVersion: admissionregistration.k8s.io/v1, kind: ${kind}, metadata: {name: a}`;

const notCalled =
  "webhooks: Forbidden: this server does not call admission webhooks yet, so a configuration must have none; it is refused rather than ignored";
const notEnforced =
  "spec: Forbidden: this server does not enforce admission policies yet; a policy is refused rather than ignored";

// ---- webhooks ----------------------------------------------------------------

const hooks = (webhooks: string) =>
  createdFromYaml(
    validatingWebhookConfigurationResource,
    `{${head("ValidatingWebhookConfiguration")}, webhooks: [${webhooks}]}`,
  );
const rule = "{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}";
const hook = (rest: string, client = "{url: 'https://a.b/c'}") =>
  `{name: a.b.c, admissionReviewVersions: [v1], sideEffects: None, clientConfig: ${client}${rest}}`;

test("a webhook that says little fails closed, and waits for ten seconds", () => {
  const client = "{service: {namespace: ns, name: s}}";
  expect(hooks(hook(`, rules: [${rule}]`, client)).webhooks).toMatchObject([
    {
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      rules: [{ scope: "*" }],
      clientConfig: { service: { port: 443 } },
    },
  ]);
  const mutating = createdFromYaml(
    mutatingWebhookConfigurationResource,
    `{${head("MutatingWebhookConfiguration")}, webhooks: [${hook("")}]}`,
  );
  expect(mutating.webhooks).toMatchObject([{ reinvocationPolicy: "Never", timeoutSeconds: 10 }]);
  expect(refusalsOf(mutatingWebhookConfigurationResource, mutating)).toEqual([notCalled]);
});

describe("webhooks are refused for", () => {
  const ruled = (more: string) => hook(`, rules: [${more}]`);
  const at = "webhooks[0]";
  const resources = `${at}.rules[0].resources`;
  test.each<[string, string[]]>([
    ["", []],
    [hook(""), [notCalled]],
    [
      "{name: '', clientConfig: {}}",
      [
        `${at}.name: Required value`,
        `${at}.sideEffects: Required value: must specify one of None, NoneOnDryRun`,
        `${at}.clientConfig: Required value: exactly one of url or service is required`,
        `${at}.admissionReviewVersions: Required value: must specify one of v1, v1beta1`,
      ],
    ],
    [
      hook("").replace("a.b.c", "a.b"),
      [
        `${at}.name: Invalid value: "a.b": should be a domain with at least three segments separated by dots`,
      ],
    ],
    [`${hook("")}, ${hook("")}`, ['webhooks[1].name: Duplicate value: "a.b.c"']],
    [
      hook("").replace("[v1]", "[v2, v2, V3]"),
      [
        `${at}.admissionReviewVersions[1]: Invalid value: "v2": duplicate version`,
        `${at}.admissionReviewVersions[2]: Invalid value: "V3": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
        `${at}.admissionReviewVersions: Invalid value: ["v2","v2","V3"]: must include at least one of v1, v1beta1`,
      ],
    ],
    [
      hook(", failurePolicy: Maybe, matchPolicy: Roughly, timeoutSeconds: 31").replace(
        "None",
        "Some",
      ),
      [
        `${at}.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"`,
        `${at}.matchPolicy: Unsupported value: "Roughly": supported values: "Equivalent", "Exact"`,
        `${at}.sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"`,
        `${at}.timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds`,
      ],
    ],
    [
      hook("", "{url: 'http://u:p@/x?q#f'}"),
      [
        `${at}.clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
        `${at}.clientConfig.url: Invalid value: "": host must be specified; desired format: https://host[/path]`,
        `${at}.clientConfig.url: Invalid value: "u:p": user information is not permitted in the URL`,
        `${at}.clientConfig.url: Invalid value: "f": fragments are not permitted in the URL`,
        `${at}.clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL`,
      ],
    ],
    [
      hook("", "{service: {namespace: '', name: s, port: 70000, path: a//b/}}"),
      [
        `${at}.clientConfig.service.name: Required value`,
        `${at}.clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive`,
        `${at}.clientConfig.service.path: Invalid value: "a//b/": must start with a '/'`,
        `${at}.clientConfig.service.path: Invalid value: "a//b/": segment[0] may not be empty`,
        `${at}.clientConfig.service.path: Invalid value: "a//b/": segment[1] may not be empty`,
      ],
    ],
    [
      ruled("{}"),
      ["operations", "apiGroups", "apiVersions", "resources"].map(
        (field) => `${at}.rules[0].${field}: Required value`,
      ),
    ],
    [
      ruled(
        "{operations: ['*', READ], apiGroups: ['*', a], apiVersions: ['*', ''], resources: ['*', pods], scope: All}",
      ),
      [
        `${at}.rules[0].operations: Invalid value: ["*","READ"]: if '*' is present, must not specify other operations`,
        `${at}.rules[0].operations[1]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"`,
        `${at}.rules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other API groups`,
        `${at}.rules[0].apiVersions: Invalid value: ["*",""]: if '*' is present, must not specify other API versions`,
        `${at}.rules[0].apiVersions[1]: Required value`,
        `${resources}: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`,
        `${at}.rules[0].scope: Unsupported value: "All": supported values: "*", "Cluster", "Namespaced"`,
      ],
    ],
    [
      ruled(rule.replace("[pods]", "['pods/*', pods/log, '*/scale', a/scale, '*/*', '']")),
      [
        `${resources}[1]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log`,
        `${resources}[3]: Invalid value: "a/scale": if '*/scale' is present, must not specify a/scale`,
        `${resources}[5]: Required value`,
        `${resources}: Invalid value: ["pods/*","pods/log","*/scale","a/scale","*/*",""]: if '*/*' is present, must not specify other resources`,
      ],
    ],
    [
      hook(
        ", matchConditions: [{name: a, expression: ' '}, {name: a, expression: x}, {name: '', expression: x}]",
      ),
      [
        `${at}.matchConditions[0].expression: Required value`,
        `${at}.matchConditions[1].name: Duplicate value: "a"`,
        `${at}.matchConditions[2].name: Required value`,
      ],
    ],
  ])("%s", (webhooks, expected) => {
    expect(refusalsOf(validatingWebhookConfigurationResource, hooks(webhooks))).toEqual(expected);
  });
});

test("kubectl get counts webhooks; their changes count as a new generation", () => {
  const [none, one] = [hooks(""), hooks(hook(""))];
  const { columns, generationChanged } = validatingWebhookConfigurationResource;
  expect(columns.map(({ cell }) => cell(one, 0))).toEqual(["a", 1, "<unknown>"]);
  expect(generationChanged?.(one, none)).toBe(true);
  expect(generationChanged?.(one, one)).toBe(false);
});

// ---- policies ----------------------------------------------------------------

const matching = `matchConstraints: {resourceRules: [${rule}]}`;
const policy = (spec: string) =>
  createdFromYaml(
    validatingAdmissionPolicyResource,
    `{${head("ValidatingAdmissionPolicy")}, spec: {${spec}}}`,
  );

describe("a ValidatingAdmissionPolicy is refused for", () => {
  test.each<[string, string[]]>([
    [`${matching}, validations: [{expression: 'true'}]`, [notEnforced]],
    [
      "failurePolicy: Maybe",
      [
        'spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
        "spec.matchConstraints: Required value",
        "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
        "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
      ],
    ],
    [
      "matchConstraints: {}, validations: [{expression: x}]",
      ["spec.matchConstraints.resourceRules: Required value"],
    ],
    [
      `${matching}, paramKind: {apiVersion: a/b/c, kind: 1Kind}, validations: [{expression: x}]`,
      [
        'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        `spec.paramKind.kind: Invalid value: "1Kind": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
      ],
    ],
    [
      `${matching}, variables: [{name: 'in', expression: x}, {name: '', expression: ''}], validations: [{expression: '', message: "a\\nb", messageExpression: ' ', reason: Why}]`,
      [
        'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier',
        "spec.variables[1].name: Required value: name is not specified",
        "spec.variables[1].expression: Required value: expression is not specified",
        "spec.validations[0].expression: Required value: expression is not specified",
        'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
        'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
        'spec.validations[0].reason: Unsupported value: "Why": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      ],
    ],
    [
      `${matching}, auditAnnotations: [{key: k, valueExpression: x}, {key: k, valueExpression: ' '}]`,
      [
        "spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified",
        'spec.auditAnnotations[1].key: Duplicate value: "k"',
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(validatingAdmissionPolicyResource, policy(spec))).toEqual(expected);
  });

  test("and shows its parameters", () => {
    const shown = policy(
      "paramKind: {apiVersion: a.b/v1, kind: K}, validations: [{expression: x}]",
    );
    expect(shown.spec.failurePolicy).toBe("Fail");
    const { columns } = validatingAdmissionPolicyResource;
    expect(columns.map(({ cell }) => cell(shown, 0))).toEqual(["a", 1, "a.b/v1/K", "<unknown>"]);
  });
});

describe("a MutatingAdmissionPolicy is refused for", () => {
  const mutating = (spec: string) =>
    createdFromYaml(
      mutatingAdmissionPolicyResource,
      `{${head("MutatingAdmissionPolicy")}, spec: {${spec}}}`,
    );
  test.each<[string, string[]]>([
    [
      `${matching}, reinvocationPolicy: Never, mutations: [{patchType: JSONPatch, jsonPatch: {expression: x}}]`,
      [notEnforced],
    ],
    [
      matching.replace("CREATE", "DELETE"),
      [
        'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "CREATE", "UPDATE"',
        "spec.mutations: Required value: mutations must contain at least one item",
        "spec.reinvocationPolicy: Required value",
      ],
    ],
    [
      `${matching}, reinvocationPolicy: Often, mutations: [{patchType: Magic}, {patchType: JSONPatch, applyConfiguration: {expression: x}}, {patchType: ApplyConfiguration, applyConfiguration: {}}]`,
      [
        'spec.mutations[0].patchType: Unsupported value: "Magic": supported values: "ApplyConfiguration", "JSONPatch"',
        "spec.mutations[1].jsonPatch: Required value: must be specified when patchType is JSONPatch",
        'spec.mutations[1].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
        "spec.mutations[2].applyConfiguration.expression: Required value",
        'spec.reinvocationPolicy: Unsupported value: "Often": supported values: "IfNeeded", "Never"',
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(mutatingAdmissionPolicyResource, mutating(spec))).toEqual(expected);
  });
});

const binding = (spec: string) =>
  createdFromYaml(
    validatingAdmissionPolicyBindingResource,
    `{${head("ValidatingAdmissionPolicyBinding")}, spec: {${spec}}}`,
  );

describe("the binding of a policy, which has no effect without it, is refused for", () => {
  test.each<[string, string[]]>([
    ["policyName: p, validationActions: [Deny]", []],
    [
      "validationActions: []",
      [
        "spec.policyName: Required value",
        "spec.validationActions: Required value: at least one validation action is required",
      ],
    ],
    [
      "policyName: p, validationActions: [Deny, Warn, Warn, Shout]",
      [
        'spec.validationActions[2]: Duplicate value: "Warn"',
        'spec.validationActions[3]: Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"',
        'spec.validationActions: Invalid value: ["Deny","Warn","Warn","Shout"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ],
    ],
    [
      "policyName: p, validationActions: [Deny], paramRef: {name: a/b, selector: {}}, matchResources: {matchPolicy: Roughly}",
      [
        `spec.paramRef.name: Invalid value: "a/b": may not contain '/'`,
        "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
        "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
        "spec.paramRef.parameterNotFoundAction: Required value",
        'spec.matchResouces.matchPolicy: Unsupported value: "Roughly": supported values: "Equivalent", "Exact"',
      ],
    ],
    [
      "policyName: p, validationActions: [Deny], paramRef: {parameterNotFoundAction: Shrug}",
      [
        "spec.paramRef: Required value: one of name or selector must be specified",
        'spec.paramRef.parameterNotFoundAction: Unsupported value: "Shrug": supported values: "Deny", "Allow"',
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(validatingAdmissionPolicyBindingResource, binding(spec))).toEqual(expected);
  });

  test("deletions, where it would mutate them", () => {
    const object = createdFromYaml(
      mutatingAdmissionPolicyBindingResource,
      `{${head("MutatingAdmissionPolicyBinding")}, spec: {policyName: p, matchResources: {resourceRules: [${rule.replace("CREATE", "DELETE")}]}}}`,
    );
    expect(refusalsOf(mutatingAdmissionPolicyBindingResource, object)).toEqual([
      'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "CREATE", "UPDATE"',
    ]);
  });

  test.each([
    ["", "<unset>"],
    ["name: nn", "*/nn"],
    ["name: nn, namespace: ns", "ns/nn"],
    [
      "selector: {matchLabels: {b: c, a: d}, matchExpressions: [{key: k, operator: In, values: [v, w]}]}",
      "&LabelSelector{MatchLabels:map[string]string{a: d,b: c,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[v w],},},}",
    ],
  ])("and kubectl get shows the parameters {%s}", (reference, expected) => {
    const shown = binding(`policyName: p${reference === "" ? "" : `, paramRef: {${reference}}`}`);
    const cells = validatingAdmissionPolicyBindingResource.columns.map(({ cell }) =>
      cell(shown, 0),
    );
    expect(cells).toEqual(["a", "p", expected, "<unknown>"]);
  });
});
