import { parseYaml } from "../../../api/codec/yaml.ts";
import type { PodSecurityConfiguration } from "./pod-security/configuration.ts";
import { readPodSecurityConfiguration } from "./pod-security/configuration.ts";
import { type LimitedResource, readLimitedResources } from "./quota/configuration.ts";

/** What kube-apiserver's `--admission-control-config-file`, `--enable-` and `--disable-admission-plugins` say of admission. */
export interface AdmissionConfiguration {
  readonly podSecurity?: PodSecurityConfiguration;
  /** What a namespace may have only where a quota of its own says so. */
  readonly limitedResources?: readonly LimitedResource[];
  /** Of `admissionPlugins`, those that do not run; and those that do though they would not by themselves. */
  readonly disabled?: ReadonlySet<string>;
  readonly enabled?: ReadonlySet<string>;
}

/** The rules that are known by kube-apiserver's names, in the order in which they run. */
export const admissionPlugins: readonly string[] = [
  "NamespaceLifecycle",
  "LimitRanger",
  "ServiceAccount",
  "NodeRestriction",
  "TaintNodesByCondition",
  "PodSecurity",
  "Priority",
  "DefaultTolerationSeconds",
  "DefaultStorageClass",
  "StorageObjectInUseProtection",
  "OwnerReferencesPermissionEnforcement",
  "PersistentVolumeClaimResize",
  "RuntimeClass",
  "CertificateApproval",
  "CertificateSigning",
  "CertificateSubjectRestriction",
  "DefaultIngressClass",
  "PodTopologyLabels",
  "ResourceQuota",
];

/** Not on by themselves, as upstream: operators that may not set finalizers on what they own count on it. */
const offByDefault: ReadonlySet<string> = new Set(["OwnerReferencesPermissionEnforcement"]);

/** Whether a rule runs. One that is both enabled and disabled is enabled, as with kube-apiserver. */
export function isPluginOn(
  name: string,
  { disabled, enabled }: Pick<AdmissionConfiguration, "disabled" | "enabled">,
): boolean {
  if (enabled?.has(name) === true) return true;
  return disabled?.has(name) !== true && !offByDefault.has(name);
}

const apiVersions = ["apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1"];

/**
 * Reads an `AdmissionConfiguration`; throws an Error that names what cannot be read. A plugin's own part lies in it,
 * or in the file that its `path` names: `readFile` is given it as it stands there.
 */
export function readAdmissionConfiguration(
  text: string,
  readFile: (path: string) => string,
): AdmissionConfiguration {
  const document = objectIn(parseYaml(text).value, "the file");
  const { apiVersion, kind, plugins = [] } = document;
  if (!apiVersions.includes(String(apiVersion)) || kind !== "AdmissionConfiguration") {
    throw new Error(
      `is of kind ${String(kind)} in ${String(apiVersion)}: use AdmissionConfiguration in ${apiVersions[0]}`,
    );
  }
  if (!Array.isArray(plugins)) throw new Error("plugins is no list");
  let read: AdmissionConfiguration = {};
  for (const [index, each] of plugins.entries()) {
    const { name, path, configuration } = objectIn(each, `plugins[${index}]`);
    const isElsewhere = typeof path === "string" && path !== "";
    const own = isElsewhere ? parseYaml(readFile(path)).value : configuration;
    switch (name) {
      case "PodSecurity":
        read = { ...read, podSecurity: readPodSecurityConfiguration(own) };
        break;
      case "ResourceQuota":
        read = { ...read, limitedResources: readLimitedResources(own) };
        break;
      default:
        throw new Error(
          `plugins[${index}] is ${String(name)}: only PodSecurity and ResourceQuota are configured here`,
        );
    }
  }
  return read;
}

function objectIn(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new Error(`${what} is no object`);
}
