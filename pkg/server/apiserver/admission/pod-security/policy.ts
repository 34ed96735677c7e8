import { invalid } from "../../../../api/field-error.ts";
import type { FieldError } from "../../../../api/resource.ts";

const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

/** What a mode of a namespace asks for: a level, as it was said to be in a version of Kubernetes. */
export interface LevelVersion {
  readonly level: Level;
  /** 22 for v1.22; whatever is newer than any check is the same as latest. */
  readonly minor: number | "latest";
}

/** What a namespace does about pods: refuse, note in the audit log, warn. */
export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export const labelPrefix = "pod-security.kubernetes.io/";
const privileged: LevelVersion = { level: "privileged", minor: "latest" };

/** What holds where a namespace says nothing. */
export const privilegedPolicy: Policy = {
  enforce: privileged,
  audit: privileged,
  warn: privileged,
};

/** `restricted:latest`, `baseline:v1.30` */
export function printLevelVersion({ level, minor }: LevelVersion): string {
  return `${level}:${minor === "latest" ? minor : `v1.${minor}`}`;
}

export function sameLevelVersion(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.minor === b.minor;
}

/** Negative, zero or positive, as `a` is less strict than, as strict as or stricter than `b`. */
export function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b);
}

export function isFullyPrivileged({ enforce, audit, warn }: Policy): boolean {
  return [enforce, audit, warn].every(({ level }) => level === "privileged");
}

/** True where both ask for the same; of what is privileged, the version says nothing. */
export function isEquivalent(a: Policy, b: Policy): boolean {
  return (["enforce", "audit", "warn"] as const).every(
    (mode) =>
      (a[mode].level === "privileged" && b[mode].level === "privileged") ||
      sameLevelVersion(a[mode], b[mode]),
  );
}

/** The policy that a namespace's labels ask for, and what is wrong with them; there is a policy in any case. */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy,
): { readonly policy: Policy; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = [];
  const text = (name: string): string | undefined => labels?.[`${labelPrefix}${name}`];
  const refuse = (name: string, value: string, detail: string): void => {
    errors.push(invalid(`metadata.labels[${labelPrefix}${name}]`, value, detail));
  };
  const levelFrom = (name: string, otherwise: Level, wrong: Level): Level => {
    const value = text(name);
    if (value === undefined) return otherwise;
    const level = parseLevel(value);
    if (level === undefined) refuse(name, value, `must be one of ${levels.join(", ")}`);
    return level ?? wrong;
  };
  const versionFrom = (name: string, otherwise: number | "latest"): number | "latest" => {
    const value = text(name);
    if (value === undefined) return otherwise;
    const minor = parseVersion(value);
    if (minor === undefined) refuse(name, value, 'must be "latest" or "v1.x"');
    return minor ?? "latest";
  };
  // A mistyped level that refuses is taken for the strictest, one that only tells is taken for none.
  const mode = (name: keyof Policy, wrong: Level): LevelVersion => ({
    level: levelFrom(name, defaults[name].level, wrong),
    minor: versionFrom(`${name}-version`, defaults[name].minor),
  });
  const enforce = mode("enforce", "restricted");
  const audit = mode("audit", "privileged");
  const warn = mode("warn", "privileged");
  return { policy: { enforce, audit, warn: warningBeside(enforce, warn, text) }, errors };
}

/** Where nothing is said of warnings, what is enforced is warned of, too: workloads are not refused for it. */
function warningBeside(
  enforce: LevelVersion,
  warn: LevelVersion,
  text: (name: string) => string | undefined,
): LevelVersion {
  const asked = text("enforce");
  if (text("warn") !== undefined || asked === undefined || parseLevel(asked) === undefined) {
    return warn;
  }
  if (compareLevels(enforce.level, warn.level) <= 0) return warn;
  return {
    level: enforce.level,
    minor: text("warn-version") === undefined ? enforce.minor : warn.minor,
  };
}

export function parseLevel(text: string): Level | undefined {
  return levels.find((level) => level === text);
}

export function parseVersion(text: string): number | "latest" | undefined {
  if (text === "latest") return text;
  const digits = /^v1\.(0|[1-9][0-9]*)$/.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const minor = Number(digits);
  return Number.isSafeInteger(minor) ? minor : undefined;
}
