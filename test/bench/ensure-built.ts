import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { executable } from "../support/test-host.ts";

/** Builds the executable where there is none. */
export async function ensureBuilt(): Promise<void> {
  if (existsSync(executable)) return;
  const script = join(import.meta.dirname, "../../build/build.ts");
  const child = spawn(process.execPath, [script], { stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("there is no executable to measure: npm run build failed");
}
