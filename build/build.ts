/**
 * Makes dist/mini8s: one bundle by esbuild, put into a copy of Node with better-sqlite3's addon and a code cache
 * (Node's single-executable support). Run by `npm run build`.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const work = join(root, "dist", "build");
const executable = join(root, "dist", "mini8s");
const node = join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");

/**
 * What 64 requests in flight hold fits into 8 MiB, so that hardly any of it grows old: with 2 MiB a POST costs half as
 * much again, and the memory at its peak is no less. Helpers of so small a collection cost more CPU than they save
 * time. The code cache is only valid with the same flags.
 */
const nodeFlags = ["--max-semi-space-size=8", "--no-parallel-scavenge"];

function step(what: string): void {
  console.log(`build: ${what}`);
}

/** The bundle as a function expression, so that the loader can hand it its `require`. */
async function bundle(): Promise<string> {
  const result = await build({
    entryPoints: [join(root, "cmd/mini8s.ts")],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    charset: "ascii",
    write: false,
    legalComments: "none",
    minifySyntax: true,
    minifyWhitespace: true,
    // Not `keepNames`: identifiers stay as they are anyhow, and it would name each closure anew whenever one is made,
    // a tenth of all that a request costs.
    // The addon is an asset; its own finder would look for files that are not there.
    define: { "import.meta.url": "undefined", "import.meta.dirname": "undefined" },
    logLevel: "warning",
    logOverride: { "empty-import-meta": "silent" },
  });
  const text = result.outputFiles[0]?.text;
  if (text === undefined) throw new Error("esbuild wrote no bundle");
  return `(function(require,module,exports,__filename,__dirname){${text}\n})`;
}

async function main(): Promise<void> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });

  step("bundling cmd/mini8s.ts");
  const app = join(work, "app.js");
  writeFileSync(app, await bundle());

  step("warming the code cache");
  const cache = join(work, "app.cache");
  execFileSync(node, [...nodeFlags, join(import.meta.dirname, "warm-cache.cjs"), app, cache], {
    stdio: ["ignore", "ignore", "pipe"],
  });

  step("collecting the descriptions for kubectl explain");
  await import("./generate-descriptions.ts");

  step("putting it into one file");
  const config = join(work, "sea.json");
  const blob = join(work, "sea.blob");
  const sqlite = `better-sqlite3/prebuilds/linux-${process.arch}.node`;
  writeFileSync(
    config,
    JSON.stringify({
      main: join(import.meta.dirname, "loader.cjs"),
      output: blob,
      disableExperimentalSEAWarning: true,
      execArgv: nodeFlags,
      execArgvExtension: "none",
      assets: {
        "app.js": app,
        "app.cache": cache,
        "loader.cjs": join(import.meta.dirname, "loader.cjs"),
        "better_sqlite3.node": join(root, "node_modules", sqlite),
        "descriptions.json.br": join(root, "dist", "descriptions.json.br"),
      },
    }),
  );
  execFileSync(node, ["--experimental-sea-config", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const unfinished = join(work, "mini8s");
  copyFileSync(node, unfinished);
  chmodSync(unfinished, 0o755);
  // Before the injection: stripping afterwards breaks the file.
  execFileSync("strip", [unfinished]);
  execFileSync(
    process.execPath,
    [
      join(root, "node_modules/postject/dist/cli.js"),
      unfinished,
      "NODE_SEA_BLOB",
      blob,
      "--sentinel-fuse",
      "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2",
    ],
    // Its warnings are about sections that stripping took away.
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  rmSync(executable, { force: true });
  copyFileSync(unfinished, executable);
  chmodSync(executable, 0o755);
  step(`dist/mini8s is ready (${Math.round(statSync(executable).size / 1e6)} MB)`);
}

await main();
