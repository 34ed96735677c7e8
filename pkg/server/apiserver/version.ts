import type { PathHandler } from "./path-handler.ts";
import { replyJson } from "./reply.ts";

/** What the API says it is: Kubernetes, as far as any client can tell. */
export const kubernetesVersion = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.4+mini8s1",
} as const;

/** `/version`. */
export function versionPath(build: {
  readonly gitCommit: string;
  readonly buildDate: string;
}): PathHandler {
  const platform = `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`;
  return {
    path: "/version",
    handle: (exchange) =>
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
      }),
  };
}
