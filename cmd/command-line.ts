import { Command, CommanderError, Option } from "commander";
import { MendableError } from "../pkg/base/mendable-error.ts";
import { type GivenFlags, resolveFlags } from "./config.ts";
import { type CommandName, type Flag, flags } from "./flags.ts";
import { createLogger } from "./logger.ts";
import { mini8sVersion } from "./version.ts";

/** SIGINT and SIGTERM as one signal; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.kill(process.pid, "SIGKILL");
    stop.abort(new Error(`received ${name}`));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return stop.signal;
}

function addFlags(command: Command, name: CommandName): Command {
  for (const flag of Object.values(flags) as Flag[]) {
    if (!flag.commands.includes(name)) continue;
    for (const option of optionsOf(flag)) command.addOption(option);
  }
  return command;
}

function optionsOf(flag: Flag): readonly Option[] {
  const value = flag.placeholder === undefined ? "" : ` <${flag.placeholder}>`;
  const short = flag.shortName === undefined ? "" : `-${flag.shortName}, `;
  const shown = flag.defaultText ?? (flag.defaultValue === false ? undefined : flag.defaultValue);
  const text = shown === undefined ? flag.description : `${flag.description} (default: ${shown})`;
  const collect = (given: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    given,
  ];
  const make = (names: string) => {
    const option = new Option(`${names}${value}`, text);
    return flag.placeholder === undefined ? option : option.argParser(collect);
  };
  const main = make(`${short}--${flag.name}`);
  return flag.alias === undefined ? [main] : [main, make(`--${flag.alias}`).hideHelp()];
}

/** What was given on the command line, as text by flag name: parsing and defaults come later, for all sources alike. */
function givenFlags(command: Command): GivenFlags {
  const given = new Map<string, readonly string[]>();
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (option.name() === "yes") continue;
    if (value === true) given.set(option.name(), ["true"]);
    else if (Array.isArray(value)) given.set(option.name(), value.map(String));
  }
  return given;
}

function program(): Command {
  const root = new Command("mini8s")
    .description("A complete Kubernetes in one executable, for boxes at the edge.")
    .version(`mini8s ${mini8sVersion}`, "-v, --version")
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  const server = root
    .command("server")
    .description("runs the control plane and, unless told otherwise, a node");
  addFlags(server, "server").action(async () => {
    const values = resolveFlags("server", givenFlags(server), process.env);
    const { runServerCommand } = await import("./server.ts");
    await runServerCommand(values, createLogger({ debug: values.debug }), stopSignal());
  });
  const agent = root.command("agent").description("runs a node and joins it to a server");
  addFlags(agent, "agent").action(async () => {
    const values = resolveFlags("agent", givenFlags(agent), process.env);
    const { runAgentCommand } = await import("./agent.ts");
    await runAgentCommand(values, createLogger({ debug: values.debug }), stopSignal());
  });
  const uninstall = root
    .command("uninstall")
    .description("removes mini8s from this machine: containers, network, rules and data");
  addFlags(uninstall, "uninstall")
    .option("-y, --yes", "do not ask")
    .action(async () => {
      const values = resolveFlags("uninstall", givenFlags(uninstall), process.env);
      const { runUninstallCommand } = await import("./uninstall.ts");
      await runUninstallCommand(values, uninstall.getOptionValue("yes") === true, stopSignal());
    });
  const version = root
    .command("version")
    .description("prints the version")
    .action(() => console.log(`mini8s ${mini8sVersion}`));
  for (const command of [server, agent, uninstall, version]) {
    command
      .exitOverride()
      .allowExcessArguments(false)
      .configureOutput({ outputError: () => {} });
  }
  return root;
}

/** The one sentence for the person who ran mini8s; a defect of ours keeps its stack trace. */
function explain(thrown: unknown): string {
  if (thrown instanceof CommanderError) {
    const message = thrown.message
      .replace(/^error: /, "")
      .replaceAll("\n", " ")
      .replace(/\.$/, "");
    return `${message}: mini8s --help shows what there is`;
  }
  if (thrown instanceof MendableError) return thrown.message;
  // What failed first is the reason; that closing failed too is its consequence.
  if (thrown instanceof SuppressedError) return explain(thrown.suppressed);
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

/** Does what the command line says. What only one command needs is loaded when that command runs. */
export async function runCommandLine(): Promise<void> {
  try {
    const root = program();
    if (process.argv.length <= 2) root.outputHelp();
    else await root.parseAsync(process.argv);
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return;
    console.error(`mini8s: ${explain(thrown)}`);
    process.exitCode = 1;
  }
}
