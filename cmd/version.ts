import packageJson from "../package.json" with { type: "json" };

/** The version of mini8s itself. */
export const mini8sVersion: string = packageJson.version;
