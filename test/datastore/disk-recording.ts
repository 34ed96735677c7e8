import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { runCommand } from "../support/run-command.ts";

/** What a process did to the files of a directory, each by its name in it; the directory itself is "". */
export type DiskOperation =
  | { readonly type: "make" | "sync" | "remove"; readonly file: string }
  | { readonly type: "rename"; readonly file: string; readonly to: string }
  | { readonly type: "write"; readonly file: string; readonly at: number; readonly bytes: Buffer }
  | { readonly type: "truncate"; readonly file: string; readonly length: number };

const calls = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename";

/** All that `command` does to `files` of `directory`, in the order in which the kernel was asked for it. */
export async function recordDisk(
  directory: string,
  files: readonly string[],
  command: readonly string[],
): Promise<readonly DiskOperation[]> {
  mkdirSync(directory, { recursive: true });
  const log = `${directory}.trace`;
  const paths = [directory, ...files.map((file) => join(directory, file))];
  await runCommand("strace", [
    ...["-f", "-y", "-xx", "-s", "1000000", "-e", `trace=${calls}`, "-e", "signal=none", "-o", log],
    ...paths.flatMap((path) => ["-P", path]),
    ...command,
  ]);
  const operations = parseTrace(readFileSync(log, "latin1"), directory);
  rmSync(log);
  return operations;
}

const call = /^(\w+)\((.*)\)\s+= (-?\d+)/;
const descriptor = /^\d+<([^>]*)>(?:, )?(.*)$/;

function parseTrace(trace: string, directory: string): DiskOperation[] {
  const operations: DiskOperation[] = [];
  const appended = new Map<string, number>();
  const made = new Set<string>();
  for (const { name, args, failed } of callsOf(trace)) {
    if (failed) continue;
    if (name === "openat" || name === "unlink") {
      const path = decoded(/"([^"]*)"/.exec(args)?.[1] ?? "").toString();
      const file = nameIn(directory, path);
      if (name === "unlink") {
        operations.push({ type: "remove", file });
        made.delete(file);
      } else if (args.includes("O_CREAT") && !made.has(file)) {
        operations.push({ type: "make", file });
        made.add(file);
      }
      continue;
    }
    if (name === "rename") {
      const [from = "", to = ""] = [...args.matchAll(/"([^"]*)"/g)].map(([, path = ""]) =>
        nameIn(directory, decoded(path).toString()),
      );
      operations.push({ type: "rename", file: from, to });
      made.delete(from);
      made.add(to);
      continue;
    }
    const [, hexPath = "", rest = ""] = descriptor.exec(args) ?? [];
    const file = nameIn(directory, decoded(hexPath).toString());
    if (name === "fsync" || name === "fdatasync") operations.push({ type: "sync", file });
    else if (name === "ftruncate")
      operations.push({ type: "truncate", file, length: Number(rest) });
    else {
      const [, text = "", , offset] = /^"([^"]*)", (\d+)(?:, (\d+))?$/.exec(rest) ?? [];
      const bytes = decoded(text);
      const at = offset === undefined ? (appended.get(file) ?? 0) : Number(offset);
      appended.set(file, at + bytes.length);
      operations.push({ type: "write", file, at, bytes });
    }
  }
  return operations;
}

/** Calls that were interrupted in the log by those of another thread are put together, where they ended. */
function* callsOf(
  trace: string,
): Generator<{ readonly name: string; readonly args: string; readonly failed: boolean }> {
  const begun = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const space = line.indexOf(" ");
    const thread = line.slice(0, space);
    let text = line.slice(space).trim();
    if (text.endsWith("<unfinished ...>")) {
      begun.set(thread, text.slice(0, -"<unfinished ...>".length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    if (resumed !== null) text = `${begun.get(thread)?.trimEnd()}${resumed[1]}`;
    const [, name, args, result] = call.exec(text) ?? [];
    if (name !== undefined && args !== undefined) yield { name, args, failed: Number(result) < 0 };
  }
}

function decoded(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}

function nameIn(directory: string, path: string): string {
  return path === directory ? "" : basename(path);
}
