import { join } from "node:path";
import { Registry } from "prom-client";
import { objectKey } from "../api/object.ts";
import type { Describe } from "../api/openapi-schema.ts";
import { allResources } from "../api/registry.generated.ts";
import { secretResource } from "../api/resources/secret.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { runAll, type Service } from "../base/service.ts";
import type { Client } from "../client/client.ts";
import type { Datastore } from "../datastore/datastore.ts";
import { createAccess } from "./access.ts";
import type { AdmissionConfiguration } from "./apiserver/admission/admission-configuration.ts";
import { addressAt, parseAddressRange } from "./apiserver/allocate/address-range.ts";
import type { UserInfo } from "./apiserver/authn/authenticator.ts";
import { nodeBootstrapPaths } from "./apiserver/authn/bootstrap-paths.ts";
import { lastUsedLabel } from "./apiserver/authn/legacy-token-authenticator.ts";
import { createLegacyTokenIssuer } from "./apiserver/authn/legacy-token-issuer.ts";
import { createObjectFeed } from "./apiserver/authz/object-feed.ts";
import { type ApiServer, createApiServer } from "./apiserver/create-api-server.ts";
import type { Hub } from "./apiserver/hub.ts";
import { openHub } from "./apiserver/hub-store.ts";
import { ResourceTable } from "./apiserver/resource-table.ts";
import { createApiServiceRegistration } from "./bootstrap/api-services.ts";
import { createFlowObjectKeeper } from "./bootstrap/flow-objects.ts";
import { createServiceAddressKeeper } from "./bootstrap/service-addresses.ts";
import { bootstrapCluster, createApiServiceKeeper } from "./bootstrap.ts";
import { type JoinSecrets, openJoinSecrets } from "./certificates/join-secrets.ts";
import { writeKubeconfig } from "./certificates/kubeconfig.ts";
import { createBootstrapHandler } from "./certificates/node-bootstrap.ts";
import { createNodePasswordSecrets } from "./certificates/node-password-secrets.ts";
import { createNodePasswords } from "./certificates/node-passwords.ts";
import { createServerCertificateRenewal } from "./certificates/renew-server-certificates.ts";
import {
  type CertificateOptions,
  openServerCertificates,
  type ServerCertificates,
} from "./certificates/server-certificates.ts";
import { createControlLoops } from "./control-loops.ts";
import { createLocalClient } from "./local-client.ts";

export interface ServerConfig {
  /** `<data-dir>/server` */
  readonly folder: string;
  readonly hostname: string;
  /** The node on this machine; undefined with `--disable-agent`. */
  readonly nodeName: string | undefined;
  readonly bindAddress: string;
  readonly port: number;
  /** Where nodes and pods reach this server. */
  readonly advertiseAddress: string;
  readonly tlsNames: readonly string[];
  /** `--token`; undefined: kept from before, or made. */
  readonly token: string | undefined;
  readonly kubeconfig: { readonly path: string; readonly mode: number };
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
  /** Undefined: the tenth address of `serviceCidr`. */
  readonly clusterDns: string | undefined;
  readonly clusterDomain: string;
  readonly runsDns: boolean;
  /** Whether who brings no credentials may ask the API; what they are told is up to roles. */
  readonly allowsAnonymous: boolean;
  /** `admission-control-config-file` */
  readonly admission: AdmissionConfiguration;
  /** Of kube-apiserver's `--token-auth-file`, as `readTokenFile` reads it. */
  readonly tokenFileUsers: ReadonlyMap<string, UserInfo>;
  readonly runsScheduler: boolean;
}

export interface ServerDeps {
  readonly config: ServerConfig;
  readonly openDatastore: () => Promise<Datastore>;
  /** Texts for `kubectl explain`. */
  readonly describe: (() => Promise<Describe>) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Called once the API answers and the cluster has what every cluster has. */
  onReady(started: StartedServer): void;
}

/** What a node on the same machine needs to join. */
export interface StartedServer {
  /** Where it is reached from this machine: `https://host:port`. */
  readonly url: string;
  readonly nodeToken: string;
}

/** The control plane: datastore → hub → API → bootstrap → controllers and scheduler. */
export function createServer(deps: ServerDeps): Service {
  return {
    name: "server",
    async run(signal) {
      const { config, clock, logger } = deps;
      const range = parseAddressRange(config.serviceCidr);
      const apiServiceAddress = addressAt(range, 0);
      const certificateOptions = {
        folder: join(config.folder, "tls"),
        clock,
        log: logger,
        hostname: config.hostname,
        advertiseAddress: config.advertiseAddress,
        extraNames: config.tlsNames,
        apiServiceAddress,
        clusterDomain: config.clusterDomain,
      };
      const [certificates, datastore] = await Promise.all([
        openServerCertificates(certificateOptions),
        deps.openDatastore(),
      ]);
      await using _datastore = datastore;
      await using hub = await openHub({ datastore, logger });
      const resources = new ResourceTable(allResources);
      await runOn(
        { ...deps, hub, resources, certificates, certificateOptions, apiServiceAddress },
        signal,
      );
    },
  };
}

interface ControlPlaneDeps extends ServerDeps {
  readonly hub: Hub & Service;
  readonly resources: ResourceTable;
  readonly certificates: ServerCertificates;
  readonly certificateOptions: CertificateOptions;
  readonly apiServiceAddress: string;
}

async function runOn(deps: ControlPlaneDeps, signal: AbortSignal): Promise<void> {
  const { config, clock, logger, certificates, hub } = deps;
  const secrets = await openJoinSecrets({
    folder: config.folder,
    caBundlePem: certificates.serverCa.certificatePem,
    token: config.token,
  });
  const state = { bootstrapped: false };
  const kubelets = kubeletTls(certificates);
  const server = composeApi(deps, secrets, kubelets, () => state.bootstrapped);
  const system = clientOf(server, systemUser);
  const api = {
    serviceAddress: deps.apiServiceAddress,
    address: config.advertiseAddress,
    port: config.port,
  };
  const start: Service = {
    name: "start",
    async run(stop) {
      const { port } = await server.service.listening();
      const url = `https://${reachableHost(config)}:${port}`;
      await bootstrapCluster(
        { client: system, clock, log: logger },
        {
          api,
          dnsAddress: config.runsDns ? clusterDnsOf(config) : undefined,
          clientCaPem: certificates.clientCa.certificatePem,
          requestHeaderCaPem: certificates.requestHeaderCa.certificatePem,
        },
        stop,
      );
      const writeAdmin = ({ serverCa, admin }: ServerCertificates) =>
        writeKubeconfig(
          config.kubeconfig.path,
          { server: url, caPem: serverCa.certificatePem, client: admin },
          config.kubeconfig.mode,
        );
      await writeAdmin(certificates);
      state.bootstrapped = true;
      logger.info("the API is ready", { port, kubeconfig: config.kubeconfig.path });
      deps.onReady({ url, nodeToken: secrets.nodeToken });
      const keeper = createApiServiceKeeper({ client: system, clock, log: logger }, api);
      const loops = createControlLoops({
        client: clientOf(server, controllerUser),
        clientFor: (account) =>
          createLocalClient({
            api: server.api,
            user: controllerAccount(account),
            fieldManager: "kube-controller-manager",
          }),
        schedulerClient: clientOf(server, schedulerUser),
        clock,
        logger,
        random: deps.random,
        kinds: deps.resources,
        clusterCidr: config.clusterCidr,
        serverNode: config.nodeName,
        rootCa: certificates.serverCa.certificatePem,
        authorities: { client: certificates.clientCa, server: certificates.serverCa },
        issueToken: createLegacyTokenIssuer(certificates.serviceAccountKey),
        disabled: new Set(config.runsScheduler ? [] : ["scheduler"]),
      });
      const flowObjects = createFlowObjectKeeper({
        client: clientOf(server, flowControlUser),
        feed: createObjectFeed(hub),
        clock,
        log: logger,
      });
      const shown = { client: system, feed: createObjectFeed(hub), clock, log: logger };
      const apiServices = createApiServiceRegistration({ ...shown, kinds: deps.resources });
      const { serviceCidr } = config;
      const serviceAddresses = createServiceAddressKeeper({ ...shown, serviceCidr });
      const renewal = createServerCertificateRenewal({
        ...deps.certificateOptions,
        current: certificates,
        async renewed(next) {
          server.service.renew(listenerTls(next));
          Object.assign(kubelets, kubeletTls(next));
          await writeAdmin(next);
        },
      });
      await runAll([keeper, flowObjects, apiServices, serviceAddresses, renewal, ...loops], stop);
    },
  };
  await runAll([hub, server.service, start], signal);
}

/** What the API server shows to kubelets, and who vouches for those. */
function kubeletTls({ kubeletClient, serverCa }: ServerCertificates) {
  const { certificatePem: certificate, keyPem: key } = kubeletClient;
  return { certificate, key, authorities: serverCa.certificatePem };
}

function listenerTls({ serving, clientCa, requestHeaderCa }: ServerCertificates) {
  const { certificatePem: certificate, keyPem: key } = serving;
  const clientAuthorities = `${clientCa.certificatePem}${requestHeaderCa.certificatePem}`;
  return { certificate, key, clientAuthorities };
}

/** A wildcard is no place to connect to. */
function reachableHost({ bindAddress }: ServerConfig): string {
  return bindAddress === "0.0.0.0" || bindAddress === "::" ? "127.0.0.1" : bindAddress;
}

function clusterDnsOf(config: ServerConfig): string {
  return config.clusterDns ?? addressAt(parseAddressRange(config.serviceCidr), 9);
}

/** So long may it take to note that a token was used. */
const noteTimeoutMs = 30_000;

const authenticated = "system:authenticated";
const systemUser: UserInfo = {
  username: "system:apiserver",
  groups: ["system:masters", authenticated],
};
const controllerUser: UserInfo = {
  username: "system:kube-controller-manager",
  groups: ["system:masters", authenticated],
};
/** Named as upstream's part that writes these objects: its name is the field manager's. */
const flowControlUser: UserInfo = {
  username: "system:api-priority-and-fairness-config-consumer-v1",
  groups: ["system:masters", authenticated],
};
const schedulerUser: UserInfo = { username: "system:kube-scheduler", groups: [authenticated] };

/** As kube-controller-manager with `--use-service-account-credentials`. */
function controllerAccount(name: string): UserInfo {
  return {
    username: `system:serviceaccount:kube-system:${name}`,
    groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", authenticated],
  };
}

function clientOf(server: ApiServer, user: UserInfo): Client {
  return createLocalClient({
    api: server.api,
    user,
    fieldManager: user.username.replace("system:", ""),
  });
}

function composeApi(
  deps: ControlPlaneDeps,
  secrets: JoinSecrets,
  kubelets: ReturnType<typeof kubeletTls>,
  isBootstrapped: () => boolean,
): ApiServer {
  const { config, clock, logger, hub, certificates, resources } = deps;
  const { virtualResources, paths, ...access } = createAccess({
    resources,
    hub,
    clock,
    serviceAccountKey: certificates.serviceAccountKey,
    clientAuthorities: certificates.clientCa.certificatePem,
    frontProxyAuthorities: certificates.requestHeaderCa.certificatePem,
    allowsAnonymous: config.allowsAnonymous,
    admission: config.admission,
    tokenFileUsers: config.tokenFileUsers,
    noteLegacyTokenUse(namespace, name, date) {
      const metadata = { labels: { [lastUsedLabel]: date } };
      const patch = { type: "merge", patch: { metadata } } as const;
      const written = clientOf(server, systemUser).patch(
        secretResource,
        objectKey(namespace, name),
        patch,
        AbortSignal.timeout(noteTimeoutMs),
      );
      written.catch((error: unknown) => {
        logger.warn("cannot note on a Secret that its token was used", { namespace, name, error });
      });
    },
    clusterDomain: config.clusterDomain,
    serviceCidr: config.serviceCidr,
    nodePorts: config.nodePorts,
  });
  const bootstrap = createBootstrapHandler({
    serverCa: certificates.serverCa,
    clientCa: certificates.clientCa,
    admitsNode: secrets.admitsNode,
    // Nodes ask once the API stands, and the API needs to know this handler to stand.
    passwords: createNodePasswords({
      read: (name, signal) => passwordSecrets().read(name, signal),
      create: (name, hash, signal) => passwordSecrets().create(name, hash, signal),
    }),
    clusterConfig: {
      clusterCidr: config.clusterCidr,
      serviceCidr: config.serviceCidr,
      clusterDns: config.runsDns ? clusterDnsOf(config) : "",
      clusterDomain: config.clusterDomain,
    },
    clock,
    log: logger,
  });
  const passwordSecrets = () => createNodePasswordSecrets(clientOf(server, systemUser));
  const server = createApiServer({
    ...access,
    hub,
    resources,
    virtualResources,
    paths,
    openPaths: nodeBootstrapPaths(bootstrap),
    health: {
      live: [],
      ready: [
        {
          name: "bootstrap",
          problem: () => (isBootstrapped() ? undefined : "the first objects are being made"),
        },
      ],
    },
    describe: deps.describe,
    tls: listenerTls(certificates),
    kubelets,
    host: config.bindAddress,
    port: config.port,
    advertiseAddress: config.advertiseAddress,
    build: { gitCommit: "", buildDate: "" },
    metrics: new Registry(),
    clock,
    logger,
  });
  return server;
}
