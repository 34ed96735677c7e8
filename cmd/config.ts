import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FAILSAFE_SCHEMA, loadAll } from "js-yaml";
import { type CommandName, type Flag, type FlagKey, type FlagValues, flags } from "./flags.ts";
import { UsageError } from "./usage-error.ts";

/** What was given, as text, by flag name: one text for a plain flag, several for a repeatable one. */
export type GivenFlags = ReadonlyMap<string, readonly string[]>;

/**
 * Every flag's value for a command: the command line wins over the environment (`MINI8S_DATA_DIR`), that over
 * the config file's drop-ins (`config.yaml.d/*.yaml`, the last one wins), those over the config file, as in k3s.
 * A repeatable flag is replaced as a whole, unless the key ends in `+`, which adds to what lies below.
 */
export function resolveFlags(
  command: CommandName,
  given: GivenFlags,
  env: Readonly<Record<string, string | undefined>>,
): FlagValues {
  const fromEnv = readEnv(env);
  const configFile =
    (given.get("config") ?? fromEnv.get("config") ?? [flags.config.defaultValue])[0] ?? "";
  const explicit = given.has("config") || fromEnv.has("config");
  const layers = [...readConfigFiles(configFile, explicit), fromEnv, given];
  const merged = new Map<string, readonly string[]>();
  for (const layer of layers) {
    for (const [name, values] of layer) {
      const adds = name.endsWith("+");
      const main = mainNameOf(adds ? name.slice(0, -1) : name);
      merged.set(main, adds ? [...(merged.get(main) ?? []), ...values] : values);
    }
  }
  return parseAll(command, merged);
}

/** A flag under the one name that all layers are merged by; what is no flag keeps its own. */
function mainNameOf(name: string): string {
  return (Object.values(flags) as Flag[]).find(({ alias }) => alias === name)?.name ?? name;
}

function parseAll(command: CommandName, texts: GivenFlags): FlagValues {
  const values: Partial<Record<FlagKey, unknown>> = {};
  for (const [key, flag] of Object.entries(flags) as [FlagKey, Flag][]) {
    values[key] = flag.repeatable ? [] : flag.defaultValue;
  }
  for (const [name, given] of texts) {
    const key = keyOf(name);
    if (key === undefined) continue;
    const flag: Flag = flags[key];
    // One config file may serve both commands of a machine, as in k3s: what concerns the other is left alone.
    if (!flag.commands.includes(command)) continue;
    const splits = flag.repeatable && flag.takesCommas !== true;
    const items = splits ? given.flatMap((value) => value.split(",")) : given;
    const parsed = items.map((value) => flag.parse(value, flag.name));
    values[key] = flag.repeatable ? parsed : parsed.at(-1);
  }
  return Object.freeze(values) as FlagValues;
}

function keyOf(name: string): FlagKey | undefined {
  return (Object.keys(flags) as FlagKey[]).find((key) => flags[key].name === name);
}

function readEnv(env: Readonly<Record<string, string | undefined>>): GivenFlags {
  const found = new Map<string, readonly string[]>();
  for (const flag of Object.values(flags) as Flag[]) {
    const value = env[`MINI8S_${flag.name.replaceAll("-", "_").toUpperCase()}`];
    if (value !== undefined && value !== "") found.set(flag.name, [value]);
  }
  // k3s's K3S_URL, under our name.
  const joinUrl = env["MINI8S_URL"];
  if (joinUrl !== undefined && joinUrl !== "" && !found.has("join")) found.set("join", [joinUrl]);
  return found;
}

function readConfigFiles(file: string, explicit: boolean): readonly GivenFlags[] {
  const layers: GivenFlags[] = [];
  if (existsSync(file)) layers.push(readConfigFile(file));
  else if (explicit)
    throw new UsageError(`the config file ${file} does not exist: create it or leave --config out`);
  const directory = `${file}.d`;
  if (existsSync(directory)) {
    const names = readdirSync(directory).filter((name) => /\.ya?ml$/.test(name));
    for (const name of names.sort()) layers.push(readConfigFile(join(directory, name)));
  }
  return layers;
}

function readConfigFile(file: string): GivenFlags {
  let document: unknown;
  try {
    // Every value as it is written: a token of digits is no number.
    [document] = loadAll(readFileSync(file, "utf8"), { schema: FAILSAFE_SCHEMA });
  } catch (caught) {
    const why = caught instanceof Error ? caught.message.split("\n")[0] : String(caught);
    throw new UsageError(`the config file ${file} cannot be read: ${why}`, { cause: caught });
  }
  if (document === undefined || document === null) return new Map();
  if (typeof document !== "object" || Array.isArray(document)) {
    throw new UsageError(
      `the config file ${file} must hold flags as keys, like "node-name: shop-1"`,
    );
  }
  const found = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(document)) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (values.some((item) => item === null || typeof item === "object")) {
      throw new UsageError(
        `the config file ${file} gives "${key}" a nested value: use a text or a list of texts`,
      );
    }
    if (keyOf(mainNameOf(key.replace(/\+$/, ""))) === undefined) {
      throw new UsageError(
        `the config file ${file} has the key "${key}", which is no flag: mini8s server --help lists what there is`,
      );
    }
    found.set(key, values.map(String));
  }
  return found;
}
