import { expect, test } from "vitest";
import { readAdmissionConfiguration } from "./admission-configuration.ts";

const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n";
const podSecurity = `apiVersion: pod-security.admission.config.k8s.io/v1
kind: PodSecurityConfiguration
defaults: {enforce: baseline, enforce-version: v1.30, warn: restricted}
exemptions: {usernames: [root], runtimeClasses: [kata], namespaces: [kube-system]}
`;
const expected = {
  podSecurity: {
    defaults: {
      enforce: { level: "baseline", minor: 30 },
      audit: { level: "privileged", minor: "latest" },
      warn: { level: "restricted", minor: "latest" },
    },
    exemptions: { usernames: ["root"], runtimeClasses: ["kata"], namespaces: ["kube-system"] },
  },
};

test("what holds without labels and who is exempt lies in the file, or in another that it names", () => {
  const indented = podSecurity.replaceAll(/^/gm, "    ");
  const within = `${head}plugins:\n- name: PodSecurity\n  configuration:\n${indented}`;
  const refuse = () => {
    throw new Error("no other file");
  };
  expect(readAdmissionConfiguration(within, refuse)).toEqual(expected);
  const beside = `${head}plugins: [{name: PodSecurity, path: ps.yaml}]`;
  expect(
    readAdmissionConfiguration(beside, (path) => (path === "ps.yaml" ? podSecurity : "")),
  ).toEqual(expected);
  expect(readAdmissionConfiguration(head, refuse)).toEqual({});
});

test.each([
  [
    "kind: Pod\napiVersion: v1",
    "is of kind Pod in v1: use AdmissionConfiguration in apiserver.config.k8s.io/v1",
  ],
  [
    `${head}plugins: [{name: EventRateLimit}]`,
    "plugins[0] is EventRateLimit: only PodSecurity and ResourceQuota are configured here",
  ],
  [
    `${head}plugins: [{name: PodSecurity, configuration: {defaults: {enforce: strict, warn-version: "1.2"}, exemptions: {namespaces: [A_, b, b], usernames: [""]}}}]`,
    'defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted; defaults.warn-version: Invalid value: "1.2": must be "latest" or "v1.x"; exemptions.namespaces[0]: Invalid value: "A_"',
  ],
])("what cannot be read is named: %#", (text, why) => {
  expect(() => readAdmissionConfiguration(text, () => "")).toThrow(why);
});
