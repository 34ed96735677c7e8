// Brings what the project needs to a Debian machine that has only Node 20 and npm: Debian packages, npm
// packages, kubectl. Plain JavaScript without dependencies, because nothing is installed when it runs.
// Safe to run again: what is there is left alone.   node build/setup.mjs [--test]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");

const nodePackages = [
  "containerd",
  "runc",
  "containernetworking-plugins",
  "iptables",
  "nftables",
  "ipset",
  "ipvsadm",
  "conntrack",
  "iproute2",
  "mount",
  "binutils",
  "ca-certificates",
];
/** What the images of the tests are made from, and what the tests drive. */
const testPackages = [
  "busybox-static",
  "curl",
  "debootstrap",
  "docker-registry",
  "openssl",
  "procps",
  "strace",
  "util-linux",
  "tar",
];

function say(text) {
  console.log(`setup: ${text}`);
}

function fail(text) {
  console.error(`setup: ${text}`);
  process.exit(1);
}

function isInstalled(name) {
  const result = spawnSync("dpkg-query", ["-W", "-f", "${Status}", name], { encoding: "utf8" });
  return result.stdout?.includes("ok installed") === true;
}

const apt = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };

function aptGet(args) {
  return spawnSync("apt-get", ["-q", "-y", ...args], {
    env: apt,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
}

function installDebianPackages(names) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  say(`installing from Debian: ${missing.join(" ")}`);
  aptGet(["update"]);
  const result = aptGet(["install", "--no-install-recommends", ...missing]);
  if (result.status !== 0) {
    const why = result.stderr?.trim().split("\n").at(-1) || "apt-get said nothing";
    fail(
      `cannot install ${missing.join(" ")}: ${why}. Install them by hand with apt-get, then run this again.`,
    );
  }
}

function installNpmPackages() {
  const stamp = join(root, "node_modules", ".package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return;
  say("installing npm packages");
  // No install scripts: better-sqlite3 and esbuild carry their binaries in their packages. Not npm ci: it refuses
  // where a mirror lacks the packages of other platforms, which nobody needs here. The versions are the lock's.
  const result = spawnSync(
    "npm",
    ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: root, encoding: "utf8" },
  );
  if (result.status !== 0) {
    const said = result.stderr?.trim().split("\n").slice(0, 3).join(" ");
    const why = said || result.error?.message || `npm exited with ${result.status}`;
    fail(
      `npm install failed: ${why}. Check that the npm registry can be reached, then run this again.`,
    );
  }
}

function kubectlMinor() {
  const result = spawnSync("kubectl", ["version", "--client", "-o", "json"], { encoding: "utf8" });
  if (result.status !== 0) return 0;
  return Number.parseInt(JSON.parse(result.stdout).clientVersion?.minor ?? "0", 10);
}

/**
 * Debian 12's own kubectl is 1.20. Debian 13's is taken from the same mirror the machine already uses; its
 * source is pinned so low that nothing else ever comes from it.
 */
function installKubectl() {
  if (kubectlMinor() >= 32) return;
  say("installing kubectl from Debian 13");
  const listed = execFileSync(
    "apt-get",
    ["indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"],
    { encoding: "utf8" },
  );
  const mirror = listed
    .split("\n")
    .find((line) => / (bookworm|trixie|sid)$/.test(line))
    ?.split(" ")[0];
  if (mirror === undefined)
    fail(
      "no Debian mirror is set up in /etc/apt: install kubectl 1.32 or newer by hand, then run this again.",
    );
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  if (!existsSync(keyring)) installDebianPackages(["debian-archive-keyring"]);
  for (const suite of ["trixie", "sid"]) {
    writeFileSync(
      "/etc/apt/preferences.d/mini8s",
      `Package: *\nPin: release n=${suite}\nPin-Priority: 50\n`,
    );
    writeFileSync(
      "/etc/apt/sources.list.d/mini8s.sources",
      `Types: deb\nURIs: ${mirror}\nSuites: ${suite}\nComponents: main\nSigned-By: ${keyring}\n`,
    );
    aptGet(["update"]);
    aptGet(["install", "--no-install-recommends", "-t", suite, "kubernetes-client"]);
    if (kubectlMinor() >= 32) return;
  }
  fail(
    "cannot install kubectl 1.32 or newer from Debian: put one on the PATH, then run this again.",
  );
}

const [major] = process.versions.node.split(".").map(Number);
if (major < 20) fail(`Node ${process.versions.node} is too old: install Node 20 or newer.`);
if (process.getuid?.() !== 0)
  fail("this must run as root: containers, mounts and packet rules need it.");
if (!existsSync("/etc/debian_version"))
  fail("this set-up knows Debian only: install the packages that build/setup.mjs names by hand.");
if (!existsSync(join(root, "package-lock.json")))
  fail("package-lock.json is missing: run this from a whole clone.");
JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

installDebianPackages(
  process.argv.includes("--test") ? [...nodePackages, ...testPackages] : nodePackages,
);
installNpmPackages();
installKubectl();
