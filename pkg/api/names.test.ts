import { describe, expect, test } from "vitest";
import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkEnvironmentName,
  checkLabelValue,
  checkPathSegment,
  checkPortName,
  checkQualifiedName,
  type TextCheck,
} from "./names.ts";

describe("names are accepted and refused as Kubernetes does", () => {
  test.each<[string, TextCheck, string, readonly string[]]>([
    ["label", checkDnsLabel, "a-1", []],
    ["label", checkDnsLabel, "a.b", ["must not contain dots"]],
    ["label", checkDnsLabel, "x".repeat(64), ["must be no more than 63 bytes"]],
    [
      "label",
      checkDnsLabel,
      "A",
      [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    ["subdomain", checkDnsSubdomain, "a.b-c.d1", []],
    [
      "subdomain",
      checkDnsSubdomain,
      "a..b",
      [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    ["service", checkDns1035Label, "a1", []],
    ["qualified", checkQualifiedName, "example.com/A_b.c", []],
    [
      "qualified",
      checkQualifiedName,
      "a/",
      [
        "name part must be non-empty",
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
    ["value", checkLabelValue, "", []],
    ["value", checkLabelValue, "x".repeat(64), ["must be no more than 63 bytes"]],
    ["path", checkPathSegment, "system:node", []],
    ["path", checkPathSegment, "a/b%", ["may not contain '/'", "may not contain '%'"]],
    ["port", checkPortName, "http-1", []],
    [
      "port",
      checkPortName,
      "1--2",
      ["must contain at least one letter (a-z)", "must not contain consecutive hyphens"],
    ],
    ["environment", checkEnvironmentName, "my.env name", []],
    [
      "environment",
      checkEnvironmentName,
      "a=b",
      [
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ],
    ],
  ])("%s %#", (_, check, value, problems) => {
    expect(check(value)).toEqual(problems);
  });

  test("a service's name starts with a letter", () => {
    expect(checkDns1035Label("1a")[0]).toMatch(/^a DNS-1035 label must consist of/);
  });
});
