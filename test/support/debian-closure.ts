import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * The names of the package files of `packages` and all they depend on, as if nothing were installed; downloads into
 * `work/archives` what is not there yet. `options` are further ones of apt-get.
 */
export async function downloadClosure(
  work: string,
  packages: readonly string[],
  options: readonly string[] = [],
): Promise<readonly string[]> {
  await mkdir(join(work, "archives", "partial"), { recursive: true });
  await writeFile(join(work, "status"), "");
  // As if nothing were installed, and nothing had been downloaded: the whole closure is named.
  const install = (archives: string, ...how: readonly string[]) => [
    ...options,
    ...["-o", `Dir::State::status=${join(work, "status")}`],
    ...["-o", `Dir::Cache::archives=${archives}`],
    ...["--no-install-recommends", "-q", "-y", ...how, "install", ...packages],
  ];
  const maxBuffer = 1 << 26;
  const { stdout } = await run("apt-get", install(join(work, "none"), "--print-uris"), {
    maxBuffer,
  });
  const debs = stdout.split("\n").flatMap((line) => /^'\S+' (\S+\.deb) /.exec(line)?.[1] ?? []);
  if (debs.some((deb) => !existsSync(join(work, "archives", deb)))) {
    await run("apt-get", install(join(work, "archives"), "--download-only"), { maxBuffer });
  }
  return debs.sort();
}
