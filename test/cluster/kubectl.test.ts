import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busyboxImage } from "../support/images.ts";
import { Kubectl } from "../support/kubectl.ts";
import { runCommand } from "../support/run-command.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let kubectl: Kubectl;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/mini8s-kubectl-");
  host = await TestHost.create();
  await host.addImage(await busyboxImage());
  await host.start();
  await host.ready();
  kubectl = new Kubectl(host, "shop");
  await kubectl.ok(["create", "namespace", "shop"]);
});
afterAll(async () => {
  await host?.destroy();
  await rm(scratch, { recursive: true, force: true });
});

const k = (...args: readonly string[]) => kubectl.ok(args);
const refused = (...args: readonly string[]) => kubectl.refused(args);
const path = (what: string, jsonpath: string) => kubectl.path(what, jsonpath);
const apply = (input: string, ...args: readonly string[]) =>
  kubectl.ok(["apply", "-f", "-", ...args], { input });

/** A program that ends when it is told to, which a process 1 does not by itself. */
const idle = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"];

interface DeploymentOptions {
  readonly replicas?: number;
  readonly value?: string;
  readonly labels?: string;
}

function deployment(name: string, options: DeploymentOptions = {}): string {
  const { replicas = 1, value = "1", labels = "" } = options;
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {app: ${name}${labels}}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: c, image: "busybox:1", command: [sleep, "10000"], env: [{name: A, value: "${value}"}]}
`;
}

async function rolledOut(name: string): Promise<void> {
  expect(await k("rollout", "status", `deployment/${name}`, "--timeout=30s")).toContain(
    `deployment "${name}" successfully rolled out`,
  );
}

const envOf = (name: string) =>
  path(`deployment ${name}`, "{.spec.template.spec.containers[0].env}");

describe("a Deployment", () => {
  test("is created, exposed and scaled", async () => {
    expect(
      await k(
        ...["create", "deployment", "web", "--image=busybox:1", "--replicas=2", "--port=8080"],
        ...["--", ...idle],
      ),
    ).toBe("deployment.apps/web created");
    await rolledOut("web");
    expect(await k("expose", "deployment", "web", "--port=80", "--target-port=8080")).toBe(
      "service/web exposed",
    );
    expect(await k("scale", "deployment", "web", "--replicas=3", "--current-replicas=2")).toBe(
      "deployment.apps/web scaled",
    );
    await k("wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/web", "--timeout=20s");
    await eventually("all three are endpoints", async () => {
      const slices = "endpointslices -l kubernetes.io/service-name=web";
      const ready = await path(slices, "{.items[*].endpoints[*].conditions.ready}");
      return ready === "true true true" ? true : undefined;
    });
    expect(
      await refused("scale", "deployment", "web", "--replicas=1", "--current-replicas=9"),
    ).toBe("error: Expected replicas to be 9, was 3");
  });

  test("is changed, looked back on, and rolled back", async () => {
    await k("set", "env", "deployment/web", "A=1", "B=2");
    await rolledOut("web");
    await k(
      ...["set", "resources", "deployment", "web"],
      ...["--limits=cpu=200m,memory=64Mi", "--requests=cpu=10m,memory=8Mi"],
    );
    await k("set", "image", "deployment/web", "busybox=docker.io/library/busybox:1");
    await k("annotate", "deployment/web", "kubernetes.io/change-cause=a longer name");
    await rolledOut("web");
    const pods = "pods -l app=web --field-selector status.phase=Running";
    expect(await path(pods, "{.items[*].spec.containers[*].resources.limits.memory}")).toMatch(
      /^64Mi 64Mi 64Mi/,
    );
    expect(await k("rollout", "history", "deployment/web")).toMatch(
      /^deployment\.apps\/web \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n3 +<none>\n4 +a longer name$/,
    );
    const second = await k("rollout", "history", "deployment/web", "--revision=2");
    expect(second).toMatch(/Environment:\n {6}A:\t1\n {6}B:\t2/);
    expect(await k("rollout", "undo", "deployment/web", "--to-revision=1")).toBe(
      "deployment.apps/web rolled back",
    );
    await rolledOut("web");
    expect(await envOf("web")).toBe("");
    expect(await path("deployment web", "{.spec.template.spec.containers[0].image}")).toBe(
      "busybox:1",
    );
    expect(await refused("rollout", "undo", "deployment/web", "--to-revision=99")).toBe(
      "error: unable to find specified revision 99 in history",
    );
  });

  test("is paused, resumed and restarted", async () => {
    await k("rollout", "pause", "deployment/web");
    expect(await refused("rollout", "pause", "deployment/web")).toContain("is already paused");
    await k("set", "env", "deployment/web", "PAUSED=1");
    await eventually("the change has been seen and waits", async () => {
      const [generation, observed, updated] = (
        await path(
          "deployment web",
          "{.metadata.generation}/{.status.observedGeneration}/{.status.updatedReplicas}",
        )
      ).split("/");
      return generation === observed && updated === "" ? true : undefined;
    });
    expect(await refused("rollout", "restart", "deployment/web")).toContain(
      "can't restart paused deployment (run rollout resume first)",
    );
    await k("rollout", "resume", "deployment/web");
    await rolledOut("web");
    await k("rollout", "restart", "deployment/web");
    await rolledOut("web");
    expect(await path("deployment web", "{.spec.template.metadata.annotations}")).toContain(
      "kubectl.kubernetes.io/restartedAt",
    );
  });

  test("is described with its conditions, ReplicaSets and events", async () => {
    const described = await k("describe", "deployment", "web");
    expect(described).toMatch(/Replicas: +3 desired \| 3 updated \| 3 total \| 3 available/);
    expect(described).toMatch(/Available +True +MinimumReplicasAvailable/);
    expect(described).toMatch(/Progressing +True +NewReplicaSetAvailable/);
    expect(described).toMatch(/NewReplicaSet: +web-[a-z0-9]+ \(3\/3 replicas created\)/);
    expect(described).toMatch(
      /ScalingReplicaSet .* deployment-controller +Scaled up replica set web-[a-z0-9]+ from 0 to 2/,
    );
    expect(await k("describe", "replicaset")).toMatch(
      /Controlled By: +Deployment\/web[\s\S]*SuccessfulCreate .* Created pod: web-/,
    );
  });
});

describe("describe", () => {
  test("tells of a pod all there is", async () => {
    const pod = await eventually("only pods that stay are listed", async () => {
      const listed = await k(
        ...["get", "pods", "-l", "app=web", "-o"],
        "jsonpath={range .items[*]}{.metadata.name} {.metadata.deletionTimestamp}{'\\n'}{end}",
      );
      const names = listed.split("\n").map((line) => line.trim());
      return names.length === 3 && names.every((name) => !name.includes(" "))
        ? names[0]
        : undefined;
    });
    const described = await k("describe", "pod", pod);
    expect(described).toMatch(/Node: +node-1\/10\.98\./);
    expect(described).toMatch(/Container ID: +containerd:\/\/[0-9a-f]{64}/);
    expect(described).toMatch(
      /Conditions:\n.*\n +PodReadyToStartContainers +True \n +Initialized +True \n +Ready +True \n +ContainersReady +True \n +PodScheduled +True/,
    );
    expect(described).toMatch(/kube-api-access-\w+:\n +Type: +Projected/);
    expect(described).toMatch(/QoS Class: +BestEffort/);
    expect(described).toMatch(
      /Scheduled .* default-scheduler +Successfully assigned shop\/web-\S+ to node-1\n.*Pulled .* kubelet .*already present on machine.*\n.*Created .*\n.*Started /,
    );
  });

  test("tells of a node all there is", async () => {
    const described = await k("describe", "node", "node-1");
    for (const condition of ["MemoryPressure", "DiskPressure", "PIDPressure"]) {
      expect(described).toMatch(new RegExp(` ${condition} +False .* KubeletHas`));
    }
    expect(described).toMatch(/ Ready +True .* KubeletReady +kubelet is posting ready status/);
    expect(described).toMatch(/InternalIP: +10\.98\.\d+\.2\n +Hostname: +node-1/);
    const resources =
      "\n +cpu: +\\d+\n +ephemeral-storage: +\\w+[\\s\\S]*?\n +memory: +\\d+Ki\n +pods: +110";
    expect(described).toMatch(new RegExp(`Capacity:${resources}`));
    expect(described).toMatch(new RegExp(`Allocatable:${resources}`));
    expect(described).toMatch(/Container Runtime Version: +containerd:\/\/\d/);
    expect(described).toMatch(/Kubelet Version: +v1\.36\.\d+\+mini8s1/);
    expect(described).toMatch(/PodCIDR: +10\.42\.0\.0\/24/);
    expect(described).toMatch(/Non-terminated Pods: +\(\d+ in total\)[\s\S]*shop +web-/);
    expect(described).toMatch(/Allocated resources:[\s\S]*cpu +\d\w* \(\d+%\) +\d\w* \(\d+%\)/);
    for (const reason of ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeReady"]) {
      expect(described).toMatch(
        new RegExp(`${reason} .* kubelet +Node node-1 status is now: ${reason}`),
      );
    }
    expect(described).toMatch(
      /RegisteredNode .* node-controller +Node node-1 event: Registered Node node-1 in Controller/,
    );
  });

  test("tells of what else there is", async () => {
    expect(await k("describe", "service", "web")).toMatch(
      /Selector: +app=web\nType: +ClusterIP[\s\S]*TargetPort: +8080\/TCP\nEndpoints: +10\.42\.0\.\d+:8080,/,
    );
    expect(await k("describe", "namespace", "shop")).toMatch(/Status: +Active/);
    await k("create", "secret", "generic", "seen", "--from-literal=password=hidden");
    const secret = await k("describe", "secret", "seen");
    expect(secret).toMatch(/password: +6 bytes/);
    expect(secret).not.toContain("hidden");
    await k("create", "configmap", "seen", "--from-literal=color=red");
    expect(await k("describe", "configmap", "seen")).toContain("color:\n----\nred");
    expect(await k("describe", "serviceaccount", "default")).toMatch(/Name: +default\n/);
  });
});

describe("get", () => {
  test("prints in every form", async () => {
    expect(await k("get", "pods", "-o", "wide")).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nweb-\S+ +1\/1 +Running +0 +\d+s +10\.42\.0\.\d+ +node-1 +<none> +<none>/,
    );
    expect(await k("get", "deployment", "web", "-o", "yaml")).toMatch(
      /^apiVersion: apps\/v1\nkind: Deployment\nmetadata:\n/,
    );
    expect(JSON.parse(await k("get", "pods", "-o", "json"))).toMatchObject({ kind: "List" });
    expect(await path("deployment web", "{.spec.replicas}/{.metadata.name}")).toBe("3/web");
    expect(
      await k("get", "deployment", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas"),
    ).toMatch(/^N +R\nweb +3$/);
    expect(await k("get", "deployment,service", "-o", "name")).toBe(
      "deployment.apps/web\nservice/web",
    );
    expect(await k("get", "deployment", "web", "--subresource=scale")).toMatch(
      /^NAME +DESIRED +AVAILABLE +AGE\nweb +3 +3 +/,
    );
    const all = await k("get", "all", "-A");
    for (const line of [
      "pod/web-",
      "service/kubernetes",
      "service/kube-dns",
      "deployment.apps/web",
    ])
      expect(all).toContain(line);
  });

  test("selects, sorts and pages", async () => {
    expect(await k("get", "pods", "--show-labels")).toMatch(/app=web,pod-template-hash=\w+$/);
    expect(await k("get", "pods", "-L", "app", "-l", "app in (web),other!=x")).toMatch(/ web$/);
    expect(await k("get", "pods", "-l", "app=nothing", "-o", "name")).toBe("");
    expect(
      await k("get", "pods", "--field-selector", "spec.nodeName=elsewhere", "-o", "name"),
    ).toBe("");
    await k("create", "configmap", "zz", "--from-literal=rank=1");
    await k("create", "configmap", "aa", "--from-literal=rank=2");
    const byRank = await k("get", "configmap", "--sort-by=.data.rank", "-o", "name");
    expect(byRank.indexOf("configmap/zz")).toBeLessThan(byRank.indexOf("configmap/aa"));
    const paged = await k("get", "clusterroles", "--chunk-size=7", "-o", "name");
    expect(paged).toBe(await k("get", "clusterroles", "--chunk-size=0", "-o", "name"));
    expect(await refused("get", "pods", "nothing")).toBe(
      'Error from server (NotFound): pods "nothing" not found',
    );
    expect(await refused("get", "nothings")).toBe(
      'error: the server doesn\'t have a resource type "nothings"',
    );
  });

  test("-w tells of what happens meanwhile", async () => {
    const watching = kubectl.run([
      ...["get", "configmap", "-w", "--output-watch-events", "-l", "watched=yes"],
      "--request-timeout=6s",
    ]);
    await apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: w, labels: {watched: 'yes'}}\n");
    await k("patch", "configmap", "w", "--type=merge", '-p={"data":{"a":"b"}}');
    await k("delete", "configmap", "w");
    const events = (await watching).stdout.match(/^(ADDED|MODIFIED|DELETED)/gm);
    expect(events).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });

  test("explain explains, in prose", async () => {
    const ports = await k("explain", "pod.spec.containers.ports");
    expect(ports).toMatch(/^KIND: +Pod\nVERSION: +v1\n\nFIELD: ports <\[\]ContainerPort>/);
    expect(ports).toMatch(/containerPort\t<integer> -required-\n +Number of port to expose/);
    const tree = await k("explain", "deployment", "--recursive");
    expect(tree).toMatch(/^GROUP: +apps\nKIND: +Deployment/);
    expect(tree).toContain("      maxUnavailable\t<IntOrString>");
    for (const resource of ["pod", "service.spec", "configmap", "clusterrole", "lease.spec"])
      expect(await k("explain", resource)).not.toContain("<no description>");
  });
});

describe("apply", () => {
  test("takes back what it gave, and leaves what others gave", async () => {
    expect(await apply(deployment("app", { labels: ", given: 'yes'" }))).toBe(
      "deployment.apps/app created",
    );
    expect(await apply(deployment("app", { labels: ", given: 'yes'" }))).toBe(
      "deployment.apps/app unchanged",
    );
    await k("set", "env", "deployment/app", "B=theirs");
    await k("label", "deployment", "app", "their=label");
    expect(await apply(deployment("app", { value: "2" }))).toBe("deployment.apps/app configured");
    expect(JSON.parse(await path("deployment app", "{.metadata.labels}"))).toEqual({
      app: "app",
      their: "label",
    });
    expect(JSON.parse(await envOf("app"))).toEqual([
      { name: "A", value: "2" },
      { name: "B", value: "theirs" },
    ]);
  });

  test("on the server's side asks before it takes from another", async () => {
    const serverSide = (value: string, ...args: readonly string[]) =>
      kubectl.run(["apply", "--server-side", "-f", "-", ...args], {
        input: deployment("ssa", { value }),
      });
    expect((await serverSide("1", "--field-manager=one")).stdout.trim()).toBe(
      "deployment.apps/ssa serverside-applied",
    );
    const other = await serverSide("2", "--field-manager=two");
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain(
      'error: Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="c"].env[name="A"].value',
    );
    expect((await serverSide("2", "--field-manager=two", "--force-conflicts")).exitCode).toBe(0);
    expect(await envOf("ssa")).toContain('"value":"2"');
    await k("delete", "deployment", "ssa");
  });

  test("diff tells what an apply would do, and does nothing", async () => {
    const diff = (value: string, ...args: readonly string[]) =>
      kubectl.run(["diff", "-f", "-", ...args], { input: deployment("app", { value }) });
    const version = await path("deployment app", "{.metadata.resourceVersion}");
    const same = await diff("2");
    expect({ exitCode: same.exitCode, stdout: same.stdout }).toEqual({ exitCode: 0, stdout: "" });
    for (const args of [[], ["--server-side", "--force-conflicts"]]) {
      const different = await diff("3", ...args);
      expect(different.exitCode).toBe(1);
      expect(different.stdout).toMatch(/\n- +value: "2"\n\+ +value: "3"\n/);
    }
    const fresh = await kubectl.run(["diff", "-f", "-"], { input: deployment("fresh") });
    expect(fresh.exitCode).toBe(1);
    expect(fresh.stdout).toContain("+kind: Deployment");
    await rolledOut("app");
    expect(
      Number(await path("deployment app", "{.metadata.resourceVersion}")),
    ).toBeGreaterThanOrEqual(Number(version));
    expect(await envOf("app")).toContain('"value":"2"');
    expect(await refused("get", "deployment", "fresh")).toContain("not found");
  });
});

describe("objects are changed", () => {
  test("by label, annotate and taint", async () => {
    await k("label", "deployment", "app", "x=y");
    expect(await refused("label", "deployment", "app", "x=z")).toBe(
      "error: 'x' already has a value (y), and --overwrite is false",
    );
    await k("label", "deployment", "app", "x=z", "--overwrite");
    expect(await k("get", "deployment", "-l", "x=z", "-o", "name")).toBe("deployment.apps/app");
    await k("label", "deployment", "app", "x-");
    await k("annotate", "deployment", "app", "note=hello");
    expect(await path("deployment app", "{.metadata.annotations.note}")).toBe("hello");
    expect(await refused("label", "deployment", "app", "a b=c")).toContain(
      "name part must consist of",
    );
    expect(await k("taint", "node", "node-1", "k=v:NoSchedule")).toBe("node/node-1 tainted");
    await k("taint", "node", "node-1", "k=w:NoSchedule", "--overwrite");
    expect(await path("node node-1", "{.spec.taints}")).toBe(
      '[{"effect":"NoSchedule","key":"k","value":"w"}]',
    );
    await k("taint", "node", "node-1", "k-");
    expect(await path("node node-1", "{.spec.taints}")).toBe("");
  });

  test("by patches of each type", async () => {
    const patch = (type: string, body: unknown) =>
      k("patch", "deployment", "app", `--type=${type}`, `-p=${JSON.stringify(body)}`);
    const containers = [{ name: "c", env: [{ name: "C", value: "3" }] }];
    await patch("strategic", { spec: { template: { spec: { containers } } } });
    expect(JSON.parse(await envOf("app"))).toContainEqual({ name: "A", value: "2" });
    expect(JSON.parse(await envOf("app"))).toContainEqual({ name: "C", value: "3" });
    await patch("merge", { spec: { revisionHistoryLimit: 3 } });
    await patch("json", [
      { op: "test", path: "/spec/revisionHistoryLimit", value: 3 },
      { op: "replace", path: "/spec/revisionHistoryLimit", value: 4 },
    ]);
    expect(await path("deployment app", "{.spec.revisionHistoryLimit}")).toBe("4");
    expect(
      await refused(
        ...["patch", "deployment", "app", "--type=json"],
        '-p=[{"op":"test","path":"/spec/revisionHistoryLimit","value":9}]',
      ),
    ).toBe(
      "The request is invalid: the server rejected our request due to an error in our request",
    );
    expect(
      await k(
        ...["patch", "deployment", "app", "--subresource=scale", "--type=merge"],
        '-p={"spec":{"replicas":2}}',
      ),
    ).toBe("scale.autoscaling/app patched");
    expect(await path("deployment app", "{.spec.replicas}")).toBe("2");
  });

  test("by replace and edit", async () => {
    await k("create", "configmap", "edited", "--from-literal=a=1");
    const live = await k("get", "configmap", "edited", "-o", "yaml");
    const replace = (input: string, ...args: readonly string[]) =>
      kubectl.run(["replace", "-f", "-", ...args], { input });
    expect((await replace(live.replace('a: "1"', 'a: "2"'))).exitCode).toBe(0);
    expect((await replace(live)).stderr).toContain(
      'Operation cannot be fulfilled on configmaps "edited": the object has been modified; please apply your changes to the latest version and try again',
    );
    const editor = join(scratch, "editor");
    await writeFile(editor, '#!/bin/sh\nsed -i \'s/a: "2"/a: "3"/\' "$1"\n', { mode: 0o755 });
    const edit = ["edit", "configmap", "edited"];
    expect(await kubectl.ok(edit, { environment: { KUBE_EDITOR: editor } })).toBe(
      "configmap/edited edited",
    );
    expect(await path("configmap edited", "{.data.a}")).toBe("3");
    const unchanged = await kubectl.run(edit, { environment: { KUBE_EDITOR: "true" } });
    expect(unchanged.stderr + unchanged.stdout).toContain("Edit cancelled, no changes made.");
    const uid = await path("configmap edited", "{.metadata.uid}");
    const again = await k("get", "configmap", "edited", "-o", "yaml");
    expect((await replace(again, "--force")).exitCode).toBe(0);
    expect(await path("configmap edited", "{.metadata.uid}")).not.toBe(uid);
  });
});

describe("objects go", () => {
  test("with or without what they own", async () => {
    await apply(deployment("owner"));
    await rolledOut("owner");
    const selector = ["-l", "app=owner", "-o", "name"];
    const replicaSet = await k("get", "replicaset", ...selector);
    await k("delete", "deployment", "owner", "--cascade=orphan");
    expect(await k("get", "replicaset", ...selector)).toBe(replicaSet);
    expect(await path(replicaSet.replace("/", " "), "{.metadata.ownerReferences}")).toBe("");
    await k("delete", replicaSet, "--cascade=foreground");
    expect(await k("get", "pods", ...selector)).toBe("");

    await apply(deployment("owner"));
    await rolledOut("owner");
    const pod = await k("get", "pods", ...selector);
    await k("delete", "deployment", "owner", "--cascade=background");
    await k("wait", "--for=delete", pod, "--timeout=20s");
    await eventually("the ReplicaSet has gone", async () =>
      (await k("get", "replicaset", ...selector)) === "" ? true : undefined,
    );
  });

  test("at once, where they are forced", async () => {
    await k("run", "stubborn", "--image=busybox:1", "--command", "--", "sleep", "1000");
    await k("wait", "--for=condition=Ready", "pod/stubborn", "--timeout=20s");
    const { stderr } = await kubectl.run([
      "delete",
      "pod",
      "stubborn",
      "--grace-period=0",
      "--force",
    ]);
    expect(stderr).toContain("Warning: Immediate deletion does not wait for confirmation");
    expect(await refused("get", "pod", "stubborn")).toBe(
      'Error from server (NotFound): pods "stubborn" not found',
    );
    await k("run", "graceful", "--image=busybox:1", "--command", "--", "sleep", "1000");
    await k("wait", "--for=condition=Ready", "pod/graceful", "--timeout=20s");
    await k("delete", "pod", "graceful", "--grace-period=1");
  });

  test("and are waited for", async () => {
    await k("wait", "--for=condition=Available", "deployment/web", "--timeout=20s");
    await k("wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/web", "--timeout=20s");
    expect(await refused("wait", "--for=condition=Nope", "deployment/web", "--timeout=1s")).toBe(
      "error: timed out waiting for the condition on deployments/web",
    );
  });

  test("from a node that is drained, and come back when it is not", async () => {
    await k("cordon", "node-1");
    expect(await k("get", "node", "node-1")).toContain("Ready,SchedulingDisabled");
    const drained = await k(
      "drain",
      "node-1",
      "--ignore-daemonsets",
      "--grace-period=1",
      "--timeout=35s",
    );
    expect(drained).toMatch(/pod\/web-\S+ evicted/);
    expect(drained).toMatch(/node\/node-1 drained$/);
    await eventually("what must wait says why", async () => {
      const events = await k("get", "events", "--field-selector", "reason=FailedScheduling");
      return events.includes("0/1 nodes are available: 1 node(s) were unschedulable.")
        ? true
        : undefined;
    });
    await k("uncordon", "node-1");
    await rolledOut("web");
  });
});

describe("who may", () => {
  beforeAll(async () => {
    await k("create", "serviceaccount", "bob");
    await k("create", "role", "reader", "--verb=get,list,watch", "--resource=pods");
    await k("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=shop:bob");
  });
  const bob = "system:serviceaccount:shop:bob";

  test("is asked by auth", async () => {
    expect(await k("auth", "can-i", "create", "pods")).toBe("yes");
    expect(await k("auth", "can-i", "list", "pods", "--as", bob)).toBe("yes");
    expect((await kubectl.run(["auth", "can-i", "list", "secrets", "--as", bob])).stdout).toBe(
      "no\n",
    );
    const rules = await k("auth", "can-i", "--list", "--as", bob);
    expect(rules).toMatch(/^Resources +Non-Resource URLs +Resource Names +Verbs\n/);
    expect(rules).toMatch(/\npods +\[\] +\[\] +\[get list watch\]/);
    expect(await k("auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}")).toBe(
      '["system:masters","system:authenticated"]',
    );
  });

  test("what a Role allows, is allowed; all else is refused in Kubernetes' words, by name or by token", async () => {
    const token = await k("create", "token", "bob", "--duration=10m");
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims.sub).toBe(bob);
    expect(claims.exp - claims.iat).toBe(600);
    const nobody = join(scratch, "nobody.yaml");
    await writeFile(
      nobody,
      (await k("config", "view", "--raw")).replace(/client-(certificate|key)-data: .*/g, ""),
    );
    for (const me of [
      ["--as", bob],
      [`--token=${token}`, `--kubeconfig=${nobody}`],
    ]) {
      expect(await k("get", "pods", "-o", "name", ...me)).toContain("pod/web-");
      expect(await refused("get", "pods", "-n", "kube-system", ...me)).toBe(
        `Error from server (Forbidden): pods is forbidden: User "${bob}" cannot list resource "pods" in API group "" in the namespace "kube-system"`,
      );
      expect(await refused("get", "deployment", "web", ...me)).toBe(
        `Error from server (Forbidden): deployments.apps "web" is forbidden: User "${bob}" cannot get resource "deployments" in API group "apps" in the namespace "shop"`,
      );
      expect(await refused("get", "nodes", ...me)).toBe(
        `Error from server (Forbidden): nodes is forbidden: User "${bob}" cannot list resource "nodes" in API group "" at the cluster scope`,
      );
      expect(await refused("create", "namespace", "zz", ...me)).toBe(
        `Error from server (Forbidden): namespaces is forbidden: User "${bob}" cannot create resource "namespaces" in API group "" at the cluster scope`,
      );
    }
    expect(await refused("get", "pods", "--token=nonsense", `--kubeconfig=${nobody}`)).toBe(
      "error: You must be logged in to the server (Unauthorized)",
    );
    expect(
      await refused("create", "rolebinding", "up", "--clusterrole=admin", "--user=x", "--as", bob),
    ).toContain("is forbidden");
  });

  test("a pod reaches kubernetes.default.svc with its token, and trusts it by its CA", async () => {
    const account = "/var/run/secrets/kubernetes.io/serviceaccount";
    const program = `const { readFileSync } = require("node:fs");
      const token = readFileSync("${account}/token", "utf8");
      const ask = async (what) => {
        const url = "https://kubernetes.default.svc/api/v1/namespaces/shop/" + what;
        const answer = await fetch(url, { headers: { authorization: "Bearer " + token } });
        const { kind, message } = await answer.json();
        console.log(answer.status, kind, message ?? "");
      };
      ask("pods").then(() => ask("secrets")).catch((e) => console.log("failed", e.cause?.code));`;
    // The very Node that runs this test, with what it needs of the machine.
    const mounts = { node: dirname(process.execPath), lib: "/usr/lib", lib64: "/usr/lib64" };
    const pod = (name: string, environment: object[]) =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: {
          serviceAccountName: "bob",
          restartPolicy: "Never",
          volumes: Object.entries(mounts).map(([volume, hostPath]) => ({
            name: volume,
            hostPath: { path: hostPath },
          })),
          containers: [
            {
              name: "c",
              image: "busybox:1",
              command: ["/node/node", "-e", program],
              env: environment,
              volumeMounts: ["node", "lib", "lib64"].map((volume) => ({
                name: volume,
                mountPath: `/${volume}`,
                readOnly: true,
              })),
            },
          ],
        },
      });
    const said = async (name: string, environment: object[]) => {
      await apply(pod(name, environment));
      await k("wait", "--for=jsonpath={.status.phase}=Succeeded", `pod/${name}`, "--timeout=30s");
      return k("logs", name);
    };
    const trusting = [{ name: "NODE_EXTRA_CA_CERTS", value: `${account}/ca.crt` }];
    expect(await said("trusting", trusting)).toBe(
      `200 PodList \n403 Status secrets is forbidden: User "${bob}" cannot list resource "secrets" in API group "" in the namespace "shop"`,
    );
    expect(await said("doubting", [])).toMatch(/^failed (SELF_SIGNED|UNABLE_TO)/);
  });
});

describe("create makes", () => {
  test("one of each kind", async () => {
    const key = join(scratch, "key.pem");
    const certificate = join(scratch, "cert.pem");
    await runCommand("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x"],
      ...["-keyout", key, "-out", certificate],
    ]);
    await k("create", "secret", "tls", "made", `--cert=${certificate}`, `--key=${key}`);
    expect(await path("secret made", "{.type}")).toBe("kubernetes.io/tls");
    await k(
      ...["create", "secret", "docker-registry", "pull", "--docker-server=h"],
      ...["--docker-username=u", "--docker-password=p"],
    );
    expect(await path("secret pull", "{.type}")).toBe("kubernetes.io/dockerconfigjson");
    await k("create", "clusterrole", "made", "--verb=get", "--resource=nodes");
    await k("create", "clusterrolebinding", "made", "--clusterrole=made", "--user=eve");
    expect(await k("auth", "can-i", "get", "nodes", "--as", "eve")).toBe("yes");
    await k("create", "service", "clusterip", "inside", "--tcp=80:80");
    await k("create", "service", "nodeport", "outside", "--tcp=80:80", "--node-port=30123");
    await k("create", "service", "externalname", "elsewhere", "--external-name=example.com");
    expect(await k("get", "services", "inside", "outside", "elsewhere")).toMatch(
      /\ninside +ClusterIP +10\.43\.\d+\.\d+ +<none> +80\/TCP +\d+s\noutside +NodePort +10\.43\.\d+\.\d+ +<none> +80:30123\/TCP +\d+s\nelsewhere +ExternalName +<none> +example\.com +<none> /,
    );
  });

  test("a pod that is run, attached to, and gone", async () => {
    expect(
      (
        await kubectl.run(
          [
            ...["run", "echo", "-i", "--rm", "--restart=Never", "--image=busybox:1"],
            ...["--command", "--", "cat"],
          ],
          { input: "spoken into it\n" },
        )
      ).stdout,
    ).toContain("spoken into it");
    expect(await refused("get", "pod", "echo")).toContain("not found");
  });
});

describe("the server tells", () => {
  test("what it serves", async () => {
    const resources = await k("api-resources", "--no-headers");
    for (const line of [
      /^pods +po +v1 +true +Pod$/m,
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      /^leases +coordination\.k8s\.io\/v1 +true +Lease$/m,
      /^clusterroles +rbac\.authorization\.k8s\.io\/v1 +false +ClusterRole$/m,
    ])
      expect(resources).toMatch(line);
    expect((await k("api-versions")).split("\n")).toEqual(
      expect.arrayContaining(["apps/v1", "rbac.authorization.k8s.io/v1", "v1"]),
    );
    expect(await k("version")).toMatch(/Server Version: v1\.36\.\d+\+mini8s1/);
    expect(await k("cluster-info")).toContain(
      "Kubernetes control plane is running at https://127.0.0.1:6443",
    );
    expect(await k("get", "--raw", "/readyz?verbose")).toMatch(/readyz check passed$/);
    expect(await k("config", "view")).toMatch(/client-key-data: DATA\+OMITTED/);
  });

  test("what has happened", async () => {
    const events = await k("events", "--for", "deployment/web");
    expect(events).toMatch(
      /Normal +ScalingReplicaSet +Deployment\/web +Scaled up replica set web-/,
    );
    expect(await k("get", "events", "-A", "--field-selector", "involvedObject.kind=Node")).toMatch(
      /default +\S+ +Normal +Starting +node\/node-1 +Starting kubelet\./,
    );
  });
});
