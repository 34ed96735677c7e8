import { expect, test } from "vitest";
import type { PodSpec } from "../../../../api/generated/core-v1.generated.ts";
import { printViolations, violationsOf } from "./evaluate.ts";
import type { Level } from "./policy.ts";

/** What a restricted namespace lets through. */
const good = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
const c = (securityContext: object = good, rest: object = {}) => ({
  name: "c",
  securityContext,
  ...rest,
});
const d = (securityContext: object = good) => ({ name: "d", securityContext });

function judge(level: Level, minor: number | "latest", spec: object, annotations = {}): string {
  const pod = { metadata: { annotations }, spec: spec as unknown as PodSpec };
  return printViolations(violationsOf({ level, minor }, pod));
}

test("what restricted asks for is enough, and a bare pod is told all it misses", () => {
  expect(judge("restricted", "latest", { containers: [c()] })).toBe("");
  expect(judge("privileged", "latest", { hostPID: true, containers: [{ name: "c" }] })).toBe("");
  expect(judge("baseline", "latest", { containers: [{ name: "c" }] })).toBe("");
  expect(judge("restricted", "latest", { containers: [{ name: "c" }] })).toBe(
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
      'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
      'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
      'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
});

test("violations of baseline come first, each level by the checks' names", () => {
  const spec = {
    hostNetwork: true,
    hostPID: true,
    volumes: [{ name: "v", hostPath: { path: "/" } }],
    containers: [c({ ...good, privileged: true, allowPrivilegeEscalation: true })],
  };
  expect(judge("restricted", "latest", spec)).toBe(
    "host namespaces (hostNetwork=true, hostPID=true), " +
      'privileged (container "c" must not set securityContext.privileged=true), ' +
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
      'restricted volume types (volume "v" uses restricted volume type "hostPath")',
  );
});

interface Row {
  readonly of: string;
  readonly level?: Level;
  readonly minor?: number;
  readonly spec: object;
  readonly annotations?: object;
  readonly says: string;
}

const rows: readonly Row[] = [
  {
    of: "privilege escalation",
    level: "restricted",
    spec: {
      initContainers: [d({ ...good, allowPrivilegeEscalation: true })],
      containers: [c({ ...good, allowPrivilegeEscalation: undefined })],
    },
    says: 'allowPrivilegeEscalation != false (containers "d", "c" must set securityContext.allowPrivilegeEscalation=false)',
  },
  {
    of: "privilege escalation before it was a field",
    level: "restricted",
    minor: 7,
    spec: { containers: [c({ runAsNonRoot: true })] },
    says: "",
  },
  {
    of: "AppArmor",
    spec: {
      securityContext: { appArmorProfile: { type: "Unconfined" } },
      containers: [
        c({ appArmorProfile: { type: "Bogus" } }),
        d({ appArmorProfile: { type: "Localhost" } }),
      ],
    },
    annotations: { "container.apparmor.security.beta.kubernetes.io/c": "unconfined" },
    says: 'forbidden AppArmor profiles (pod and container "c" and annotation must not set AppArmor profile type to "Bogus", "Unconfined", "container.apparmor.security.beta.kubernetes.io/c="unconfined"")',
  },
  {
    of: "capabilities that are added",
    spec: { containers: [c({ capabilities: { add: ["SYS_ADMIN", "NET_RAW", "CHOWN"] } }), d()] },
    says: 'non-default capabilities (container "c" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
  },
  {
    of: "capabilities that restricted lets nobody add",
    level: "restricted",
    spec: {
      containers: [
        c({ ...good, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE", "CHOWN"] } }),
        d({ ...good, capabilities: { drop: ["CHOWN"] } }),
      ],
    },
    says: 'unrestricted capabilities (container "d" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in securityContext.capabilities.add)',
  },
  {
    of: "capabilities on Windows",
    level: "restricted",
    spec: { os: { name: "windows" }, containers: [c({ runAsNonRoot: true })] },
    says: "",
  },
  {
    of: "Windows before pods said that they are",
    level: "restricted",
    minor: 24,
    spec: { os: { name: "windows" }, containers: [c({ ...good, capabilities: {} })] },
    says: 'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
  },
  {
    of: "host paths",
    spec: {
      volumes: [
        { name: "a", hostPath: {} },
        { name: "b", emptyDir: {} },
        { name: "x", hostPath: {} },
      ],
      containers: [c()],
    },
    says: 'hostPath volumes (volumes "a", "x")',
  },
  {
    of: "host ports",
    spec: {
      containers: [
        c({}, { ports: [{ hostPort: 8080 }, { containerPort: 1 }, { hostPort: 53 }] }),
        { name: "d", ports: [{ hostPort: 53 }] },
      ],
    },
    says: 'hostPort (containers "c", "d" use hostPorts 53, 8080)',
  },
  {
    of: "one host port",
    spec: {
      ephemeralContainers: [{ name: "debug", ports: [{ hostPort: 80 }] }],
      containers: [c()],
    },
    says: 'hostPort (container "debug" uses hostPort 80)',
  },
  {
    of: "hosts of probes and hooks",
    spec: {
      containers: [
        c(
          {},
          {
            livenessProbe: { httpGet: { host: "10.0.0.1" } },
            readinessProbe: { tcpSocket: { host: "" } },
            lifecycle: { preStop: { httpGet: { host: "evil" } } },
          },
        ),
      ],
    },
    says: 'probe or lifecycle host (container "c" uses probe or lifecycle hosts "10.0.0.1", "evil")',
  },
  {
    of: "hosts of probes before 1.34",
    minor: 33,
    spec: { containers: [c({}, { livenessProbe: { httpGet: { host: "10.0.0.1" } } })] },
    says: "",
  },
  {
    of: "an open /proc",
    spec: { containers: [c({ procMount: "Unmasked" })] },
    says: 'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  },
  {
    of: "an open /proc among users of its own",
    spec: { hostUsers: false, containers: [c({ procMount: "Unmasked" })] },
    says: "",
  },
  {
    of: "an open /proc among users of its own, where restricted",
    level: "restricted",
    spec: { hostUsers: false, containers: [c({ ...good, procMount: "Unmasked" })] },
    says: 'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  },
  {
    of: "volumes",
    level: "restricted",
    spec: {
      volumes: [
        { name: "a", nfs: {} },
        { name: "b", iscsi: {} },
        { name: "x" },
        { name: "ok", csi: {} },
      ],
      containers: [c()],
    },
    says: 'restricted volume types (volumes "a", "b", "x" use restricted volume types "iscsi", "nfs", "unknown")',
  },
  {
    of: "root, said outright",
    level: "restricted",
    spec: {
      securityContext: { runAsNonRoot: false },
      containers: [c({ ...good, runAsNonRoot: false })],
    },
    says: 'runAsNonRoot != true (pod and container "c" must not set securityContext.runAsNonRoot=false)',
  },
  {
    of: "root, excluded for the whole pod",
    level: "restricted",
    spec: {
      securityContext: { runAsNonRoot: true },
      containers: [c({ ...good, runAsNonRoot: undefined })],
    },
    says: "",
  },
  {
    of: "root among users of its own",
    level: "restricted",
    spec: {
      hostUsers: false,
      securityContext: { runAsUser: 0 },
      containers: [c({ ...good, runAsNonRoot: false })],
    },
    says: "",
  },
  {
    of: "user 0",
    level: "restricted",
    spec: {
      securityContext: { runAsUser: 0 },
      containers: [c({ ...good, runAsUser: 0 }), d({ ...good, runAsUser: 1 })],
    },
    says: 'runAsUser=0 (pod and container "c" must not set runAsUser=0)',
  },
  {
    of: "SELinux",
    spec: {
      securityContext: { seLinuxOptions: { type: "spc_t", user: "u" } },
      containers: [
        c({ seLinuxOptions: { type: "container_engine_t", role: "r" } }),
        d({ seLinuxOptions: { level: "s0" } }),
      ],
    },
    says: 'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
  },
  {
    of: "an SELinux type that came later",
    minor: 30,
    spec: { containers: [c({ seLinuxOptions: { type: "container_engine_t" } })] },
    says: 'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
  },
  {
    of: "seccomp switched off",
    spec: {
      securityContext: { seccompProfile: { type: "Unconfined" } },
      containers: [c(), d({ seccompProfile: { type: "Unconfined" } })],
    },
    says: 'seccompProfile (pod and container "d" must not set securityContext.seccompProfile.type to "Unconfined")',
  },
  {
    of: "seccomp by annotation",
    minor: 18,
    spec: { containers: [c()] },
    annotations: {
      "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
      "container.seccomp.security.alpha.kubernetes.io/c": "docker/default",
    },
    says: 'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
  },
  {
    of: "seccomp said by the pod",
    level: "restricted",
    spec: {
      securityContext: { seccompProfile: { type: "Localhost" } },
      containers: [c({ ...good, seccompProfile: undefined })],
    },
    says: "",
  },
  {
    of: "sysctls",
    minor: 28,
    spec: {
      securityContext: {
        sysctls: [
          { name: "kernel.msgmax" },
          { name: "net.ipv4.tcp_rmem" },
          { name: "net.ipv4.ip_local_reserved_ports" },
        ],
      },
      containers: [c()],
    },
    says: "forbidden sysctls (kernel.msgmax, net.ipv4.tcp_rmem)",
  },
  {
    of: "sysctls that came later",
    minor: 32,
    spec: { securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem" }] }, containers: [c()] },
    says: "",
  },
  {
    of: "processes of a Windows node",
    spec: {
      securityContext: { windowsOptions: { hostProcess: true } },
      containers: [c({ windowsOptions: { hostProcess: true } })],
    },
    says: 'hostProcess (pod and container "c" must not set securityContext.windowsOptions.hostProcess=true)',
  },
  {
    of: "a version that is still to come",
    level: "restricted",
    minor: 99,
    spec: { containers: [c({ ...good, runAsUser: 0 })] },
    says: 'runAsUser=0 (container "c" must not set runAsUser=0)',
  },
];

test.each(rows)("of $of", ({ level = "baseline", minor, spec, annotations = {}, says }) => {
  expect(judge(level, minor ?? "latest", spec, annotations)).toBe(says);
});
