/**
 * What mini8s costs, each figure beside what the machine can do at best in the same run: `npm run bench`.
 *   --only <section>   one section alone
 *   --write            puts what was measured into the table of docs/performance.md
 */
import { measureBoot } from "./boot.ts";
import { endAll } from "./cleanup.ts";
import { measureCustomResources } from "./custom-resources.ts";
import { ensureBuilt } from "./ensure-built.ts";
import { type Figure, renderTable } from "./figure.ts";
import { measureFuzz } from "./fuzz.ts";
import { measureGrowth } from "./growth.ts";
import { measureIdle } from "./idle.ts";
import { measureLists } from "./lists.ts";
import { measureOverload } from "./overload.ts";
import { measurePods } from "./pods.ts";
import { writeReport } from "./report.ts";
import { measureRequests } from "./requests.ts";
import { measureServices } from "./services.ts";
import { measureStore } from "./store.ts";
import { measureWatches } from "./watches.ts";

const sections: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  boot: measureBoot,
  requests: measureRequests,
  lists: measureLists,
  watches: measureWatches,
  growth: measureGrowth,
  custom: measureCustomResources,
  services: measureServices,
  pods: measurePods,
  idle: measureIdle,
  overload: measureOverload,
  store: measureStore,
  fuzz: measureFuzz,
};

async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf("--only");
  const only = at < 0 ? undefined : args[at + 1];
  if (at >= 0 && (only === undefined || sections[only] === undefined)) {
    throw new Error(`--only wants one of ${Object.keys(sections).join(", ")}`);
  }
  await ensureBuilt();
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(sections)) {
    if (only !== undefined && only !== name) continue;
    const started = performance.now();
    try {
      figures.push(...(await measure()));
    } catch (caught) {
      // The others are worth knowing all the same.
      console.error(`bench: ${name} failed:`, caught);
      process.exitCode = 1;
    }
    const seconds = ((performance.now() - started) / 1_000).toFixed(0);
    console.error(`bench: ${name} took ${seconds} s`);
  }
  console.log(renderTable(figures));
  if (args.includes("--write")) await writeReport(figures);
}

for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => {
    endAll().then(
      () => process.exit(1),
      () => process.exit(1),
    );
  });
}
await main(process.argv.slice(2));
