import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { type Figure, renderTable } from "./figure.ts";

const page = join(import.meta.dirname, "../../docs/performance.md");
const begin = "<!-- figures: written by npm run bench -- --write -->";
const end = "<!-- end of figures -->";

/** How many others wanted the cores before the bench did: its figures are to be read with it. */
const loadBefore = loadavg()[0] ?? 0;

/** Puts the table, and the machine it was measured on, between the page's markers. */
export async function writeReport(figures: readonly Figure[]): Promise<void> {
  const text = await readFile(page, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has lost its markers: ${begin} … ${end}`);
  const table = `${begin}\n\n${machine()}\n\n${renderTable(figures)}\n\n`;
  await writeFile(page, text.slice(0, from) + table + text.slice(to));
}

function machine(): string {
  const date = new Date().toISOString().slice(0, 10);
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model.trim() ?? "unknown";
  return `Measured ${date} on ${cpus().length} cores (${model}), ${memory} GiB, Linux ${release()}, Node ${process.versions.node}; load average before the run ${loadBefore.toFixed(1)}.`;
}
