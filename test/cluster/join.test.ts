import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../support/run-command.ts";
import { shopImages } from "../support/shop-images.ts";
import { eventually, executable, TestHost } from "../support/test-host.ts";

const addresses = ["10.97.0.1", "10.97.0.2"] as const;
const server = `https://${addresses[0]}:6443`;

/** A cable between the two machines: what one sends arrives at the other as it was sent. */
async function connect(one: TestHost, other: TestHost): Promise<void> {
  const commands = [
    `link add lan0 netns ${one.name} type veth peer name lan0 netns ${other.name}`,
    ...[one, other].flatMap(({ name }, index) => [
      `-n ${name} addr add ${addresses[index]}/24 dev lan0`,
      `-n ${name} link set lan0 up`,
    ]),
  ];
  for (const command of commands) {
    const { exitCode, stderr } = await runCommand("ip", command.split(" "));
    if (exitCode !== 0) throw new Error(`ip ${command}: ${stderr}`);
  }
}

const pod = (name: string, node: string) => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  nodeSelector: { kubernetes.io/hostname: ${node} }
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/tools:1
    command: [sh, -c, "busybox mkdir /served; echo ${name} > /served/index.html; echo ${name} serves; exec busybox httpd -f -p 8080 -h /served"]
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  type: NodePort
  selector: { app: ${name} }
  ports: [{ port: 80, targetPort: 8080 }]`;

describe.each(["vxlan", "host-gw"])("a second node over %s", (overlay) => {
  let first: TestHost;
  let second: TestHost;
  let token: string;
  const startFirst = () => first.start("--node-ip", addresses[0], "--flannel-backend", overlay);
  const startSecond = () =>
    second.join(
      ...([server, token, "--node-name", "node-2", "--node-ip", addresses[1]] as const),
      ...["--flannel-backend", overlay, "--node-label", "place=cellar"],
    );
  const bothReady = () =>
    eventually("both nodes are Ready", async () => {
      const { stdout } = await first.kubectl("get", "nodes", "--no-headers");
      return stdout.match(/\sReady\s/g)?.length === 2 ? true : undefined;
    });
  const nodeTwo = (path: string) => first.k("get", "node", "node-2", "-o", `jsonpath={${path}}`);
  const attempt = (...flags: readonly string[]) =>
    second.exec(
      ...(["timeout", "20", executable, "agent", "--join", server] as const),
      ...["--data-dir", join(second.dataDir, "attempt"), "--node-ip", addresses[1], ...flags],
    );

  beforeAll(async () => {
    first = await TestHost.create();
    second = await TestHost.create();
    await connect(first, second);
    const { tools } = await shopImages();
    for (const host of [first, second]) await host.addImage(tools);
    await startFirst();
    await first.ready();
    token = (await readFile(join(first.dataDir, "server/node-token"), "utf8")).trim();
  });
  afterAll(async () => {
    for (const host of [second, first]) await host?.destroy();
  });

  test("joins with the server's token, also when the server comes later", async () => {
    await first.stop();
    await startSecond();
    await eventually("the agent says that it waits", async () =>
      (await readFile(second.log, "utf8")).includes("cannot be reached yet") ? true : undefined,
    );
    await startFirst();
    await bothReady();
    expect(await nodeTwo(".metadata.labels.place")).toBe("cellar");
    expect(await nodeTwo(".status.addresses[?(@.type=='InternalIP')].address")).toBe(addresses[1]);
    expect(await nodeTwo(".spec.podCIDR")).not.toBe(
      await first.k("get", "node", "node-1", "-o", "jsonpath={.spec.podCIDR}"),
    );
  });

  test("pods and Services of each node are reached from the other; logs and exec work across", async () => {
    await first.apply(`${pod("one", "node-1")}${pod("two", "node-2")}`);
    await first.k("wait", "--for=condition=Ready", "pod/one", "pod/two", "--timeout=60s");
    const ip = (name: string) => first.k("get", "pod", name, "-o", "jsonpath={.status.podIP}");
    const get = (from: string, url: string) =>
      eventually(`${url} answers ${from}`, async () => {
        const args = ["exec", from, "--", "curl", "-sm2", url];
        const { exitCode, stdout } = await first.kubectl(...args);
        return exitCode === 0 ? stdout.trim() : undefined;
      });
    for (const [from, to] of [
      ["one", "two"],
      ["two", "one"],
    ] as const) {
      expect(await get(from, `http://${await ip(to)}:8080/`)).toBe(to);
      expect(await get(from, `http://${to}/`)).toBe(to);
      expect(await get(from, `http://${to}.default.svc.cluster.local/`)).toBe(to);
    }
    const nodePort = await first.k(
      "get",
      "service",
      "two",
      "-o",
      "jsonpath={.spec.ports[0].nodePort}",
    );
    for (const address of [first.address, addresses[0]]) {
      const { stdout } = await first.exec("curl", "-sm5", `http://${address}:${nodePort}/`);
      expect(stdout).toBe("two\n");
    }
    const outside = await runCommand("curl", ["-sm5", `http://${first.address}:${nodePort}/`]);
    expect(outside.stdout).toBe("two\n");
    expect(await first.k("logs", "two")).toBe("two serves");
    expect(await first.k("exec", "two", "--", "busybox", "hostname")).toBe("two");
    const routes = await first.exec("ip", "route", "show", "proto", "98");
    expect(routes.stdout).toContain(overlay === "vxlan" ? "dev flannel.1" : `via ${addresses[1]}`);
  });

  test("keeps its identity and its containers when its agent is started again", async () => {
    const facts = async () => [
      await nodeTwo(".metadata.uid"),
      await first.k(
        "get",
        "pod",
        "two",
        "-o",
        "jsonpath={.status.containerStatuses[0].containerID}",
      ),
    ];
    const before = await facts();
    const certificate = await readFile(join(second.dataDir, "agent/client-kubelet.crt"), "utf8");
    expect(await second.stop()).toBe(0);
    await startSecond();
    await eventually("the agent serves again", async () =>
      (await first.kubectl("exec", "two", "--", "busybox", "true")).exitCode === 0
        ? true
        : undefined,
    );
    await bothReady();
    expect(await facts()).toEqual(before);
    expect(await readFile(join(second.dataDir, "agent/client-kubelet.crt"), "utf8")).toBe(
      certificate,
    );
  });

  test("is refused by a sentence: wrong secret, another cluster's token, a name that is taken", async () => {
    const [hash = ""] = token.split("::");
    const otherHash = hash.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    const secret = token.split(":").at(-1) ?? "";
    for (const [given, name, sentence] of [
      [`${hash}::node:wrong`, "node-3", /refuses this node: /],
      [`${otherHash}::node:${secret}`, "node-3", /is not of the cluster that the token is for: /],
      [token, "node-2", /refuses this node: .*node-2/],
      [token, "node-1", /refuses this node: .*node-1/],
    ] as const) {
      const { exitCode, stderr } = await attempt("--token", given, "--node-name", name);
      expect(stderr).toMatch(/^mini8s: [^\n]*\n$/);
      expect(stderr).toMatch(sentence);
      expect(exitCode).toBe(1);
    }
    expect(await first.k("get", "nodes", "-o", "name")).toBe("node/node-1\nnode/node-2");
  });

  test("no longer tells of itself once it is stopped", async () => {
    const renewed = () =>
      first.k(
        ...["get", "lease", "node-2", "-n", "kube-node-lease", "-o"],
        "jsonpath={.spec.renewTime}",
      );
    await second.stop();
    const last = await renewed();
    expect(Date.now() - Date.parse(last)).toBeLessThan(15_000);
    expect((await second.exec("ip", "link", "show", "cni0")).exitCode).toBe(0);
    expect(await renewed()).toBe(last);
  });

  test("is taken off its machine without a trace, and its name is free once its Node is deleted", async () => {
    const { exitCode, stderr } = await second.exec(
      ...([executable, "uninstall", "--data-dir", second.dataDir, "--yes"] as const),
    );
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    for (const link of ["cni0", "flannel.1"])
      expect((await second.exec("ip", "link", "show", link)).exitCode, link).not.toBe(0);
    expect((await second.exec("ip", "route", "show", "proto", "98")).stdout).toBe("");

    await first.k("delete", "node", "node-2");
    await mkdir(second.dataDir, { recursive: true });
    await eventually("the name is free", async () => {
      const secret = await first.kubectl(
        "get",
        "secret",
        "node-2.node-password.mini8s",
        "-n",
        "kube-system",
      );
      return secret.exitCode === 0 ? undefined : true;
    });
    await startSecond();
    await bothReady();
  });
});
