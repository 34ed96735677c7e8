import { checkDnsLabel, checkDnsSubdomain } from "../../../../api/names.ts";
import {
  type LevelVersion,
  type Policy,
  parseLevel,
  parseVersion,
  privilegedPolicy,
} from "./policy.ts";

/** What upstream's `PodSecurityConfiguration` says: what holds without labels, and whom nothing of it concerns. */
export interface PodSecurityConfiguration {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly runtimeClasses: readonly string[];
    readonly namespaces: readonly string[];
  };
}

export const defaultConfiguration: PodSecurityConfiguration = {
  defaults: privilegedPolicy,
  exemptions: { usernames: [], runtimeClasses: [], namespaces: [] },
};

type Fields = Readonly<Record<string, unknown>>;

/** Reads it as a file says it; throws an Error that names all that is wrong. */
export function readPodSecurityConfiguration(value: unknown): PodSecurityConfiguration {
  const problems: string[] = [];
  const { defaults = {}, exemptions = {} } = (value ?? {}) as Fields;
  const mode = (name: keyof Policy): LevelVersion => {
    const said = defaults as Fields;
    const level = said[name] ?? "privileged";
    const version = said[`${name}-version`] ?? "latest";
    const parsed = { level: parseLevel(String(level)), minor: parseVersion(String(version)) };
    if (parsed.level === undefined) {
      problems.push(
        `defaults.${name}: Invalid value: ${JSON.stringify(level)}: must be one of privileged, baseline, restricted`,
      );
    }
    if (parsed.minor === undefined) {
      problems.push(
        `defaults.${name}-version: Invalid value: ${JSON.stringify(version)}: must be "latest" or "v1.x"`,
      );
    }
    return { level: parsed.level ?? "restricted", minor: parsed.minor ?? "latest" };
  };
  const list = (name: string, check: (text: string) => readonly string[]): readonly string[] => {
    const items = (exemptions as Fields)[name] ?? [];
    if (!Array.isArray(items)) {
      problems.push(`exemptions.${name}: Invalid value: ${JSON.stringify(items)}: must be a list`);
      return [];
    }
    const texts = items.map(String);
    texts.forEach((text, index) => {
      const path = `exemptions.${name}[${index}]`;
      const wrong = check(text);
      if (wrong.length > 0) {
        problems.push(`${path}: Invalid value: ${JSON.stringify(text)}: ${wrong.join(", ")}`);
      } else if (texts.indexOf(text) < index) {
        problems.push(`${path}: Duplicate value: ${JSON.stringify(text)}`);
      }
    });
    return texts;
  };
  const configuration = {
    defaults: { enforce: mode("enforce"), audit: mode("audit"), warn: mode("warn") },
    exemptions: {
      namespaces: list("namespaces", checkDnsLabel),
      runtimeClasses: list("runtimeClasses", checkDnsSubdomain),
      usernames: list("usernames", (name) => (name === "" ? ["username must not be empty"] : [])),
    },
  };
  if (problems.length > 0) throw new Error(problems.join("; "));
  return configuration;
}
