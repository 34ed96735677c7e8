import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busyboxImage } from "../support/images.ts";
import { type CommandOutput, runCommand } from "../support/run-command.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;

const container = (name: string, script: string, more = "") =>
  `{name: ${name}, image: "busybox:1", command: [sh, -c, ${JSON.stringify(script)}]${more}}`;
const pod = (name: string, containers: readonly string[], spec = "") => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec: {terminationGracePeriodSeconds: 0, containers: [${containers.join(", ")}]${spec}}
---`;

const counting = "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done";
const serving = "mkdir /www; echo page >/www/index.html; exec httpd -f -p 8080 -h /www";
const manifest = `
${pod("box", [container("main", counting), container("side", `echo side; ${serving}`)])}
${pod("echo", [container("main", "while read word; do echo got $word; done", ", stdin: true")])}
${pod("done", [container("main", "echo out; echo err >&2; echo bye")], ", restartPolicy: Never")}
${pod("crash", [container("main", "echo crashed; exit 1")])}
${pod("waiting", ['{name: main, image: "nowhere.invalid/x:1", imagePullPolicy: Never}'])}
${pod("homeless", [container("main", "sleep 1")], ", nodeSelector: {no: where}")}
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [${container("web", `echo serving; ${serving}`, ", ports: [{name: http, containerPort: 8080}]")}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: nobody}
`;

beforeAll(async () => {
  host = await TestHost.create();
  await host.addImage(await busyboxImage());
  await host.start();
  await host.ready();
  await host.apply(manifest);
  await host.k("wait", "--for=condition=Ready", "pod/box", "pod/echo", "--timeout=60s");
  await host.k("rollout", "status", "deploy/web", "--timeout=60s");
  await host.k("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/done", "--timeout=60s");
  await eventually("the crashing pod is waited with", async () => {
    const reason = "jsonpath={.status.containerStatuses[0].state.waiting.reason}";
    return (await host.k("get", "pod", "crash", "-o", reason)) === "CrashLoopBackOff" || undefined;
  });
});

afterAll(async () => {
  await host.destroy();
});

/** kubectl as a new client speaks, or as one from before WebSockets. */
const webSocket: readonly string[] = [];
const spdy = ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false", "KUBECTL_PORT_FORWARD_WEBSOCKETS=false"];

function commandLine(variables: readonly string[], args: readonly string[]): readonly string[] {
  const namespace = `--net=/run/netns/${host.name}`;
  return [namespace, "env", ...variables, "kubectl", "--kubeconfig", host.kubeconfig, ...args];
}

function kubectl(
  variables: readonly string[],
  args: readonly string[],
  input = "",
): Promise<CommandOutput> {
  return runCommand("nsenter", commandLine(variables, args), { input, timeoutMs: 70_000 });
}

/** The node's memory and open files. */
async function usage(): Promise<{ readonly megabytes: number; readonly sockets: number }> {
  const status = await readFile(`/proc/${host.pid}/status`, "utf8");
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  const { stdout } = await host.exec("ss", "-Htan", "state", "established");
  // What others hold, such as the runtime and its clients, comes and goes; sessions end at one of these ports.
  const sockets = stdout.split("\n").filter((line) => /:(6443|10250)\s/.test(`${line} `)).length;
  return { megabytes: kilobytes / 1024, sockets };
}

describe.each([
  ["WebSocket", webSocket],
  ["SPDY", spdy],
])("over %s", (_, variables) => {
  const run = (args: readonly string[], input?: string) => kubectl(variables, args, input);
  const exec = (args: readonly string[], input?: string) =>
    run(
      ["exec", ...(input === undefined ? [] : ["-i"]), "box", "-c", "main", "--", ...args],
      input,
    );

  test("exec gives the output, both streams and the exit code", async () => {
    expect(await exec(["echo", "hi"])).toEqual({ exitCode: 0, stdout: "hi\n", stderr: "" });
    expect(await exec(["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\ncommand terminated with exit code 3\n",
    });
    const missing = await exec(["no-such-program"]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toMatch(/executable file not found in \$PATH/);
  });

  test("exec reads piped input to its end", async () => {
    expect(await exec(["cat"], "hi\n")).toMatchObject({ exitCode: 0, stdout: "hi\n" });
    expect(await exec(["sh", "-c", "wc -c; echo after"], "x".repeat(100_000))).toMatchObject({
      exitCode: 0,
      stdout: "100000\nafter\n",
    });
  });

  test("a terminal has a size, answers and gives the exit code", async () => {
    const line = commandLine(variables, ["exec", "-it", "box", "-c", "main", "--", "sh"]);
    const child = spawn(
      "script",
      ["-qec", `stty rows 31 cols 97; exec nsenter ${line.join(" ")}`, "/dev/null"],
      { stdio: ["pipe", "pipe", "ignore"] },
    );
    let shown = "";
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
    });
    const exited = once(child, "exit");
    await eventually("the shell asks", async () => /# /.test(shown) || undefined);
    child.stdin.write("echo size $(stty size); tty; exit 5\n");
    const [code] = (await exited) as [number];
    expect(code).toBe(5);
    expect(shown).toMatch(/size 31 97/);
    expect(shown).toMatch(/\/dev\/pts\/\d/);
  });

  test("attach speaks with the running process", async () => {
    const child = spawn("nsenter", commandLine(variables, ["attach", "-i", "echo"]), {
      stdio: ["pipe", "pipe", "ignore"],
    });
    let shown = "";
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
    });
    const word = `word-${variables.length}`;
    child.stdin.write(`${word}\n`);
    await eventually("the process answers", async () => shown.includes(`got ${word}`) || undefined);
    child.kill();
    await once(child, "exit");
  });

  test("files are copied both ways, byte for byte", async () => {
    const bytes = randomBytes(20 << 20);
    const sum = createHash("sha256").update(bytes).digest("hex");
    const local = join(host.dataDir, "copy");
    await writeFile(local, bytes);
    expect(await run(["cp", local, "box:/tmp/copy", "-c", "main"])).toMatchObject({ exitCode: 0 });
    expect((await exec(["sha256sum", "/tmp/copy"])).stdout).toContain(sum);
    expect(await run(["cp", "box:/tmp/copy", `${local}-back`, "-c", "main"])).toMatchObject({
      exitCode: 0,
    });
    expect(
      createHash("sha256")
        .update(await readFile(`${local}-back`))
        .digest("hex"),
    ).toBe(sum);
    await Promise.all([rm(local), rm(`${local}-back`)]);
  });

  test.each([
    ["a Service", ["svc/web", "18081:80"], [18081]],
    ["a Deployment", ["deploy/web", "18082:8080"], [18082]],
    ["several ports of a pod", ["pod/box", "18083:8080", "18084:8080"], [18083, 18084]],
  ])("port-forward to %s carries many connections", async (_name, args, ports) => {
    const child = spawn("nsenter", commandLine(variables, ["port-forward", ...args]), {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let shown = "";
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
    });
    try {
      for (const port of ports) {
        const line = `Forwarding from 127.0.0.1:${port}`;
        await eventually(line, async () => shown.includes(line) || undefined);
      }
      const asked = Array.from({ length: 12 }, (_each, index) => ports[index % ports.length]);
      const pages = await Promise.all(
        asked.map((port) => host.exec("curl", "-sS", "-m", "20", `http://127.0.0.1:${port}/`)),
      );
      expect(pages.map(({ stdout }) => stdout)).toEqual(asked.map(() => "page\n"));
    } finally {
      child.kill();
      await once(child, "exit");
    }
  });

  // The answers to kubectl's pings, one each 5 s, once kept an output that had waited from ever going on.
  test("who reads slowly gets everything, and nothing piles up meanwhile", async () => {
    const before = await usage();
    const line = commandLine(variables, [
      ...["exec", "box", "-c", "main", "--"],
      ...["dd", "if=/dev/zero", "bs=1M", "count=100"],
    ]);
    const slow = ["-c", '"$@" 2>/dev/null | (sleep 7; wc -c)', "sh", "nsenter", ...line];
    let read: string | undefined;
    void runCommand("sh", slow).then(({ stdout }) => {
      read = stdout.trim();
    });
    let most = 0;
    const whole = await eventually("all is read", async () => {
      most = Math.max(most, (await usage()).megabytes);
      return read;
    });
    expect(whole).toBe(String(100 << 20));
    expect(most - before.megabytes).toBeLessThan(60);
  });

  test("a command that reads slowly gets everything, and nothing piles up meanwhile", async () => {
    const before = await usage();
    const line = commandLine(variables, [
      ...["exec", "-i", "box", "-c", "main", "--"],
      ...["sh", "-c", "sleep 3; wc -c"],
    ]);
    const feed = ["-c", 'head -c 104857600 /dev/zero | "$@"', "sh", "nsenter", ...line];
    expect((await runCommand("sh", feed)).stdout.trim()).toBe(String(100 << 20));
    expect((await usage()).megabytes - before.megabytes).toBeLessThan(60);
  });

  const prefix =
    variables === webSocket ? "Internal error occurred: unable to upgrade" : "unable to upgrade";
  test.each([
    ["exec", "crash", `error: ${prefix} connection: container not found ("main")`],
    ["exec", "waiting", `error: ${prefix} connection: container not found ("main")`],
    [
      "attach",
      "crash",
      `error: ${prefix} connection: container main not found in pod crash_default`,
    ],
    [
      "exec",
      "homeless",
      "Error from server (BadRequest): pod homeless does not have a host assigned",
    ],
    ["exec", "nobody", 'Error from server (NotFound): pods "nobody" not found'],
  ])("%s into %s is refused", async (verb, name, message) => {
    const words = verb === "exec" ? ["--", "ls"] : [];
    const { exitCode, stderr } = await run([verb, name, ...words]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });

  test("an unknown container is refused", async () => {
    expect((await run(["exec", "box", "-c", "nope", "--", "ls"])).stderr).toContain(
      "container nope is not valid for pod box",
    );
  });
});

describe("logs", () => {
  const logs = (...args: readonly string[]): Promise<CommandOutput> =>
    kubectl(webSocket, ["logs", ...args]);

  test("of a container that has ended, of both its streams", async () => {
    const { stdout } = await logs("done");
    expect(stdout.split("\n").sort()).toEqual(["", "bye", "err", "out"]);
  });

  test("a part: the last lines, the first bytes, the last seconds, with their times", async () => {
    const { stdout } = await logs("box", "-c", "main", "--tail=2");
    expect(stdout).toMatch(/^line \d+\nline \d+\n$/);
    expect((await logs("box", "-c", "main", "--limit-bytes=9")).stdout).toBe("line 1\nli");
    const recent = (await logs("box", "-c", "main", "--since=2s", "--timestamps")).stdout;
    const times = recent
      .trim()
      .split("\n")
      .map((line) => Date.parse(line.split(" ")[0] ?? ""));
    expect(times.length).toBeGreaterThan(0);
    expect(Math.min(...times)).toBeGreaterThan(Date.now() - 10_000);
  });

  test("of several containers and pods", async () => {
    const all = (await logs("box", "--all-containers", "--prefix", "--tail=1")).stdout;
    expect(all).toMatch(/\[pod\/box\/main\] line \d+/);
    expect(all).toMatch(/\[pod\/box\/side\] side/);
    const selected = (await logs("-l", "app=web", "--prefix")).stdout;
    expect(selected.match(/\[pod\/web-[^/]+\/web\] serving/g)).toHaveLength(2);
  });

  test("followed, lines come as they are written, until the container ends", async () => {
    await host.apply(
      pod(
        "short",
        [container("main", "for i in 1 2 3 4 5; do echo $i; sleep 0.5; done")],
        ", restartPolicy: Never",
      ),
    );
    await host.k("wait", "--for=condition=Ready", "pod/short", "--timeout=60s");
    const { exitCode, stdout } = await logs("-f", "short");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "1\n2\n3\n4\n5\n" });
  });

  test("of the attempt before", async () => {
    expect(await logs("-p", "crash")).toMatchObject({ exitCode: 0, stdout: "crashed\n" });
  });

  test.each([
    [["-p", "done"], 'previous terminated container "main" in pod "done" not found'],
    [["waiting"], 'container "main" in pod "waiting" is waiting to start: ErrImageNeverPull'],
  ])("%j is refused", async (args, message) => {
    const { exitCode, stderr } = await logs(...args);
    expect(stderr.trim()).toBe(`Error from server (BadRequest): ${message}`);
    expect(exitCode).toBe(1);
  });
});

test("the node's own endpoint lets in nobody unknown, and nobody without the right", async () => {
  const url = `https://${host.address}:10250/pods`;
  const ask = async (...args: readonly string[]) =>
    (await host.exec("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", ...args, url)).stdout;
  expect(await ask()).toBe("401");
  expect(await ask("-H", "Authorization: Bearer made-up")).toBe("401");
  const token = await host.k("create", "token", "nobody");
  expect(await ask("-H", `Authorization: Bearer ${token}`)).toBe("403");
});

test("sessions leave nothing behind, however they end", async () => {
  const opened = (args: readonly string[]) =>
    spawn("nsenter", commandLine(webSocket, args), { stdio: ["pipe", "pipe", "ignore"] });
  const before = (await usage()).sockets;
  const children = [
    opened(["exec", "box", "-c", "main", "--", "sh", "-c", "echo up; sleep 600"]),
    opened(["exec", "-i", "box", "-c", "main", "--", "sh", "-c", "echo up; cat"]),
    opened(["logs", "-f", "box", "-c", "main"]),
    opened(["port-forward", "box", "18090:8080"]),
  ];
  await Promise.all(children.map((child) => once(child.stdout, "data")));
  expect((await usage()).sockets).toBeGreaterThan(before);
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => once(child, "exit")));
  await eventually("the sessions' connections are gone", async () =>
    (await usage()).sockets <= before ? true : undefined,
  );
});

test("nothing was complained of", async () => {
  const lines = await host.logLines();
  expect(lines.filter((line) => /MaxListeners|"level":"(error|fatal)"/.test(line))).toEqual([]);
});
