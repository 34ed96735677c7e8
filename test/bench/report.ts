import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { type Figure, renderTable } from "./figure.ts";

const page = join(import.meta.dirname, "../../docs/performance.md");
const begin = "<!-- figures: written by npm run bench -- --write -->";
const end = "<!-- end of figures -->";

/** How many others wanted the cores before the bench did: its figures are to be read with it. */
const loadBefore = loadavg()[0] ?? 0;

/** Puts the rows, and the machine they were measured on, between the page's markers; rows of other sections stay. */
export async function writeReport(figures: readonly Figure[]): Promise<void> {
  const text = await readFile(page, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has lost its markers: ${begin} … ${end}`);
  const table = mergeRows(text.slice(from, to), renderTable(figures));
  const written = `${begin}\n\n${machine()}\n\n${table}\n\n`;
  await writeFile(page, text.slice(0, from) + written + text.slice(to));
}

/** The measured table's rows in the places of those of the same name, new ones at the end. */
export function mergeRows(before: string, measured: string): string {
  const rows = new Map<string, string>();
  for (const row of [...before.split("\n"), ...measured.split("\n")]) {
    const name = /^\| (.+?) \| /.exec(row)?.[1];
    if (name !== undefined && name !== "what") rows.set(name, row);
  }
  return [...measured.split("\n").slice(0, 2), ...rows.values()].join("\n");
}

function machine(): string {
  const date = new Date().toISOString().slice(0, 10);
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model.trim() ?? "unknown";
  return `Measured ${date} on ${cpus().length} cores (${model}), ${memory} GiB, Linux ${release()}, Node ${process.versions.node}; load average before the run ${loadBefore.toFixed(1)}.`;
}
