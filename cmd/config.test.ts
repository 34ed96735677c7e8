import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { resolveFlags } from "./config.ts";

let file: string;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "mini8s-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  file = join(folder, "config.yaml");
});

function resolve(
  given: Readonly<Record<string, readonly string[]>> = {},
  env: Readonly<Record<string, string>> = {},
  command: "server" | "agent" = "server",
) {
  return resolveFlags(command, new Map(Object.entries({ config: [file], ...given })), env);
}

function dropIn(name: string, text: string): void {
  mkdirSync(`${file}.d`, { recursive: true });
  writeFileSync(join(`${file}.d`, name), text);
}

test("what is given nowhere has its default", () => {
  writeFileSync(file, "");
  const values = resolve();
  expect(values.httpsListenPort).toBe(6443);
  expect(values.nodeLabel).toEqual([]);
  expect(values.nodeName).toBeUndefined();
});

test("the command line wins over the environment, that over drop-ins, the last of those over the file", () => {
  writeFileSync(
    file,
    "node-name: file\nhttps-listen-port: 1\ncluster-domain: file\ntoken: file\ndebug: true",
  );
  dropIn("2.yaml", "node-name: second\nhttps-listen-port: 3\ncluster-domain: second");
  dropIn("1.yml", "node-name: first\nhttps-listen-port: 2");
  dropIn("3.txt", "node-name: not read");
  const env = { MINI8S_NODE_NAME: "env", MINI8S_HTTPS_LISTEN_PORT: "4" };
  const values = resolve({ "node-name": ["given"] }, env);
  expect(values).toMatchObject({
    nodeName: "given",
    httpsListenPort: 4,
    clusterDomain: "second",
    token: "file",
    debug: true,
  });
});

test("a value is what is written, also where YAML would read a number", () => {
  writeFileSync(file, "# a comment\ntoken: 00123456789012345678901\nwrite-kubeconfig-mode: 0640");
  expect(resolve()).toMatchObject({ token: "00123456789012345678901", writeKubeconfigMode: 0o640 });
});

test("a repeatable flag is replaced as a whole, unless its key ends in +", () => {
  writeFileSync(file, "node-label: [a=1, b=2]\ntls-san: one");
  dropIn("1.yaml", "node-label+: c=3\ntls-san: [two, three]");
  const { nodeLabel, tlsSan } = resolve();
  expect(nodeLabel).toEqual([
    ["a", "1"],
    ["b", "2"],
    ["c", "3"],
  ]);
  expect(tlsSan).toEqual(["two", "three"]);
});

test("a flag's other name is the same flag in every layer", () => {
  writeFileSync(file, "join: https://file:1");
  dropIn("1.yaml", "server: https://drop-in:1");
  expect(resolve({}, {}, "agent").join).toBe("https://drop-in:1");
  expect(resolve({ join: ["https://given:1"] }, {}, "agent").join).toBe("https://given:1");
  expect(resolve({}, { MINI8S_URL: "https://env:1" }, "agent").join).toBe("https://env:1");
});

test("one file serves server and agent: what concerns only the other is left alone", () => {
  writeFileSync(file, "server: https://a:1\nhttps-listen-port: 1");
  expect(resolve({}, {}, "server").join).toBeUndefined();
  expect(resolve({}, {}, "agent").httpsListenPort).toBe(6443);
});

test("what is wrong with a file is told with the file's name", () => {
  writeFileSync(file, "no-such-flag: 1");
  expect(() => resolve()).toThrow(
    `the config file ${file} has the key "no-such-flag", which is no flag: mini8s server --help lists what there is`,
  );
  writeFileSync(file, "node-label: {a: 1}");
  expect(() => resolve()).toThrow(`the config file ${file} gives "node-label" a nested value`);
  writeFileSync(file, "[a]");
  expect(() => resolve()).toThrow(`the config file ${file} must hold flags as keys`);
  writeFileSync(file, "a: [");
  expect(() => resolve()).toThrow(`the config file ${file} cannot be read: `);
  rmSync(file);
  expect(() => resolve()).toThrow(`the config file ${file} does not exist`);
});

test("a list in kube-apiserver's own flags stays whole, and names only what there is", () => {
  writeFileSync(file, "");
  const value = ["Priority", "PodSecurity"];
  const given = { "kube-apiserver-arg": ["--disable-admission-plugins=Priority,PodSecurity"] };
  expect(resolve(given).kubeApiserverArg).toEqual([{ name: "disable-admission-plugins", value }]);
  const unknown = { "kube-apiserver-arg": ["enable-admission-plugins=PodSecurity,AlwaysAdmit"] };
  expect(() => resolve(unknown)).toThrow(
    'names "AlwaysAdmit", which is not here: there are Namespace',
  );
});

test("a key of an object's prototype is no flag", () => {
  writeFileSync(file, "constructor: 1");
  expect(() => resolve()).toThrow('has the key "constructor", which is no flag');
});

test.each([
  ["https-listen-port", "70000", "which is no port: use a number from 1 to 65535"],
  ["https-listen-port", "0x10", "which is no port: use a number from 1 to 65535"],
  ["node-ip", "10.0.0", "which is no IP address: use one like 192.168.1.10"],
  ["cluster-cidr", "10.0.0.0/33", "which is no IPv4 range: use one like 10.42.0.0/16"],
  ["write-kubeconfig-mode", "9", "which is no file mode: use three octal digits like 600"],
  ["service-node-port-range", "5-4", "which is no port range: use one like 30000-32767"],
  [
    "node-taint",
    "a:Never",
    "use key=value:Effect with Effect one of NoSchedule, PreferNoSchedule, NoExecute",
  ],
  ["proxy-mode", "magic", "use one of nftables, iptables, ipvs"],
  ["disable", "dns,all", "use one of dns, kube-proxy, scheduler"],
  ["debug", "maybe", "use true or false"],
  ["kube-apiserver-arg", "bogus=1", "use one of admission-control-config-file, anonymous-auth"],
  ["kube-apiserver-arg", "anonymous-auth=maybe", "which means nothing here"],
])("--%s %s is refused by a sentence that says what is right", (name, value, remedy) => {
  writeFileSync(file, "");
  expect(() => resolve({ [name]: [value] })).toThrow(remedy);
  expect(() => resolve({ [name]: [value] })).toThrow(`--${name} is "`);
});
