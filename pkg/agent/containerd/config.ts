export interface ContainerdConfig {
  readonly root: string;
  readonly state: string;
  readonly socket: string;
  readonly pauseImage: string;
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  /** Where `hosts.toml` files name mirrors. */
  readonly registryConfigDir: string;
  /** True where CAP_SYS_RESOURCE is missing: an oom_score_adj below our own is then raised to it, not refused. */
  readonly restrictOomScoreAdj: boolean;
  readonly snapshotter: "overlayfs" | "native";
}

/** containerd's configuration file (version 2: read by 1.x and by 2.x). */
export function renderContainerdConfig(config: ContainerdConfig): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `# Written by mini8s at each start: changes are lost.
version = 2
root = ${toml(config.root)}
state = ${toml(config.state)}
oom_score = ${config.restrictOomScoreAdj ? 0 : -999}
# Not needed: nothing of ours uses ttrpc's or the debug socket, and each would be one more path to keep short.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = ${toml(config.socket)}

[ttrpc]
  address = ${toml(`${config.socket}.ttrpc`)}

[${cri}]
  sandbox_image = ${toml(config.pauseImage)}
  restrict_oom_score_adj = ${config.restrictOomScoreAdj}
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  # Streams are opened by this agent alone.
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  max_container_log_line_size = 16384

[${cri}.cni]
  bin_dir = ${toml(config.cniBinDir)}
  conf_dir = ${toml(config.cniConfDir)}

[${cri}.containerd]
  snapshotter = ${toml(config.snapshotter)}
  discard_unpacked_layers = false

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false

[${cri}.registry]
  config_path = ${toml(config.registryConfigDir)}
`;
}

/** A TOML basic string: the escapes of JSON are a subset of its. */
function toml(text: string): string {
  return JSON.stringify(text);
}
