import type { Exchange } from "./exchange.ts";
import type { PathHandler } from "./path-handler.ts";
import { replyJson } from "./reply.ts";

/** What the API says it is: Kubernetes, as far as any client can tell. */
export const kubernetesVersion = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.4+mini8s1",
} as const;

/** `/version`, also with a slash behind it. */
export function versionPaths(build: {
  readonly gitCommit: string;
  readonly buildDate: string;
}): readonly PathHandler[] {
  const platform = `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`;
  const handle = (exchange: Exchange) =>
    replyJson(exchange, 200, {
      ...kubernetesVersion,
      emulationMajor: kubernetesVersion.major,
      emulationMinor: kubernetesVersion.minor,
      minCompatibilityMajor: kubernetesVersion.major,
      minCompatibilityMinor: "35",
      gitCommit: build.gitCommit,
      gitTreeState: "clean",
      buildDate: build.buildDate,
      goVersion: `node${process.versions.node}`,
      compiler: "v8",
      platform,
    });
  return ["/version", "/version/"].map((path) => ({ path, handle }));
}
