import { resolveFlags } from "../cmd/config.ts";
import type { FlagValues } from "../cmd/flags.ts";

/** What the npm scripts must know of the flags they are given: with config file and environment, as mini8s reads them. */
export function readFlags(given: readonly string[]): FlagValues {
  const found = new Map<string, readonly string[]>();
  for (const [names, name] of [
    [["--config", "-c"], "config"],
    [["--data-dir", "-d"], "data-dir"],
    [["--write-kubeconfig", "-o"], "write-kubeconfig"],
  ] as const) {
    const value = optionOf(given, names);
    if (value !== undefined) found.set(name, [value]);
  }
  if (given.includes("--disable-agent")) found.set("disable-agent", ["true"]);
  return resolveFlags("server", found, process.env);
}

/** The value of a flag in `--name value` or `--name=value` form. */
function optionOf(flags: readonly string[], names: readonly string[]): string | undefined {
  for (const [index, flag] of flags.entries()) {
    if (names.includes(flag)) return flags[index + 1];
    const name = names.find((candidate) => flag.startsWith(`${candidate}=`));
    if (name !== undefined) return flag.slice(name.length + 1);
  }
  return undefined;
}
