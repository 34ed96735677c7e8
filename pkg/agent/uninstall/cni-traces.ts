import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Commands } from "../host/exec.ts";
import { isErrno, readFileIfThere } from "../host/files.ts";

/** Where the CNI library keeps what each attachment was given: one folder for all of the machine's runtimes. */
const resultsFolder = "/var/lib/cni/results";
const namespacesFolder = "/run/netns";

/** What CNI keeps outside our data-dir about one attachment of one sandbox. */
export interface CniTrace {
  readonly file: string;
  readonly containerId: string;
  /** The network whose range is ours; the sandbox's loopback has a trace of its own. */
  readonly ours: boolean;
  /** The sandbox's network namespace in /run/netns; undefined where the result does not name it. */
  readonly namespace: string | undefined;
}

/** Reads one file of the cache; undefined for what is none. `ipamDir` tells our network from others of its name. */
export function readCniTrace(file: string, text: string, ipamDir: string): CniTrace | undefined {
  try {
    const { containerId, config, result } = JSON.parse(text) as {
      readonly containerId?: string;
      readonly config?: string;
      readonly result?: { readonly interfaces?: readonly { readonly sandbox?: string }[] };
    };
    if (containerId === undefined || config === undefined) return undefined;
    const path = result?.interfaces?.find(({ sandbox }) => sandbox !== undefined)?.sandbox;
    return {
      file,
      containerId,
      ours: Buffer.from(config, "base64").toString("utf8").includes(JSON.stringify(ipamDir)),
      namespace: path === undefined || path === "" ? undefined : basename(path),
    };
  } catch {
    // Cut short by a lost plug, or another tool's.
    return undefined;
  }
}

/** The traces of all sandboxes that were given an address out of `ipamDir`. */
export async function findCniTraces(ipamDir: string): Promise<readonly CniTrace[]> {
  const all = await Promise.all(
    (await filesIn(resultsFolder)).map(async (name) => {
      const file = join(resultsFolder, name);
      return readCniTrace(file, (await readFileIfThere(file)) ?? "", ipamDir);
    }),
  );
  const traces = all.filter((trace) => trace !== undefined);
  const sandboxes = new Set(
    traces.filter(({ ours }) => ours).map(({ containerId }) => containerId),
  );
  return traces.filter(({ containerId }) => sandboxes.has(containerId));
}

/** Takes away the cached results and the network namespaces; a namespace takes its links along. */
export async function removeCniTraces(
  commands: Commands,
  traces: readonly CniTrace[],
): Promise<void> {
  const there = new Set(await filesIn(namespacesFolder));
  for (const name of new Set(traces.map(({ namespace }) => namespace))) {
    if (name !== undefined && there.has(name)) await commands.attempt("ip", ["netns", "del", name]);
  }
  for (const { file } of traces) await rm(file, { force: true });
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (caught) {
    if (isErrno(caught, "ENOENT")) return [];
    throw caught;
  }
}
