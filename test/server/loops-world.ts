import type { Node, Pod } from "../../pkg/api/generated/core-v1.generated.ts";
import { type KubernetesObject, keyOf, type NewObject } from "../../pkg/api/object.ts";
import type { ResourceDefinition } from "../../pkg/api/resource.ts";
import { clusterRoleResource } from "../../pkg/api/resources/clusterrole.ts";
import { clusterRoleBindingResource } from "../../pkg/api/resources/clusterrolebinding.ts";
import { nodeResource } from "../../pkg/api/resources/node.ts";
import { podResource } from "../../pkg/api/resources/pod.ts";
import { type Clock, systemClock } from "../../pkg/base/clock.ts";
import { type Logger, silentLogger } from "../../pkg/base/log.ts";
import { runAll } from "../../pkg/base/service.ts";
import type { Client } from "../../pkg/client/client.ts";
import type { Informer } from "../../pkg/client/informer.ts";
import { createLegacyTokenIssuer } from "../../pkg/server/apiserver/authn/legacy-token-issuer.ts";
import {
  newClusterRoleBindings,
  newClusterRoles,
} from "../../pkg/server/bootstrap/default-roles.ts";
import { createControlLoops } from "../../pkg/server/control-loops.ts";
import { createLocalClient } from "../../pkg/server/local-client.ts";
import { type ApiWorld, type ApiWorldOptions, startApiWorld } from "./api-world.ts";

/** A control plane that is real but for its nodes: pods that are bound say that they run, and end when they are deleted. */
export interface LoopsWorld extends AsyncDisposable {
  readonly api: ApiWorld;
  readonly client: Client;
  readonly signal: AbortSignal;
  /** What went wrong in the loops, as they logged it. */
  readonly errors: readonly string[];
  addNode(name: string, fields?: NodeFields): Promise<Node>;
  /** Resolves with what `look` finds, as soon as it finds something; it looks again at each change of the kind. */
  until<T extends KubernetesObject, Found>(
    resource: ResourceDefinition<T>,
    look: (objects: readonly T[]) => Found | undefined,
  ): Promise<Found>;
  /** Pods with this name's prefix never become ready. */
  readonly broken: Set<string>;
}

export interface NodeFields {
  readonly labels?: Record<string, string>;
  readonly cpu?: string;
  readonly unschedulable?: boolean;
}

export async function startLoopsWorld(
  options: { readonly clock?: Clock } & ApiWorldOptions = {},
): Promise<LoopsWorld> {
  const api = await startApiWorld(options);
  const { client } = api;
  const stop = new AbortController();
  const errors: string[] = [];
  // Each may do what its role allows, and no more: as in a cluster.
  for (const role of newClusterRoles()) {
    await client.create(clusterRoleResource, role, stop.signal);
  }
  for (const binding of newClusterRoleBindings()) {
    await client.create(clusterRoleBindingResource, binding, stop.signal);
  }
  const clientAs = (username: string, fieldManager: string) =>
    createLocalClient({
      api: api.server.api,
      user: {
        username,
        groups: [
          ...(username.startsWith("system:serviceaccount:")
            ? ["system:serviceaccounts", "system:serviceaccounts:kube-system"]
            : []),
          "system:authenticated",
        ],
      },
      fieldManager,
    });
  const broken = new Set<string>();
  const running = runAll(
    createControlLoops({
      client,
      clientFor: (account) => clientAs(`system:serviceaccount:kube-system:${account}`, account),
      schedulerClient: clientAs("system:kube-scheduler", "kube-scheduler"),
      clock: options.clock ?? systemClock,
      logger: loggerInto(errors),
      random: Math.random,
      kinds: api.resources,
      clusterCidr: "10.42.0.0/16",
      serverNode: undefined,
      rootCa: "the CA",
      authorities: { client: api.authority, server: api.authority },
      issueToken: createLegacyTokenIssuer(api.tokenKey),
    }),
    stop.signal,
  );
  const pods = client.informer(podResource);
  const nodeLife = pods.run(stop.signal);
  const kubelet = playKubelet(client, pods, broken, stop.signal);

  return {
    api,
    client,
    signal: stop.signal,
    errors,
    broken,
    async addNode(name, fields = {}) {
      const node = await client.create(nodeResource, newNode(name, fields), stop.signal);
      const status = {
        capacity: { cpu: fields.cpu ?? "4", memory: "8Gi", pods: "110" },
        allocatable: { cpu: fields.cpu ?? "4", memory: "8Gi", pods: "110" },
        conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
      };
      return client.patch(
        nodeResource,
        keyOf(node),
        { type: "merge", patch: { status } },
        stop.signal,
        { subresource: "status" },
      );
    },
    async until(resource, look) {
      const ended = new AbortController();
      const informer = client.informer(resource);
      const watching = informer.run(ended.signal);
      try {
        await informer.synced(ended.signal);
        return await new Promise((resolve, reject) => {
          let latest: unknown;
          const timeout = systemClock.after(20_000, () => {
            const seen = JSON.stringify(latest, undefined, 1);
            reject(
              new Error(`nothing was found among ${resource.plural}: ${seen} ${errors.join("\n")}`),
            );
          });
          const check = () => {
            latest = informer.list();
            const found = look(informer.list());
            if (found === undefined) return;
            timeout();
            resolve(found);
          };
          informer.subscribe(check);
          check();
        });
      } finally {
        ended.abort();
        await watching;
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([running, nodeLife, kubelet()]);
      await api[Symbol.asyncDispose]();
    },
  };
}

/** Returns the way to wait for what it still does. */
function playKubelet(
  client: Client,
  pods: Informer<Pod>,
  broken: ReadonlySet<string>,
  signal: AbortSignal,
): () => Promise<unknown> {
  const work = new Set<Promise<unknown>>();
  let addresses = 1;
  const act = async (pod: Pod) => {
    const { uid } = pod.metadata;
    if ((pod.spec.nodeName ?? "") === "") return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      await client.delete(podResource, keyOf(pod), signal, options);
      return;
    }
    if (pod.status.phase === "Running") return;
    addresses += 1;
    const ip = `10.42.${addresses >> 8}.${addresses & 255}`;
    const ready = ![...broken].some((prefix) => pod.metadata.name.startsWith(prefix));
    const status = {
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [
        {
          type: "Ready",
          status: ready ? "True" : "False",
          lastTransitionTime: new Date().toISOString(),
        },
      ],
    };
    const patch = { metadata: { uid }, status };
    await client.patch(podResource, keyOf(pod), { type: "strategic", patch }, signal, {
      subresource: "status",
    });
  };
  pods.subscribe((event) => {
    if (event.type === "deleted") return;
    const acting = act(event.object)
      .catch(() => undefined)
      .finally(() => work.delete(acting));
    work.add(acting);
  });
  return () => Promise.all(work);
}

function newNode(name: string, fields: NodeFields): NewObject<Node> {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...fields.labels } },
    spec: fields.unschedulable === true ? { unschedulable: true } : {},
  };
}

function loggerInto(errors: string[]): Logger {
  const logger: Logger = {
    ...silentLogger,
    error(message, fields) {
      const { error } = fields ?? {};
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error ?? "");
      errors.push(`${message} ${JSON.stringify(fields)} ${detail}`);
    },
    child: () => logger,
  };
  return logger;
}
