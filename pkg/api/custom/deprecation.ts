import { compareVersions } from "../version-order.ts";
import type {
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from "./definition.ts";

/** What users of a deprecated version are told with each answer; undefined where it is none. */
export function deprecationWarningOf(
  { group, names, versions }: CustomResourceDefinitionSpec,
  version: CustomResourceDefinitionVersion,
): string | undefined {
  if (version.deprecated !== true) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const message = `${group}/${version.name} ${names.kind} is deprecated`;
  const [newest] = versions
    .filter(({ served, deprecated }) => served && deprecated !== true)
    .map(({ name }) => name)
    .filter((name) => compareVersions(name, version.name) < 0)
    .sort(compareVersions);
  return newest === undefined ? message : `${message}; use ${group}/${newest} ${names.kind}`;
}
