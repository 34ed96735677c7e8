import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { type CommandOutput, runCommand } from "../support/run-command.ts";
import { eventually, executable } from "../support/test-host.ts";

/** A network of its own, with a loopback interface and nothing else. */
const namespace = `m8s-cli-${process.pid}`;
const inside = ["nsenter", `--net=/run/netns/${namespace}`] as const;
let folder: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  await runCommand("ip", ["netns", "add", namespace]);
  await runCommand("ip", ["-n", namespace, "link", "set", "lo", "up"]);
  folder = mkdtempSync("/var/tmp/mini8s-cli-");
});
afterEach(async () => {
  for (const child of started.splice(0)) await end(child, "SIGKILL");
});
afterAll(async () => {
  await mini8s("uninstall", ...files("data"), "--yes");
  await runCommand("ip", ["netns", "del", namespace]);
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);
const files = (name: string) => [
  ...["--data-dir", path(name), "--write-kubeconfig", path("kubeconfig.yaml")],
];
/** A control plane that needs nothing of the machine. */
const alone = ["--disable-agent", "--node-ip", "127.0.0.1"];

function mini8s(...args: readonly string[]): Promise<CommandOutput> {
  return runCommand("nsenter", [inside[1], executable, ...args], { timeoutMs: 30_000 });
}

/** The whole of what is printed is one sentence; nothing of the inside of the program is seen. */
async function expectRefusal(args: readonly string[], sentence: RegExp | string): Promise<void> {
  expectSentence(await mini8s(...args), sentence);
}

function expectSentence({ exitCode, stderr, stdout }: CommandOutput, sentence: RegExp | string) {
  const lines = stderr.trimEnd().split("\n");
  const last = lines.at(-1) ?? "";
  expect(last).toMatch(sentence);
  expect(last).toMatch(/^mini8s: /);
  // What was logged before, where something had started, is one JSON object a line.
  for (const line of lines.slice(0, -1)) expect(() => JSON.parse(line), line).not.toThrow();
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe("");
  expect(exitCode).toBe(1);
}

async function start(...args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(inside[0], [inside[1], executable, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  started.push(child);
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  await eventually("the API is ready", () =>
    Promise.resolve(log.includes("the API is ready") ? true : undefined),
  );
  return child;
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.kill(signal);
  return ended;
}

describe("what it tells of itself", () => {
  test("--help names the commands, and each command's its flags", async () => {
    for (const args of [[], ["--help"], ["help"]]) {
      const { exitCode, stdout } = await mini8s(...args);
      expect(exitCode).toBe(0);
      for (const command of ["server", "agent", "uninstall", "version"])
        expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    }
    const server = await mini8s("server", "--help");
    expect(server.stdout).toMatch(
      /-d, --data-dir <directory> +where all state is kept \(default: /,
    );
    expect(server.stdout).not.toContain("--join");
    expect((await mini8s("agent", "--help")).stdout).toContain("--join <url>");
  });

  test("version", async () => {
    for (const args of [["version"], ["--version"], ["-v"]]) {
      expect(await mini8s(...args)).toEqual({
        exitCode: 0,
        stdout: `mini8s ${packageJson.version}\n`,
        stderr: "",
      });
    }
  });
});

describe("what cannot be meant", () => {
  test.each([
    [["sever"], "unknown command 'sever'"],
    [["server", "--no-such-flag"], "unknown option '--no-such-flag'"],
    [["server", "extra"], "too many arguments"],
    [["version", "--bogus"], "unknown option '--bogus'"],
    [["server", "--data-dir"], "argument missing"],
    [["server", "--https-listen-port", "70000"], /--https-listen-port is "70000", .*use a number/],
    [["server", "--cluster-cidr", "10.0.0.0/28"], /--cluster-cidr .* too small: use a \/24/],
    [["server", "--service-cidr", "10.42.1.0/24"], /overlap: use ranges apart/],
    [["server", "--datastore-endpoint", "etcd://a"], /"etcd" is not supported: use sqlite/],
    [["server", "--token", "a::b"], "--token is not a token: give a secret"],
    [["server", "--token-file", "/nonexistent"], "--token-file cannot be read"],
    [["server", "--config", "/nonexistent"], "the config file /nonexistent does not exist"],
    [["server", "--bind-address", "192.0.2.1"], /does not have that address; choose one/],
    [["agent"], "--join is missing: name the server to join"],
    [["agent", "--join", "https://127.0.0.1:1"], "--token is missing: give what"],
    [["agent", "--join", "a"], '--join is "a", which is no server: use one like https'],
    [["agent", "--join", "https://127.0.0.1:1", "--token", "K10x::y"], "is not a join token"],
  ])("%j", async (args, sentence) => {
    const [command = "", ...rest] = args;
    const needed = command === "server" ? [...files("data"), ...alone] : [];
    const own = command === "agent" ? ["--data-dir", path("agent"), "--node-ip", "127.0.0.1"] : [];
    await expectRefusal([command, ...needed, ...own, ...rest], sentence);
  });

  test.each([
    [["--node-label", "kubernetes.io/role=x"], /is not for nodes to set: choose a name outside/],
    [["--node-label", "a b=x"], /--node-label "a b=x" is no label: name part must consist of/],
    [["--node-name", "Shop_1"], /"Shop_1" cannot be a node's name: give one of lower-case/],
    [["--node-ip", "192.0.2.1"], /--node-ip is "192.0.2.1", which no interface .*: name one/],
    [["--container-runtime-endpoint", "/no.sock"], /no container runtime listens: start it, or/],
    [["--proxy-mode", "ipvs"], /use nftables or iptables/],
  ])("of a node: %j", async (args, sentence) => {
    await expectRefusal(["server", ...files("data"), "--node-ip", "127.0.0.1", ...args], sentence);
  });

  test("a key of the config file that is no flag", async () => {
    writeFileSync(path("config.yaml"), "data-dri: /tmp\n");
    await expectRefusal(
      ["server", "--config", path("config.yaml")],
      /the config file .*config.yaml has the key "data-dri", which is no flag: mini8s server --help/,
    );
  });
});

describe("what the machine does not give", () => {
  test("no default route, and no address named", async () => {
    await expectRefusal(
      ["server", ...files("data")],
      /no default route to tell its address by: name the address with --node-ip/,
    );
  });

  test("a data-dir that is a file, lies on a read-only disk, or a kubeconfig that cannot be written", async () => {
    writeFileSync(path("file"), "");
    for (const name of ["file", "file/below"])
      await expectRefusal(
        ["server", ...alone, ...files(name)],
        /the data-dir .* cannot be written \(.*\): name another directory with --data-dir/,
      );
    mkdirSync(path("read-only"));
    await runCommand("mount", ["-t", "tmpfs", "-o", "ro", "mini8s-test", path("read-only")]);
    try {
      await expectRefusal(
        ["server", ...alone, ...files("read-only")],
        /the data-dir .* cannot be written \(EROFS.*\): name another directory with --data-dir/,
      );
    } finally {
      await runCommand("umount", [path("read-only")]);
    }
    await expectRefusal(
      ["server", ...alone, "--data-dir", path("data"), "--write-kubeconfig", path("file/config")],
      /the kubeconfig .* cannot be written \(.*\): name another file with --write-kubeconfig/,
    );
  });

  test("a port that is in use", async () => {
    const child = await start("server", ...alone, ...files("data"));
    await expectRefusal(
      ["server", ...alone, ...files("other")],
      "cannot listen on 0.0.0.0:6443: the port is in use; stop what uses it, or choose another port",
    );
    expect(await end(child, "SIGTERM")).toBe(0);
  });

  test("no containerd on the PATH", async () => {
    mkdirSync(path("bin"), { recursive: true });
    for (const name of ["nft", "ip", "iptables"])
      symlinkSync(`/usr/sbin/${name}`, path(`bin/${name}`));
    const output = await runCommand("nsenter", [
      ...[inside[1], "env", `PATH=${path("bin")}`, executable],
      ...["server", "--node-ip", "127.0.0.1", ...files("data")],
    ]);
    expectSentence(output, /containerd is not installed: run `apt-get install containerd/);
  });
});

describe("a server that runs", () => {
  test("is alone on its data-dir, and SIGTERM ends it with 0 within 5 s", async () => {
    const child = await start("server", ...alone, ...files("data"));
    await expectRefusal(
      ["server", ...alone, ...files("data"), "--https-listen-port", "6444"],
      new RegExp(`is used by another mini8s \\(process ${child.pid}\\): stop that one, or name`),
    );
    const since = performance.now();
    expect(await end(child, "SIGTERM")).toBe(0);
    expect(performance.now() - since).toBeLessThan(5_000);
    // What it held is free at once; so it is after kill -9.
    const next = await start("server", ...alone, ...files("data"));
    await end(next, "SIGKILL");
    expect(await end(await start("server", ...alone, ...files("data")), "SIGINT")).toBe(0);
  });

  test("takes its flags from file, drop-ins, environment and command line, the later the stronger", async () => {
    const config = path("layers.yaml");
    writeFileSync(
      config,
      `data-dir: ${path("data")}\nhttps-listen-port: 7001\ndisable-agent: true`,
    );
    mkdirSync(`${config}.d`);
    writeFileSync(
      join(`${config}.d`, "1.yaml"),
      `write-kubeconfig: ${path("from-drop-in.yaml")}\nhttps-listen-port: 7002\nnode-ip: 127.0.0.1`,
    );
    const port = async (env: readonly string[], args: readonly string[]) => {
      const child = spawn("env", [...env, ...inside, executable, "server", "-c", config, ...args], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      started.push(child);
      let log = "";
      child.stderr.on("data", (chunk: Buffer) => {
        log += chunk.toString();
      });
      const found = await eventually("it says its port", () =>
        Promise.resolve(/"port":(\d+),"kubeconfig":"([^"]+)"/.exec(log) ?? undefined),
      );
      expect(await end(child, "SIGTERM")).toBe(0);
      expect(found[2]).toBe(path("from-drop-in.yaml"));
      return Number(found[1]);
    };
    expect(await port([], [])).toBe(7002);
    expect(await port(["MINI8S_HTTPS_LISTEN_PORT=7003"], [])).toBe(7003);
    expect(await port(["MINI8S_HTTPS_LISTEN_PORT=7003"], ["--https-listen-port=7004"])).toBe(7004);
  });
});
