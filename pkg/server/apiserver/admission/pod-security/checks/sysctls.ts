import type { Check, CheckPod } from "../check.ts";

const since0 = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
];
const since27 = [...since0, "net.ipv4.ip_local_reserved_ports"];
const since29 = [
  ...since27,
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
const since32 = [...since29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

/** A pod tunes only what touches nobody else. */
export const sysctls: Check = {
  id: "sysctls",
  level: "baseline",
  versions: [
    { minor: 0, check: allowing(new Set(since0)) },
    { minor: 27, check: allowing(new Set(since27)) },
    { minor: 29, check: allowing(new Set(since29)) },
    { minor: 32, check: allowing(new Set(since32)) },
  ],
};

function allowing(allowed: ReadonlySet<string>): CheckPod {
  return ({ spec }) => {
    const forbidden = (spec.securityContext?.sysctls ?? [])
      .map((sysctl) => sysctl.name)
      .filter((name) => !allowed.has(name));
    if (forbidden.length === 0) return undefined;
    return { reason: "forbidden sysctls", detail: forbidden.join(", ") };
  };
}
