import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kubectl } from "../support/kubectl.ts";
import { runCommand } from "../support/run-command.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let kubectl: Kubectl;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/mini8s-access-");
  await writeFile(join(scratch, "tokens.csv"), 'file-token,tina,42,"qa,ops"\n');
  host = await TestHost.create();
  await host.start(
    "--disable-agent",
    "--kube-apiserver-arg",
    `token-auth-file=${join(scratch, "tokens.csv")}`,
  );
  await eventually("the API is ready", () =>
    Promise.resolve(existsSync(host.kubeconfig) ? true : undefined),
  );
  kubectl = new Kubectl(host, "default");
  await eventually("there is an account", async () => {
    const { exitCode } = await kubectl.run(["get", "serviceaccount", "default"]);
    return exitCode === 0 ? true : undefined;
  });
});
afterAll(async () => {
  await host?.destroy();
  await rm(scratch, { recursive: true, force: true });
});

const k = (...args: readonly string[]) => kubectl.ok(args);

/** As who shows these credentials, and knows nothing of the administrator's. */
const as = (...credentials: readonly string[]) => [
  ...["--kubeconfig", "/dev/null", "--server", "https://127.0.0.1:6443"],
  ...["--insecure-skip-tls-verify", ...credentials],
];
const whoami = (...flags: readonly string[]) =>
  k("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", ...flags);

test("kubectl auth whoami says who asks", async () => {
  expect(await whoami()).toBe("system:admin");
  expect(await whoami(...as("--token", "file-token"))).toBe("tina");
  expect(await whoami("--as", "jane", "--as-group", "devs")).toBe("jane");
  const wrong = await kubectl.refused(["get", "pods", ...as("--token", "wrong")]);
  expect(wrong).toContain("You must be logged in to the server");
});

test("kubectl create token gives a token that ends with its account", async () => {
  await k("create", "serviceaccount", "bot");
  const token = await k("create", "token", "bot", "--duration=10m");
  expect(await whoami(...as("--token", token))).toBe("system:serviceaccount:default:bot");
  const short = await kubectl.refused(["create", "token", "bot", "--duration=9m"]);
  expect(short).toContain("may not specify a duration less than 10 minutes");
  await k("delete", "serviceaccount", "bot");
  expect(await kubectl.refused(["get", "pods", ...as("--token", token)])).toContain("logged in");
});

test("kubectl auth can-i asks what roles say", async () => {
  await k("create", "rolebinding", "views", "--clusterrole=view", "--group=qa");
  const tina = as("--token", "file-token");
  expect(await k("auth", "can-i", "list", "pods", ...tina)).toBe("yes");
  const { stdout } = await kubectl.run(["auth", "can-i", "delete", "pods", ...tina]);
  expect(stdout.trim()).toBe("no");
  const list = await k("auth", "can-i", "--list", ...tina);
  expect(list).toMatch(/^pods +\[\] +\[\] +\[get list watch\]$/m);
  expect(await kubectl.refused(["get", "secrets", ...tina])).toBe(
    'Error from server (Forbidden): secrets is forbidden: User "tina" cannot list resource "secrets" in API group "" in the namespace "default"',
  );
});

test("kubectl certificate approves and denies; what is approved is issued, and lets its owner in", async () => {
  const files = { key: join(scratch, "jane.key"), request: join(scratch, "jane.csr") };
  const made = await runCommand("openssl", [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-keyout", files.key, "-subj", "/O=devs/CN=jane", "-out", files.request],
  ]);
  expect(made.exitCode).toBe(0);
  const request = (await readFile(files.request)).toString("base64");
  const manifest = (name: string) => `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ${name}}
spec:
  request: ${request}
  signerName: kubernetes.io/kube-apiserver-client
  expirationSeconds: 3600
  usages: ["digital signature", "client auth"]
`;
  await kubectl.ok(["apply", "-f", "-"], { input: `${manifest("jane")}---\n${manifest("joe")}` });
  expect(await k("certificate", "approve", "jane")).toContain("jane approved");
  expect(await k("certificate", "deny", "joe")).toContain("joe denied");
  expect(await kubectl.refused(["certificate", "approve", "joe"])).toContain("already Denied");
  const certificate = await eventually("the certificate is issued", async () => {
    const found = await kubectl.path("csr jane", "{.status.certificate}");
    return found === "" ? undefined : found;
  });
  const file = join(scratch, "jane.crt");
  await writeFile(file, Buffer.from(certificate, "base64"));
  expect(await whoami(...as("--client-certificate", file, "--client-key", files.key))).toBe("jane");
  expect(await k("get", "csr", "--no-headers")).toMatch(
    /^jane +\S+ +kubernetes.io\/kube-apiserver-client +system:admin +60m +Approved,Issued\njoe .* Denied$/,
  );
});

test("nobody grants what they do not hold", async () => {
  await k("create", "rolebinding", "admins", "--clusterrole=admin", "--user=mia");
  const grant = ["create", "role", "more", "--verb=get", "--resource=nodes", "--as=mia"];
  expect(await kubectl.refused(grant)).toContain(
    'user "mia" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}',
  );
});
