import { resolve } from "node:path";
import ipaddr from "ipaddr.js";
import { admissionPlugins } from "../pkg/server/apiserver/admission/admission-configuration.ts";
import { UsageError } from "./usage-error.ts";

/** The commands that take flags. */
export type CommandName = "server" | "agent" | "uninstall";

/** How a flag's text becomes a value; throws a `UsageError` that names the flag and says what would be right. */
type Parse<T> = (text: string, flag: string) => T;

export interface Flag<T = unknown> {
  /** k3s's name wherever k3s has the flag. Also the key in the config file. */
  readonly name: string;
  readonly alias?: string;
  readonly shortName?: string;
  readonly commands: readonly CommandName[];
  /** What the value is called in `--help`; undefined for a switch. */
  readonly placeholder: string | undefined;
  readonly description: string;
  readonly repeatable: boolean;
  /** Of a repeatable one: a comma belongs to the value, and does not begin another. */
  readonly takesCommas?: boolean;
  readonly parse: Parse<T>;
  readonly defaultValue: T | undefined;
  /** How `--help` shows the default, where it is more than the value. */
  readonly defaultText?: string;
}

const all = ["server", "agent", "uninstall"] as const;
const both = ["server", "agent"] as const;
const server = ["server"] as const;
const agent = ["agent"] as const;

const text: Parse<string> = (value, flag) => {
  if (value === "") throw new UsageError(`--${flag} is empty: give it a value or leave it out`);
  return value;
};

const folder: Parse<string> = (value, flag) => {
  if (value === "") throw new UsageError(`--${flag} is empty: give it a directory or leave it out`);
  return resolve(value);
};

const port: Parse<number> = (value, flag) => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 65_535) {
    throw new UsageError(`--${flag} is "${value}", which is no port: use a number from 1 to 65535`);
  }
  return number;
};

const address: Parse<string> = (value, flag) => {
  if (
    !ipaddr.isValid(value) ||
    (ipaddr.IPv4.isValid(value) && !ipaddr.IPv4.isValidFourPartDecimal(value))
  ) {
    throw new UsageError(
      `--${flag} is "${value}", which is no IP address: use one like 192.168.1.10`,
    );
  }
  return value;
};

const cidr: Parse<string> = (value, flag) => {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(value)) {
    throw new UsageError(
      `--${flag} is "${value}", which is no IPv4 range: use one like 10.42.0.0/16`,
    );
  }
  return value;
};

const fileMode: Parse<number> = (value, flag) => {
  if (!/^0?[0-7]{3}$/.test(value)) {
    throw new UsageError(
      `--${flag} is "${value}", which is no file mode: use three octal digits like 600`,
    );
  }
  return Number.parseInt(value, 8);
};

/** Those of kube-apiserver's own flags that mean something here. */
const apiserverArguments = [
  "admission-control-config-file",
  "anonymous-auth",
  "disable-admission-plugins",
  "enable-admission-plugins",
  "token-auth-file",
] as const;

type ApiserverArgument =
  | { readonly name: "anonymous-auth"; readonly value: boolean }
  | {
      readonly name: "disable-admission-plugins" | "enable-admission-plugins";
      readonly value: readonly string[];
    }
  | { readonly name: "admission-control-config-file" | "token-auth-file"; readonly value: string };

const apiserverArgument: Parse<ApiserverArgument> = (text, flag) => {
  const [, name, value = ""] = /^(?:--)?([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === "token-auth-file" || name === "admission-control-config-file") {
    if (value !== "") return { name, value: resolve(value) };
  }
  if (name === "anonymous-auth" && (value === "true" || value === "false")) {
    return { name, value: value === "true" };
  }
  if (name === "disable-admission-plugins" || name === "enable-admission-plugins") {
    return { name, value: admissionPluginsOf(value, flag, name) };
  }
  throw new UsageError(
    `--${flag} is "${text}", which means nothing here: use one of ${apiserverArguments.join(", ")}, as name=value`,
  );
};

function admissionPluginsOf(list: string, flag: string, name: string): readonly string[] {
  const plugins = list.split(",").filter((plugin) => plugin !== "");
  for (const plugin of plugins) {
    if (admissionPlugins.includes(plugin)) continue;
    throw new UsageError(
      `--${flag} ${name} names "${plugin}", which is not here: there are ${admissionPlugins.join(", ")}`,
    );
  }
  return plugins;
}

const portRange: Parse<{ readonly first: number; readonly last: number }> = (value, flag) => {
  const match = /^(\d+)-(\d+)$/.exec(value);
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (match === null || first < 1 || last > 65_535 || first > last) {
    throw new UsageError(
      `--${flag} is "${value}", which is no port range: use one like 30000-32767`,
    );
  }
  return { first, last };
};

const keyValue: Parse<readonly [string, string]> = (value, flag) => {
  const equals = value.indexOf("=");
  if (equals < 1) throw new UsageError(`--${flag} is "${value}": use name=value`);
  return [value.slice(0, equals), value.slice(equals + 1)];
};

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

const taint: Parse<Taint> = (value, flag) => {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(value);
  if (match === null) {
    throw new UsageError(
      `--${flag} is "${value}": use key=value:Effect with Effect one of NoSchedule, PreferNoSchedule, NoExecute`,
    );
  }
  return { key: match[1] ?? "", value: match[2] ?? "", effect: match[3] as Taint["effect"] };
};

const url: Parse<string> = (value, flag) => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed?.protocol !== "https:") {
    throw new UsageError(
      `--${flag} is "${value}", which is no server: use one like https://192.168.1.10:6443`,
    );
  }
  return parsed.origin;
};

const switchOn: Parse<boolean> = (value, flag) => {
  if (value === "true" || value === "") return true;
  if (value === "false") return false;
  throw new UsageError(`--${flag} is "${value}": use true or false`);
};

function oneOf<const Choice extends string>(...choices: readonly Choice[]): Parse<Choice> {
  return (value, flag) => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined)
      throw new UsageError(`--${flag} is "${value}": use one of ${choices.join(", ")}`);
    return choice;
  };
}

/** What `--disable` can switch off. */
export const components = ["dns", "kube-proxy", "scheduler"] as const;

type Declared<T> = Omit<Flag<T>, "repeatable" | "defaultValue">;

function define<T>(flag: Declared<T>): Flag<T> & { repeatable: false; defaultValue: undefined } {
  return { ...flag, repeatable: false, defaultValue: undefined };
}

function defineWithDefault<T>(
  flag: Declared<T> & { readonly defaultValue: NoInfer<T> },
): Flag<T> & { repeatable: false; defaultValue: T } {
  return { ...flag, repeatable: false };
}

function defineList<T>(flag: Declared<T>): Flag<T> & { repeatable: true; defaultValue: undefined } {
  return { ...flag, repeatable: true, defaultValue: undefined };
}

/** Every flag of `mini8s server` and `mini8s agent`, in the order in which `--help` shows them. */
export const flags = {
  config: defineWithDefault({
    name: "config",
    shortName: "c",
    commands: all,
    placeholder: "file",
    parse: text,
    defaultValue: "/etc/mini8s/config.yaml",
    description: "file with flags as keys; <file>.d/*.yaml are read after it",
  }),
  debug: defineWithDefault({
    name: "debug",
    commands: both,
    placeholder: undefined,
    parse: switchOn,
    defaultValue: false,
    description: "log what only a developer needs",
  }),
  dataDir: defineWithDefault({
    name: "data-dir",
    shortName: "d",
    commands: all,
    placeholder: "directory",
    parse: folder,
    defaultValue: "/var/lib/mini8s",
    description: "where all state is kept",
  }),
  token: define({
    name: "token",
    shortName: "t",
    commands: both,
    placeholder: "token",
    parse: text,
    defaultText: "made at first start, in <data-dir>/server/token",
    description: "the secret that lets a node join",
  }),
  tokenFile: define({
    name: "token-file",
    commands: both,
    placeholder: "file",
    parse: text,
    description: "file that holds the token",
  }),

  httpsListenPort: defineWithDefault({
    name: "https-listen-port",
    commands: server,
    placeholder: "port",
    parse: port,
    defaultValue: 6443,
    description: "port of the API",
  }),
  bindAddress: defineWithDefault({
    name: "bind-address",
    commands: server,
    placeholder: "ip",
    parse: address,
    defaultValue: "0.0.0.0",
    description: "address the API listens on",
  }),
  advertiseAddress: define({
    name: "advertise-address",
    commands: server,
    placeholder: "ip",
    parse: address,
    defaultText: "the node's address",
    description: "address under which others reach the API",
  }),
  tlsSan: defineList({
    name: "tls-san",
    commands: server,
    placeholder: "name",
    parse: text,
    description: "further name or address for the API's certificate",
  }),
  kubeApiserverArg: defineList({
    name: "kube-apiserver-arg",
    commands: server,
    placeholder: "name=value",
    parse: apiserverArgument,
    takesCommas: true,
    description: `kube-apiserver's own flag: ${apiserverArguments.join(", ")}`,
  }),
  writeKubeconfig: defineWithDefault({
    name: "write-kubeconfig",
    shortName: "o",
    commands: ["server", "uninstall"],
    placeholder: "file",
    parse: text,
    defaultValue: "/etc/mini8s/mini8s.yaml",
    description: "where the administrator's kubeconfig goes",
  }),
  writeKubeconfigMode: defineWithDefault({
    name: "write-kubeconfig-mode",
    commands: server,
    placeholder: "mode",
    parse: fileMode,
    defaultValue: 0o600,
    defaultText: "600",
    description: "its file mode",
  }),
  clusterCidr: defineWithDefault({
    name: "cluster-cidr",
    commands: server,
    placeholder: "range",
    parse: cidr,
    defaultValue: "10.42.0.0/16",
    description: "addresses for pods",
  }),
  serviceCidr: defineWithDefault({
    name: "service-cidr",
    commands: server,
    placeholder: "range",
    parse: cidr,
    defaultValue: "10.43.0.0/16",
    description: "addresses for Services",
  }),
  serviceNodePortRange: defineWithDefault({
    name: "service-node-port-range",
    commands: server,
    placeholder: "first-last",
    parse: portRange,
    defaultValue: { first: 30_000, last: 32_767 },
    defaultText: "30000-32767",
    description: "ports for NodePort Services",
  }),
  clusterDns: define({
    name: "cluster-dns",
    commands: server,
    placeholder: "ip",
    parse: address,
    defaultText: "the tenth address of --service-cidr",
    description: "address of the cluster's DNS",
  }),
  clusterDomain: defineWithDefault({
    name: "cluster-domain",
    commands: server,
    placeholder: "domain",
    parse: text,
    defaultValue: "cluster.local",
    description: "the cluster's DNS domain",
  }),
  datastoreEndpoint: define({
    name: "datastore-endpoint",
    commands: server,
    placeholder: "url",
    parse: text,
    defaultText: "sqlite in <data-dir>/server/db",
    description: "where the cluster's state is kept",
  }),
  disable: defineList({
    name: "disable",
    commands: server,
    placeholder: "component",
    parse: oneOf(...components),
    description: `leaves a component out: ${components.join(", ")}`,
  }),
  disableAgent: defineWithDefault({
    name: "disable-agent",
    commands: server,
    placeholder: undefined,
    parse: switchOn,
    defaultValue: false,
    description: "control plane only, no node",
  }),

  join: define({
    name: "join",
    alias: "server",
    shortName: "s",
    commands: agent,
    placeholder: "url",
    parse: url,
    description: "the server to join",
  }),
  nodeName: define({
    name: "node-name",
    commands: both,
    placeholder: "name",
    parse: text,
    defaultText: "the host's name",
    description: "name of this node",
  }),
  nodeIp: define({
    name: "node-ip",
    shortName: "i",
    commands: both,
    placeholder: "ip",
    parse: address,
    defaultText: "the address of the default route",
    description: "address of this node",
  }),
  nodeLabel: defineList({
    name: "node-label",
    commands: both,
    placeholder: "name=value",
    parse: keyValue,
    description: "label for this node",
  }),
  nodeTaint: defineList({
    name: "node-taint",
    commands: both,
    placeholder: "key=value:Effect",
    parse: taint,
    description: "taint this node registers with",
  }),
  containerRuntimeEndpoint: define({
    name: "container-runtime-endpoint",
    commands: all,
    placeholder: "socket",
    parse: text,
    defaultText: "a containerd of mini8s's own",
    description: "CRI socket of a container runtime to use",
  }),
  pauseImage: define({
    name: "pause-image",
    commands: both,
    placeholder: "image",
    parse: text,
    defaultText: "built in",
    description: "image that holds a pod's namespaces",
  }),
  proxyMode: define({
    name: "proxy-mode",
    commands: both,
    placeholder: "mode",
    parse: oneOf("nftables", "iptables", "ipvs"),
    defaultText: "nftables where the kernel and nft allow it, else iptables",
    description: "how Services are programmed",
  }),
  flannelBackend: defineWithDefault({
    name: "flannel-backend",
    commands: both,
    placeholder: "kind",
    parse: oneOf("vxlan", "host-gw", "none"),
    defaultValue: "vxlan",
    description: "how pods of different nodes reach each other: vxlan, host-gw, none",
  }),
  resolvConf: defineWithDefault({
    name: "resolv-conf",
    commands: both,
    placeholder: "file",
    parse: text,
    defaultValue: "/etc/resolv.conf",
    description: "where DNS forwards what it does not know",
  }),
  kubeletPort: defineWithDefault({
    name: "kubelet-port",
    commands: both,
    placeholder: "port",
    parse: port,
    defaultValue: 10_250,
    description: "port of the node's own endpoint",
  }),
} as const;

export type FlagKey = keyof typeof flags;

type ValueOf<F> = F extends { parse: Parse<infer T>; repeatable: true }
  ? readonly T[]
  : F extends { parse: Parse<infer T>; defaultValue: infer D }
    ? D extends undefined
      ? T | undefined
      : T
    : never;

/** Every flag with its value: what was given, else its default. */
export type FlagValues = { readonly [Key in FlagKey]: ValueOf<(typeof flags)[Key]> };
