import { createSocket } from "node:dgram";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerStatus, Pod } from "../../pkg/api/generated/core-v1.generated.ts";
import { containerProcesses, killContainer } from "../support/container-processes.ts";
import { busyboxImage } from "../support/images.ts";
import { shopImages } from "../support/shop-images.ts";
import { eventually, TestHost } from "../support/test-host.ts";

let host: TestHost;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/mini8s-scratch-");
  host = await TestHost.create();
  await host.addImage(await busyboxImage());
  await host.addImage((await shopImages()).tools);
  await host.start();
  await host.ready();
  await host.k("create", "namespace", "life");
  await eventually("the namespace has its ServiceAccount", async () =>
    (await host.kubectl("get", "sa", "default", "-n", "life")).exitCode === 0 ? true : undefined,
  );
  await host.apply(
    pod(
      "shell",
      'containers: [{name: app, image: "localhost/tools:1", command: [sleep, "10000"]}]',
    ),
  );
  await running("shell");
});
afterAll(async () => {
  await host?.destroy();
  await rm(scratch, { recursive: true, force: true });
});

/** A pod `name` with label `app: name`; `spec` is YAML without indentation. */
function pod(name: string, spec: string): string {
  const indented = spec.trim().split("\n").join("\n  ");
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: life, labels: {app: ${name}}, annotations: {note: "of ${name}"}}
spec:
  terminationGracePeriodSeconds: 1
  ${indented}
`;
}

const k = (...args: readonly string[]) => host.k("-n", "life", ...args);

async function get(name: string): Promise<Pod> {
  return JSON.parse(await k("get", "pod", name, "-o", "json"));
}

async function container(name: string, index = 0): Promise<ContainerStatus> {
  const found = (await get(name)).status.containerStatuses?.[index];
  if (found === undefined) throw new Error(`${name} has no container status yet`);
  return found;
}

async function running(name: string): Promise<Pod> {
  return await eventually(`${name} is ready`, async () => {
    const found = await get(name);
    const ready = found.status.conditions?.find(({ type }) => type === "Ready");
    if (ready?.status === "True") return found;
    throw new Error(JSON.stringify(found.status));
  });
}

async function ended(name: string): Promise<Pod> {
  return await eventually(`${name} has ended`, async () => {
    const found = await get(name);
    if (found.status.phase === "Succeeded" || found.status.phase === "Failed") return found;
    throw new Error(JSON.stringify(found.status));
  });
}

const inside = (name: string, ...command: readonly string[]) => k("exec", name, "--", ...command);
const shell = (script: string) => inside("shell", "sh", "-c", script);

/** `reason: message` of each event of a pod. */
async function events(name: string): Promise<readonly string[]> {
  const found = await k(
    ...["get", "events", "--field-selector", `involvedObject.name=${name}`],
    ...["-o", 'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}'],
  );
  return found.split("\n");
}

describe.concurrent("containers", () => {
  test("one that is killed comes back", async () => {
    await host.apply(
      pod("killed", 'containers: [{name: app, image: "busybox:1", command: [sleep, "10000"]}]'),
    );
    const before = (await running("killed")).status;
    const id = before.containerStatuses?.[0]?.containerID ?? "";
    await killContainer(id);
    const after = await eventually("it runs again", async () => {
      const status = await container("killed");
      return status.restartCount === 1 && status.state.running !== undefined ? status : undefined;
    });
    expect(after.containerID).not.toBe(id);
    expect(after.lastState.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
    expect((await get("killed")).status.podIP).toBe(before.podIP);
  });

  test("one that keeps failing is started later each time, and says so", async () => {
    await host.apply(
      pod("crashing", 'containers: [{name: app, image: "busybox:1", command: [sh, -c, exit 3]}]'),
    );
    const waiting = await eventually(
      "the second wait is twenty seconds",
      async () => {
        const status = await container("crashing");
        return status.state.waiting?.message?.startsWith("back-off 20s") ? status : undefined;
      },
      { timeoutMs: 60_000 },
    );
    const { uid } = (await get("crashing")).metadata;
    expect(waiting.state.waiting).toEqual({
      reason: "CrashLoopBackOff",
      message: `back-off 20s restarting failed container=app pod=crashing_life(${uid})`,
    });
    expect(waiting.restartCount).toBe(2);
    expect(waiting.lastState.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
    expect(await events("crashing")).toContain(
      `BackOff: Back-off restarting failed container app in pod crashing_life(${uid})`,
    );
    expect(await k("get", "pod", "crashing")).toMatch(/CrashLoopBackOff\s+2 \(/);
  });

  test("one whose image is nowhere says so and is tried again", async () => {
    await host.apply(pod("imageless", 'containers: [{name: app, image: "localhost/nothing:1"}]'));
    const reasons = new Set<string>();
    await eventually("both reasons were shown", async () => {
      reasons.add((await container("imageless")).state.waiting?.reason ?? "");
      return reasons.has("ErrImagePull") && reasons.has("ImagePullBackOff") ? true : undefined;
    });
    await eventually("the events are there", async () => {
      const text = (await events("imageless")).join("\n");
      expect(text).toContain('Pulling: Pulling image "localhost/nothing:1"');
      expect(text).toContain('Failed: Failed to pull image "localhost/nothing:1": ');
      expect(text).toContain("Failed: Error: ErrImagePull");
      expect(text).toContain('BackOff: Back-off pulling image "localhost/nothing:1"');
      expect(text).toContain("Failed: Error: ImagePullBackOff");
      return true;
    });
    expect((await get("imageless")).status.phase).toBe("Pending");
    await k("set", "image", "pod/imageless", "app=busybox:1");
  });

  test("one that uses more memory than it may is killed for it", async () => {
    await host.apply(
      pod(
        "greedy",
        `restartPolicy: Never
containers: [{name: app, image: "busybox:1", command: [tail, /dev/zero], resources: {limits: {memory: 32Mi}}}]`,
      ),
    );
    const { phase, containerStatuses } = (await ended("greedy")).status;
    expect(phase).toBe("Failed");
    expect(containerStatuses?.[0]?.state.terminated).toMatchObject({
      reason: "OOMKilled",
      exitCode: 137,
    });
  });

  test("one that is not alive is started again", async () => {
    await host.apply(
      pod(
        "dead",
        `containers:
- name: app
  image: busybox:1
  command: [sh, -c, "touch /tmp/alive; sleep 10000"]
  livenessProbe: {exec: {command: [cat, /tmp/alive]}, periodSeconds: 1, failureThreshold: 2}`,
      ),
    );
    await running("dead");
    await inside("dead", "rm", "/tmp/alive");
    await eventually("it was started again", async () =>
      (await container("dead")).restartCount === 1 ? true : undefined,
    );
    await eventually("the events say why", async () => {
      const text = (await events("dead")).join("\n");
      expect(text).toContain("Unhealthy: Liveness probe failed: cat:");
      expect(text).toContain("Killing: Container app failed liveness probe, will be restarted");
      return true;
    });
    await running("dead");
  });

  test("one that is not ready is out of its Service within a period, and back", async () => {
    await host.apply(`${pod(
      "moody",
      `containers:
- name: app
  image: busybox:1
  command: [sh, -c, "mkdir /www; echo good day > /www/index.html; touch /tmp/ready; exec httpd -f -p 8080 -h /www"]
  readinessProbe: {exec: {command: [test, -f, /tmp/ready]}, periodSeconds: 2, failureThreshold: 1}`,
    )}---
apiVersion: v1
kind: Service
metadata: {name: moody, namespace: life}
spec: {selector: {app: moody}, ports: [{port: 80, targetPort: 8080}]}
`);
    await running("moody");
    const readiness = async () =>
      await k(
        ...["get", "endpointslices", "-l", "kubernetes.io/service-name=moody"],
        ...["-o", "jsonpath={.items[*].endpoints[*].conditions.ready}"],
      );
    const served = () => shell("curl -s -m 2 http://moody/ || echo refused");
    await eventually("it is served", async () =>
      (await served()) === "good day" ? true : undefined,
    );
    for (const [command, ready, answer] of [
      ["rm", "false", "refused"],
      ["touch", "true", "good day"],
      ["rm", "false", "refused"],
    ] as const) {
      await inside("moody", command, "/tmp/ready");
      const since = performance.now();
      await eventually(`ready is ${ready}`, async () =>
        (await readiness()) === ready ? true : undefined,
      );
      // One period, and what kubectl and a busy machine take.
      expect(performance.now() - since).toBeLessThan(6_000);
      await eventually(`the answer is ${answer}`, async () =>
        (await served()).endsWith(answer) ? true : undefined,
      );
    }
    expect((await container("moody")).restartCount).toBe(0);
  });

  test("init containers run in their order, a sidecar beside them and the rest", async () => {
    await host.apply(
      pod(
        "ordered",
        `restartPolicy: Never
initContainers:
- {name: first, image: "busybox:1", command: [sh, -c, "echo first >> /shared/order"], volumeMounts: &mounts [{name: shared, mountPath: /shared}]}
- name: side
  image: busybox:1
  restartPolicy: Always
  command: [sh, -c, "trap 'echo side-ended > /dev/termination-log; exit 0' TERM; echo side >> /shared/order; touch /shared/side; while :; do sleep 0.1; done"]
  startupProbe: {exec: {command: [test, -f, /shared/side]}, periodSeconds: 1}
  volumeMounts: *mounts
- {name: second, image: "busybox:1", command: [sh, -c, "echo second >> /shared/order"], volumeMounts: *mounts}
containers:
- {name: app, image: "busybox:1", command: [sh, -c, "cat /shared/order; sleep 4"], volumeMounts: *mounts}
volumes: [{name: shared, emptyDir: {}}]`,
      ),
    );
    await running("ordered");
    expect(await k("logs", "ordered", "-c", "app")).toBe("first\nside\nsecond");
    const during = (await get("ordered")).status.initContainerStatuses ?? [];
    expect(during.map(({ ready }) => ready)).toEqual([true, true, true]);
    expect(during[1]?.state.running).toBeDefined();
    const { phase, initContainerStatuses } = (await ended("ordered")).status;
    expect(phase).toBe("Succeeded");
    expect(initContainerStatuses?.[1]?.state.terminated?.exitCode).toBe(0);
  });

  test("last words are in the status", async () => {
    await host.apply(
      pod(
        "talkative",
        `restartPolicy: Never
containers:
- {name: said, image: "busybox:1", command: [sh, -c, "echo goodbye > /dev/termination-log; exit 4"]}
- {name: logged, image: "busybox:1", terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, "echo out of tea; exit 5"]}`,
      ),
    );
    const { containerStatuses = [] } = (await ended("talkative")).status;
    expect(containerStatuses[0]?.state.terminated).toMatchObject({
      exitCode: 4,
      reason: "Error",
      message: "goodbye\n",
    });
    expect(containerStatuses[1]?.state.terminated).toMatchObject({
      exitCode: 5,
      message: expect.stringContaining("out of tea"),
    });
  });
});

describe.concurrent("what a pod is given", () => {
  test("volumes of each kind, with their modes; a ConfigMap's change reaches the files", async () => {
    await host.apply(`apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: life}
data: {colour: red, "sub.key": deep}
---
apiVersion: v1
kind: Secret
metadata: {name: secret, namespace: life}
stringData: {password: hush}
---
${pod(
  "volumes",
  `containers:
- name: app
  image: busybox:1
  command: [sh, -c, "echo from app > /empty/app; sleep 10000"]
  resources: {requests: {cpu: 20m, memory: 16Mi}, limits: {memory: 64Mi}}
  volumeMounts:
  - {name: empty, mountPath: /empty}
  - {name: memory, mountPath: /memory}
  - {name: host, mountPath: /host}
  - {name: settings, mountPath: /settings}
  - {name: settings, mountPath: /single, subPath: colour}
  - {name: secret, mountPath: /secret, readOnly: true}
  - {name: projected, mountPath: /projected}
  - {name: downward, mountPath: /downward}
- name: other
  image: busybox:1
  command: [sleep, "10000"]
  volumeMounts: [{name: empty, mountPath: /empty}]
volumes:
- {name: empty, emptyDir: {}}
- {name: memory, emptyDir: {medium: Memory, sizeLimit: 8Mi}}
- {name: host, hostPath: {path: ${scratch}/made, type: DirectoryOrCreate}}
- {name: settings, configMap: {name: settings}}
- {name: secret, secret: {secretName: secret, defaultMode: 0400}}
- name: projected
  projected:
    sources:
    - serviceAccountToken: {path: token, audience: tea-house, expirationSeconds: 600}
    - configMap: {name: settings, items: [{key: sub.key, path: a/b}]}
    - secret: {name: secret, optional: true, items: [{key: password, path: password, mode: 0440}]}
    - configMap: {name: missing, optional: true}
- name: downward
  downwardAPI:
    items:
    - {path: labels, fieldRef: {fieldPath: metadata.labels}}
    - {path: note, fieldRef: {fieldPath: "metadata.annotations['note']"}}
    - {path: memory, resourceFieldRef: {containerName: app, resource: limits.memory, divisor: 1Mi}}`,
)}`);
    await running("volumes");
    const cat = (...files: readonly string[]) =>
      k("exec", "volumes", "-c", "app", "--", "cat", ...files);
    expect(await k("exec", "volumes", "-c", "other", "--", "cat", "/empty/app")).toBe("from app");
    await k("exec", "volumes", "-c", "app", "--", "sh", "-c", "echo kept > /host/file");
    expect(await readFile(join(scratch, "made/file"), "utf8")).toBe("kept\n");
    expect(await cat("/settings/colour", "/single", "/secret/password")).toBe("redredhush");
    const modes = await k(
      ...["exec", "volumes", "-c", "app", "--", "stat", "-Lc", "%a"],
      ...["/settings/colour", "/secret/password", "/projected/password", "/projected/token"],
    );
    expect(modes.split("\n")).toEqual(["644", "400", "440", "644"]);
    expect(await cat("/projected/a/b")).toBe("deep");
    expect(await cat("/downward/labels")).toBe('app="volumes"');
    expect(await cat("/downward/note", "/downward/memory")).toBe("of volumes64");
    const claims = JSON.parse(
      Buffer.from((await cat("/projected/token")).split(".")[1] ?? "", "base64url").toString(),
    );
    expect(claims).toMatchObject({ aud: ["tea-house"], sub: "system:serviceaccount:life:default" });
    expect(await k("exec", "volumes", "-c", "app", "--", "mount")).toMatch(/tmpfs on \/memory/);

    await k("patch", "configmap", "settings", "-p", '{"data":{"colour":"green"}}');
    await k("label", "pod", "volumes", "mood=fine");
    await eventually("the files follow", async () => {
      expect(await cat("/settings/colour")).toBe("green");
      expect(await cat("/downward/labels")).toBe('app="volumes"\nmood="fine"');
      return true;
    });
    // As upstream: what is mounted by subPath stays.
    expect(await cat("/single")).toBe("red");
  });

  test("environment from fields, resources, ConfigMaps, Secrets and Services", async () => {
    await host.apply(`apiVersion: v1
kind: ConfigMap
metadata: {name: env, namespace: life}
data: {TEA: assam}
---
apiVersion: v1
kind: Secret
metadata: {name: env, namespace: life}
stringData: {PASSWORD: hush}
---
apiVersion: v1
kind: Service
metadata: {name: tea-house, namespace: life}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
`);
    await host.apply(
      pod(
        "env",
        `containers:
- name: app
  image: busybox:1
  command: [sleep, "10000"]
  resources: {requests: {cpu: 250m}, limits: {memory: 64Mi}}
  envFrom: [{configMapRef: {name: env}}, {prefix: S_, secretRef: {name: env}}]
  env:
  - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
  - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
  - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
  - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
  - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
  - {name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
  - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory}}}
  - {name: BOTH, value: "$(TEA) for $(POD), not $$(TEA) nor $(NOBODY)"}`,
      ),
    );
    const { status } = await running("env");
    const lines = (await inside("env", "env")).split("\n");
    const service = await k("get", "service", "tea-house", "-o", "jsonpath={.spec.clusterIP}");
    for (const line of [
      "TEA=assam",
      "S_PASSWORD=hush",
      "POD=env",
      "NAMESPACE=life",
      `IP=${status.podIP}`,
      "NODE=node-1",
      `HOST_IP=${host.address}`,
      "APP=env",
      "CPU=250",
      `MEMORY=${64 * 1024 * 1024}`,
      "BOTH=assam for env, not $(TEA) nor $(NOBODY)",
      `TEA_HOUSE_SERVICE_HOST=${service}`,
      "KUBERNETES_SERVICE_PORT=443",
      "HOSTNAME=env",
    ])
      expect(lines).toContain(line);
  });

  test("the user, the groups and the root file system it asked for", async () => {
    await host.apply(
      pod(
        "secure",
        `securityContext: {runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000]}
containers:
- name: app
  image: busybox:1
  command: [sleep, "10000"]
  securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
  volumeMounts: [{name: data, mountPath: /data}]
volumes: [{name: data, emptyDir: {}}]`,
      ),
    );
    await running("secure");
    expect(await inside("secure", "id")).toMatch(/uid=1000 gid=2000 groups=2000,3000,4000$/);
    expect(
      (await host.kubectl("-n", "life", "exec", "secure", "--", "touch", "/file")).stderr,
    ).toContain("Read-only file system");
    await inside("secure", "touch", "/data/file");
    expect(await inside("secure", "stat", "-c", "%u:%g", "/data/file")).toBe("1000:3000");
    const status = await inside("secure", "cat", "/proc/self/status");
    expect(status).toMatch(/NoNewPrivs:\t1/);
    expect(status).toMatch(/CapBnd:\t0000000000000000/);

    await host.apply(
      pod(
        "root",
        `securityContext: {runAsNonRoot: true}
containers: [{name: app, image: "busybox:1", command: [sleep, "10000"]}]`,
      ),
    );
    const waiting = await eventually("root is refused", async () => {
      return (await container("root")).state.waiting?.reason === "CreateContainerConfigError"
        ? (await container("root")).state.waiting
        : undefined;
    });
    expect(waiting?.message).toContain("container has runAsNonRoot and image will run as root");
  });

  test("a token that the API takes, at the API's name", async () => {
    const answer = await shell(
      "cd /var/run/secrets/kubernetes.io/serviceaccount; curl -sS --cacert ca.crt " +
        '-H "Authorization: Bearer $(cat token)" https://kubernetes.default.svc/version; cat namespace',
    );
    expect(answer).toContain('"gitVersion"');
    expect(answer).toMatch(/life$/);
  });

  test("the host's network where it asks for it", async () => {
    await host.apply(
      pod(
        "outside",
        `hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
containers: [{name: app, image: "busybox:1", command: [sh, -c, "mkdir /www; echo outside > /www/index.html; exec httpd -f -p 18080 -h /www"], ports: [{containerPort: 18080}]}]`,
      ),
    );
    const { status } = await running("outside");
    expect(status.podIP).toBe(host.address);
    expect(await inside("outside", "ip", "-o", "-4", "addr")).toContain(host.address);
    expect(await shell(`curl -sS -m 3 http://${host.address}:18080/`)).toBe("outside");
    expect(await inside("outside", "nslookup", "kubernetes.default.svc.cluster.local")).toContain(
      "10.43.0.1",
    );
  });
});

describe.concurrent("names and Services", () => {
  test("headless Services, SRV, pods, external names, addresses backwards", async () => {
    const member = (name: string) =>
      pod(
        name,
        `hostname: ${name}
subdomain: choir
containers: [{name: app, image: "busybox:1", command: [sleep, "10000"], ports: [{name: song, containerPort: 7000}]}]`,
      ).replace(`app: ${name}`, "app: choir");
    await host.apply(`${member("alto")}---
${member("bass")}---
apiVersion: v1
kind: Service
metadata: {name: choir, namespace: life}
spec: {clusterIP: None, selector: {app: choir}, ports: [{name: song, port: 7000}]}
---
apiVersion: v1
kind: Service
metadata: {name: solo, namespace: life}
spec: {selector: {app: choir}, ports: [{name: song, port: 70, targetPort: song}]}
---
apiVersion: v1
kind: Service
metadata: {name: abroad, namespace: life}
spec: {type: ExternalName, externalName: opera.example.com}
`);
    const alto = (await running("alto")).status.podIP ?? "";
    const bass = (await running("bass")).status.podIP ?? "";
    const solo = await k("get", "service", "solo", "-o", "jsonpath={.spec.clusterIP}");
    const look = (type: string, name: string) => shell(`nslookup -type=${type} ${name} || true`);
    const zone = "life.svc.cluster.local";
    await eventually("the names are there", async () => {
      const all = await look("a", `choir.${zone}`);
      expect(all).toContain(alto);
      expect(all).toContain(bass);
      return true;
    });
    expect(await look("a", `alto.choir.${zone}`)).toContain(alto);
    expect(await look("a", `alto.choir.${zone}`)).not.toContain(bass);
    expect(await look("srv", `_song._tcp.choir.${zone}`)).toContain(`7000 bass.choir.${zone}`);
    expect(await look("srv", `_song._tcp.solo.${zone}`)).toContain(`70 solo.${zone}`);
    expect(await look("a", `solo.${zone}`)).toContain(solo);
    expect(await look("a", `${alto.replaceAll(".", "-")}.life.pod.cluster.local`)).toContain(alto);
    expect(await look("cname", `abroad.${zone}`)).toContain("opera.example.com");
    expect(await look("ptr", `${solo.split(".").reverse().join(".")}.in-addr.arpa`)).toContain(
      `solo.${zone}`,
    );
    expect(await look("a", `nobody.${zone}`)).toContain("NXDOMAIN");
    expect(await inside("alto", "hostname")).toBe("alto");
    expect(await inside("alto", "cat", "/etc/hosts")).toContain(`alto.choir.${zone}`);
  });

  test("UDP, from a pod and from outside", async () => {
    await host.apply(`${pod(
      "echo",
      'containers: [{name: app, image: "localhost/tools:1", command: [socat, "UDP4-LISTEN:9999,fork", "EXEC:cat"]}]',
    )}---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: life}
spec: {type: NodePort, selector: {app: echo}, ports: [{port: 99, targetPort: 9999, protocol: UDP, nodePort: 30999}]}
`);
    await running("echo");
    await eventually("a pod's packet is answered", async () =>
      (await shell("echo hello | socat -t 1 - UDP4:echo:99 || true")) === "hello"
        ? true
        : undefined,
    );
    await eventually("a packet from outside is answered", () => ask(host.address, 30_999, "hi\n"));
  });
});

/** Sends a datagram; what comes back within a second. */
async function ask(address: string, port: number, text: string): Promise<string | undefined> {
  const socket = createSocket("udp4");
  try {
    return await new Promise((resolve, reject) => {
      socket.once("message", (message) => resolve(message.toString()));
      socket.once("error", reject);
      AbortSignal.timeout(1_000).addEventListener("abort", () => resolve(undefined));
      socket.send(text, port, address);
    });
  } finally {
    socket.close();
  }
}

describe.concurrent("the end of a pod", () => {
  test("preStop first, then SIGTERM, and as much time as it was promised", async () => {
    await host.apply(
      pod(
        "polite",
        `containers:
- name: app
  image: busybox:1
  command: [sh, -c, "trap 'echo term >> /out/polite; sleep 1; echo done >> /out/polite; exit 0' TERM; while :; do sleep 0.1; done"]
  lifecycle:
    postStart: {exec: {command: [sh, -c, "echo postStart >> /out/polite"]}}
    preStop: {exec: {command: [sh, -c, "echo preStop >> /out/polite; sleep 1; echo stopped >> /out/polite"]}}
  volumeMounts: [{name: out, mountPath: /out}]
volumes: [{name: out, hostPath: {path: ${scratch}, type: Directory}}]`,
      ).replace("PeriodSeconds: 1", "PeriodSeconds: 20"),
    );
    await running("polite");
    const since = performance.now();
    await k("delete", "pod", "polite");
    const took = performance.now() - since;
    expect(await readFile(join(scratch, "polite"), "utf8")).toBe(
      "postStart\npreStop\nstopped\nterm\ndone\n",
    );
    expect(took).toBeGreaterThan(1_900);
    expect(took).toBeLessThan(15_000);
  });

  test("who leaves serves on for as long as it is ready", async () => {
    await host.apply(`${pod(
      "leaving",
      `containers:
- name: app
  image: busybox:1
  command: [sh, -c, "touch /tmp/ready; sleep 10000"]
  readinessProbe: {exec: {command: [test, -f, /tmp/ready]}, periodSeconds: 1, failureThreshold: 1}
  livenessProbe: {exec: {command: [test, -f, /tmp/ready]}, periodSeconds: 1, failureThreshold: 1}
  lifecycle: {preStop: {exec: {command: [sh, -c, "sleep 4; rm /tmp/ready; sleep 100"]}}}`,
    ).replace("PeriodSeconds: 1", "PeriodSeconds: 12")}---
apiVersion: v1
kind: Service
metadata: {name: leaving, namespace: life}
spec: {selector: {app: leaving}, ports: [{port: 80}]}
`);
    await running("leaving");
    await k("delete", "pod", "leaving", "--wait=false");
    for (const serving of [true, false]) {
      await eventually(`serving is ${serving}`, async () => {
        const conditions = await k(
          ...["get", "endpointslices", "-l", "kubernetes.io/service-name=leaving"],
          ...["-o", "jsonpath={.items[0].endpoints[0].conditions}"],
        );
        expect(JSON.parse(conditions)).toEqual({ ready: false, serving, terminating: true });
        return true;
      });
    }
    expect((await events("leaving")).join("\n")).not.toContain("Liveness");
  });

  test("who does not obey is killed when its time is over", async () => {
    await host.apply(
      pod(
        "stubborn",
        `containers: [{name: app, image: "busybox:1", command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]}]`,
      ).replace("PeriodSeconds: 1", "PeriodSeconds: 3"),
    );
    await running("stubborn");
    const since = performance.now();
    await k("delete", "pod", "stubborn");
    const took = performance.now() - since;
    expect(took).toBeGreaterThan(2_900);
    // Far from the default of thirty seconds.
    expect(took).toBeLessThan(15_000);
  });

  test("by force it is gone from the API at once, and from the node soon", async () => {
    await host.apply(
      pod(
        "forced",
        `containers: [{name: app, image: "busybox:1", command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]}]`,
      ).replace("PeriodSeconds: 1", "PeriodSeconds: 100"),
    );
    const id = (await running("forced")).status.containerStatuses?.[0]?.containerID ?? "";
    const since = performance.now();
    await k("delete", "pod", "forced", "--grace-period=0", "--force");
    expect(performance.now() - since).toBeLessThan(10_000);
    await eventually(
      "nothing of it runs",
      async () => ((await containerProcesses(id)).length === 0 ? true : undefined),
      { timeoutMs: 10_000 },
    );
  });
});
