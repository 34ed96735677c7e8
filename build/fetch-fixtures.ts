/**
 * Fetches Kubernetes' own round-trip fixtures (each kind as JSON, YAML and protobuf, every field set) out of the Debian
 * package golang-k8s-api-dev into node_modules/.cache/kubernetes-fixtures, where pkg/api/codec/fixtures.test.ts looks
 * for them. Uses the archive that this machine's apt uses, with state of its own: nothing of the machine's is changed.
 */
import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const packageName = "golang-k8s-api-dev";
const out = join(import.meta.dirname, "../node_modules/.cache/kubernetes-fixtures");

function debianArchive(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : []),
  ];
  for (const file of files.filter((path) => existsSync(path))) {
    const found = /https?:\/\/\S+\/debian\/?(?=\s)/.exec(`${readFileSync(file, "utf8")}\n`);
    if (found !== null) return found[0];
  }
  throw new Error("apt on this machine names no Debian archive: the fixtures cannot be fetched");
}

const work = mkdtempSync(join(tmpdir(), "kubernetes-fixtures-"));
try {
  for (const folder of ["lists/partial", "archives/partial"]) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(
    join(work, "sources.list"),
    `deb [signed-by=${keyring}] ${debianArchive()} sid main\n`,
  );
  const config = {
    "Dir::Etc::sourcelist": join(work, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State::lists": join(work, "lists"),
    "Dir::Cache": work,
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(config).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const run: ExecFileSyncOptions = { cwd: work, stdio: ["ignore", "ignore", "inherit"] };
  execFileSync("apt-get", [...options, "-qq", "update"], run);
  execFileSync("apt-get", [...options, "-qq", "download", packageName], run);
  const deb = readdirSync(work).find((file) => file.endsWith(".deb"));
  if (deb === undefined) throw new Error(`apt-get has not brought ${packageName}`);
  execFileSync("dpkg-deb", ["-x", deb, "unpacked"], run);
  const fixtures = join(work, "unpacked/usr/share/gocode/src/k8s.io/api/testdata/HEAD");
  rmSync(out, { recursive: true, force: true });
  cpSync(fixtures, out, { recursive: true });
} finally {
  rmSync(work, { recursive: true, force: true });
}
