import { kubernetesVersion as served } from "../pkg/server/apiserver/version.ts";

/** The Kubernetes that nodes say they run: the one whose API is served. */
export const kubernetesVersion: string = served.gitVersion;
