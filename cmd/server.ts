import { mkdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { getAsset, isSea } from "node:sea";
import type { Worker } from "node:worker_threads";
import ipaddr from "ipaddr.js";
import { systemMachine } from "../pkg/agent/host/machine.ts";
import { readDescriptions } from "../pkg/api/openapi-descriptions.ts";
import { aborted } from "../pkg/base/abort.ts";
import { systemClock } from "../pkg/base/clock.ts";
import type { Logger } from "../pkg/base/log.ts";
import { MendableError } from "../pkg/base/mendable-error.ts";
import { runStacked, type Service } from "../pkg/base/service.ts";
import { openDatastore } from "../pkg/datastore/open.ts";
import {
  type AdmissionConfiguration,
  readAdmissionConfiguration,
} from "../pkg/server/apiserver/admission/admission-configuration.ts";
import { readTokenFile } from "../pkg/server/apiserver/authn/token-file.ts";
import { createServer, type ServerConfig, type StartedServer } from "../pkg/server/server.ts";
import type { AgentThreadData, AgentThreadReport } from "./agent-thread.ts";
import { claimDataDir } from "./claim-data-dir.ts";
import type { FlagValues } from "./flags.ts";
import { readGivenToken } from "./given-token.ts";
import { nodeConfigOf, nodeNameOf } from "./node-config.ts";
import { sqliteAddonFile, startThread } from "./threads.ts";
import { UsageError } from "./usage-error.ts";

/** `mini8s server`: the control plane and, unless told otherwise, a node. Settles when both have stopped. */
export async function runServerCommand(
  flags: FlagValues,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  using _claim = claimDataDir(flags.dataDir);
  mkdirSync(join(flags.dataDir, "server", "db"), { recursive: true, mode: 0o700 });
  const config = await serverConfigOf(flags);
  const started = Promise.withResolvers<StartedServer>();
  const server = createServer({
    config,
    openDatastore: () => {
      const endpoint = flags.datastoreEndpoint ?? "";
      const usesSqlite = !endpoint.startsWith("memory:");
      const nativeBinding = usesSqlite ? sqliteAddonFile(flags.dataDir) : undefined;
      return openDatastore(endpoint, {
        directory: join(config.folder, "db"),
        startThread: (data) => startThread("sqlite", data),
        ...(nativeBinding === undefined ? {} : { nativeBinding }),
        clock: systemClock,
        logger,
      });
    },
    describe: isSea()
      ? () => readDescriptions(new Uint8Array(getAsset("descriptions.json.br")))
      : undefined,
    clock: systemClock,
    logger,
    random: Math.random,
    onReady: started.resolve,
  });
  if (flags.disableAgent) {
    await server.run(signal);
    return;
  }
  // Asked now, so that a wrong flag of the node is told at once and not after the API is up.
  const nodeOf = ({ url, nodeToken }: StartedServer) =>
    nodeConfigOf(flags, { server: url, token: nodeToken });
  nodeOf({ url: "", nodeToken: "" });
  await runStacked(server, nodeThread(started.promise, nodeOf, flags.debug), signal);
}

/** The node in a thread of its own, so that neither a fork nor a probe ever delays the API. */
function nodeThread(
  started: Promise<StartedServer>,
  configOf: (server: StartedServer) => AgentThreadData["config"],
  debug: boolean,
): Service {
  return {
    name: "node",
    async run(signal) {
      const stopped = aborted(signal).then(() => undefined);
      const server = await Promise.race([started, stopped]);
      if (server === undefined) return;
      const data: AgentThreadData = { config: configOf(server), debug };
      const thread: Worker = startThread("agent", data);
      const end = Promise.withResolvers<void>();
      thread.on("message", (report: AgentThreadReport) => {
        if (report.type === "failed") end.reject(errorOf(report));
      });
      thread.on("error", (error) => end.reject(error));
      thread.on("exit", () => end.resolve());
      void stopped.then(() => thread.postMessage("stop"));
      await end.promise;
    },
  };
}

/** What the thread threw, as far as it can be told between threads. */
function errorOf({ message, stack }: Extract<AgentThreadReport, { type: "failed" }>): Error {
  if (stack === undefined) return new MendableError(message);
  const error = new Error(message);
  error.stack = stack;
  return error;
}

/** A node's pods get a /24, and the cluster's DNS the tenth address of the Services. */
const prefixMax = { "cluster-cidr": 24, "service-cidr": 28 } as const;

function checkRanges({ clusterCidr, serviceCidr }: FlagValues): void {
  const ranges = { "cluster-cidr": clusterCidr, "service-cidr": serviceCidr } as const;
  for (const flag of ["cluster-cidr", "service-cidr"] as const) {
    if (ipaddr.IPv4.parseCIDR(ranges[flag])[1] > prefixMax[flag])
      throw new UsageError(
        `--${flag} is "${ranges[flag]}", which is too small: use a /${prefixMax[flag]} or larger`,
      );
  }
  const pods = ipaddr.IPv4.parseCIDR(clusterCidr);
  const services = ipaddr.IPv4.parseCIDR(serviceCidr);
  if (pods[0].match(services) || services[0].match(pods))
    throw new UsageError(
      `--cluster-cidr ${clusterCidr} and --service-cidr ${serviceCidr} overlap: use ranges apart from each other`,
    );
}

type ApiserverConfig = Pick<ServerConfig, "allowsAnonymous" | "tokenFileUsers" | "admission">;

/** What `--kube-apiserver-arg` says; of several of one name the last counts. */
function apiserverConfigOf({ kubeApiserverArg }: FlagValues): ApiserverConfig {
  let config: ApiserverConfig = {
    allowsAnonymous: true,
    tokenFileUsers: new Map(),
    admission: {},
  };
  for (const { name, value } of kubeApiserverArg) {
    switch (name) {
      case "anonymous-auth":
        config = { ...config, allowsAnonymous: value };
        break;
      case "token-auth-file":
        config = { ...config, tokenFileUsers: fromFile(name, value, readTokenFile) };
        break;
      case "admission-control-config-file":
        config = {
          ...config,
          admission: { ...config.admission, ...fromFile(name, value, readAdmissionFile) },
        };
        break;
      case "disable-admission-plugins":
        config = { ...config, admission: { ...config.admission, disabled: new Set(value) } };
        break;
      case "enable-admission-plugins":
        config = { ...config, admission: { ...config.admission, enabled: new Set(value) } };
        break;
    }
  }
  return config;
}

/** Paths in the file are relative to it. */
function readAdmissionFile(file: string, text: string): AdmissionConfiguration {
  return readAdmissionConfiguration(text, (path) =>
    readFileSync(resolve(dirname(file), path), "utf8"),
  );
}

function fromFile<T>(name: string, file: string, read: (file: string, text: string) => T): T {
  try {
    return read(file, readFileSync(file, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--kube-apiserver-arg ${name} cannot be read: ${why}`, { cause });
  }
}

async function serverConfigOf(flags: FlagValues): Promise<ServerConfig> {
  checkRanges(flags);
  const advertiseAddress =
    flags.advertiseAddress ?? flags.nodeIp ?? (await systemMachine.defaultAddress());
  if (advertiseAddress === undefined) {
    throw new UsageError(
      "this machine has no default route to tell its address by: name the address with --node-ip or --advertise-address",
    );
  }
  return {
    folder: join(flags.dataDir, "server"),
    hostname: hostname().toLowerCase(),
    nodeName: flags.disableAgent ? undefined : nodeNameOf(flags),
    bindAddress: flags.bindAddress,
    port: flags.httpsListenPort,
    advertiseAddress,
    tlsNames: flags.tlsSan,
    token: await readGivenToken(flags),
    kubeconfig: { path: flags.writeKubeconfig, mode: flags.writeKubeconfigMode },
    clusterCidr: flags.clusterCidr,
    serviceCidr: flags.serviceCidr,
    nodePorts: flags.serviceNodePortRange,
    clusterDns: flags.clusterDns,
    clusterDomain: flags.clusterDomain,
    ...apiserverConfigOf(flags),
    runsDns: !flags.disable.includes("dns"),
    runsScheduler: !flags.disable.includes("scheduler"),
  };
}
