import { readFile } from "node:fs/promises";
import type { FlagValues } from "./flags.ts";
import { UsageError } from "./usage-error.ts";

/** `--token`, or what `--token-file` holds; undefined where neither was given. */
export async function readGivenToken(flags: FlagValues): Promise<string | undefined> {
  if (flags.token !== undefined || flags.tokenFile === undefined) return flags.token;
  try {
    return (await readFile(flags.tokenFile, "utf8")).trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--token-file cannot be read: ${why}`, { cause });
  }
}
