import { describe, expect, test } from "vitest";
import { createdFromYaml, refusalsOf } from "../../../test/support/decode-yaml.ts";
import { apiServiceResource } from "./apiservice.ts";

const service = (spec: string, name = "v1.a.b") =>
  createdFromYaml(
    apiServiceResource,
    `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: ${name}}, spec: ${spec}}`,
  );
const good = "group: a.b, version: v1, groupPriorityMinimum: 1000, versionPriority: 100";

describe("an APIService is refused for", () => {
  test.each<[string, string[]]>([
    [`{${good}}`, []],
    [
      `{${good}, service: {namespace: ns, name: s}}`,
      [
        "spec.service: Forbidden: this server does not pass requests on to other API servers yet; an APIService with a service is refused rather than ignored",
      ],
    ],
    [
      "{version: v2}",
      [
        'metadata.name: Invalid value: "v1.a.b": must be `spec.version+"."+spec.group`: "v2."',
        "spec.group: Required value: only v1 may have an empty group and it better be legacy kube",
        "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
        "spec.versionPriority: Invalid value: 0: must be positive and less than 1000",
      ],
    ],
    [
      `{${good}, caBundle: YWI=, insecureSkipTLSVerify: true}`,
      [
        'spec.caBundle: Invalid value: "2 bytes": local APIServices may not have a caBundle',
        "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify",
      ],
    ],
    [
      `{${good}, caBundle: YWI=, insecureSkipTLSVerify: true, service: {port: 70000}}`,
      [
        "spec.service.namespace: Required value",
        "spec.service.name: Required value",
        "spec.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
        "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present",
      ],
    ],
  ])("%s", (spec, expected) => {
    expect(refusalsOf(apiServiceResource, service(spec))).toEqual(expected);
  });
});

test("a local APIService is available as soon as it is there", () => {
  const made = service(`{${good}}`);
  expect(made.status.conditions).toMatchObject([
    { type: "Available", status: "True", reason: "Local" },
  ]);
  const cells = (object: typeof made) =>
    apiServiceResource.columns.map(({ cell }) => cell(object, 0));
  expect(cells(made)).toEqual(["v1.a.b", "Local", "True", "<unknown>"]);
  const gone = { type: "Available", status: "False", reason: "MissingEndpoints" };
  const remote = service(`{${good}, service: {namespace: ns, name: s}}`);
  expect(remote.spec.service?.port).toBe(443);
  expect(cells(remote)).toEqual(["v1.a.b", "ns/s", "Unknown", "<unknown>"]);
  expect(cells({ ...remote, status: { conditions: [gone] } })[2]).toBe("False (MissingEndpoints)");
});
