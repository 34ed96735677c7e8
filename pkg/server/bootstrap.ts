import type { ConfigMap, Namespace } from "../api/generated/core-v1.generated.ts";
import { type KubernetesObject, keyOf, type NewObject, type ObjectKey } from "../api/object.ts";
import { equalJson } from "../api/patch/json-value.ts";
import type { ResourceDefinition } from "../api/resource.ts";
import { clusterRoleResource } from "../api/resources/clusterrole.ts";
import { clusterRoleBindingResource } from "../api/resources/clusterrolebinding.ts";
import { configMapResource } from "../api/resources/configmap.ts";
import { endpointsResource } from "../api/resources/endpoints.ts";
import { endpointSliceResource } from "../api/resources/endpointslice.ts";
import { namespaceResource } from "../api/resources/namespace.ts";
import { priorityClassResource } from "../api/resources/priorityclass.ts";
import { roleResource } from "../api/resources/role.ts";
import { roleBindingResource } from "../api/resources/rolebinding.ts";
import { serviceResource } from "../api/resources/service.ts";
import { systemPriorityClasses } from "../api/shared/system-priority-classes.ts";
import { formatTime } from "../api/time.ts";
import { isAbortOf } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Service as RunningService } from "../base/service.ts";
import type { Client } from "../client/client.ts";
import {
  newClusterRoleBindings,
  newClusterRoles,
  newSystemRoleBindings,
  newSystemRoles,
} from "./bootstrap/default-roles.ts";
import {
  type ApiEndpoint,
  dnsService,
  kubernetesEndpointSlice,
  kubernetesEndpoints,
  kubernetesService,
} from "./bootstrap/kubernetes-service.ts";
import { reconcileBinding, reconcileRole } from "./bootstrap/reconcile-roles.ts";

export interface BootstrapDeps {
  /** Of a user in system:masters. */
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface BootstrapOptions {
  readonly api: ApiEndpoint;
  /** `--cluster-dns`; undefined where DNS is disabled. */
  readonly dnsAddress: string | undefined;
  readonly clientCaPem: string;
  readonly requestHeaderCaPem: string;
}

/**
 * Makes the objects that must be there before the first request: namespaces, Kubernetes' default roles and priority
 * classes, the Services of API and DNS, and what aggregated servers authenticate with. What is there already is not
 * written again.
 */
export async function bootstrapCluster(
  deps: BootstrapDeps,
  options: BootstrapOptions,
  signal: AbortSignal,
): Promise<void> {
  const write = new Writer(deps.client, signal);
  const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
  await Promise.all(namespaces.map((name) => write.ensure(namespaceResource, newNamespace(name))));
  const { dnsAddress } = options;
  await Promise.all([
    ...newClusterRoles().map((role) => write.reconcile(clusterRoleResource, role, reconcileRole)),
    ...newClusterRoleBindings().map((binding) =>
      write.reconcile(clusterRoleBindingResource, binding, reconcileBinding),
    ),
    ...newSystemRoles().map((role) => write.reconcile(roleResource, role, reconcileRole)),
    ...newSystemRoleBindings().map((binding) =>
      write.reconcile(roleBindingResource, binding, reconcileBinding),
    ),
    write.keep(configMapResource, authenticationConfigMap(options), ["data"]),
    write.ensure(configMapResource, tokenTrackingConfigMap(deps.clock)),
    ...systemPriorityClasses.map((wanted) => write.ensure(priorityClassResource, wanted)),
    keepApiService(write, options.api),
    ...(dnsAddress === undefined ? [] : [write.ensure(serviceResource, dnsService(dnsAddress))]),
  ]);
}

const apiServiceIntervalMs = 10_000;

/** Puts Service `kubernetes` and its endpoints back when somebody changes or deletes them. Idle, it writes nothing. */
export function createApiServiceKeeper(deps: BootstrapDeps, api: ApiEndpoint): RunningService {
  return {
    name: "kubernetes-service",
    async run(signal) {
      const write = new Writer(deps.client, signal);
      while (!signal.aborted) {
        try {
          await deps.clock.sleep(apiServiceIntervalMs, signal);
          await keepApiService(write, api);
        } catch (caught) {
          if (isAbortOf(signal, caught)) return;
          deps.log.warn("cannot restore the Service kubernetes", { error: caught });
        }
      }
    },
  };
}

async function keepApiService(write: Writer, api: ApiEndpoint): Promise<void> {
  await Promise.all([
    write.reconcile(serviceResource, kubernetesService(api), (current, wanted) => {
      if (current.spec?.clusterIP !== wanted.spec?.clusterIP) return "replace";
      const ports = wanted.spec?.ports ?? [];
      if (equalJson(current.spec?.ports ?? [], ports)) return undefined;
      return { ...current, spec: { ...current.spec, ports } };
    }),
    write.keep(endpointsResource, kubernetesEndpoints(api), ["subsets"]),
    write.keep(endpointSliceResource, kubernetesEndpointSlice(api), ["endpoints", "ports"]),
  ]);
}

/** What to do about an object that is there: nothing, write this, or make it anew. */
type Reconcile<T extends KubernetesObject> = (
  current: T,
  wanted: NewObject<T>,
) => T | "replace" | undefined;

class Writer {
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** Creates what is not there. */
  ensure<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    wanted: NewObject<T>,
  ): Promise<void> {
    return this.reconcile(resource, wanted, () => undefined);
  }

  /** Creates what is not there, and puts back `fields`. */
  keep<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    wanted: NewObject<T>,
    fields: readonly (keyof NewObject<T> & keyof T & string)[],
  ): Promise<void> {
    return this.reconcile(resource, wanted, (current) => {
      const differs = fields.some(
        (field) => !equalJson(current[field], (wanted as Partial<T>)[field]),
      );
      if (!differs) return undefined;
      const values = fields.map((field) => [field, (wanted as Partial<T>)[field]] as const);
      return { ...current, ...Object.fromEntries(values) };
    });
  }

  async reconcile<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    wanted: NewObject<T>,
    decide: Reconcile<T>,
  ): Promise<void> {
    const key: ObjectKey = keyOf(wanted);
    const current = await this.#client.get(resource, key, this.#signal);
    const next = current === undefined ? "create" : decide(current, wanted);
    if (next === undefined) return;
    if (next === "replace") await this.#client.delete(resource, key, this.#signal);
    if (next === "create" || next === "replace") {
      await this.#client.create(resource, wanted, this.#signal);
    } else {
      await this.#client.update(resource, next, this.#signal);
    }
  }
}

function newNamespace(name: string): NewObject<Namespace> {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: {} };
}

/** Since when the use of tokens that lie in Secrets is noted on these. */
function tokenTrackingConfigMap(clock: Clock): NewObject<ConfigMap> {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "kube-apiserver-legacy-service-account-token-tracking",
      namespace: "kube-system",
    },
    data: { since: formatTime(clock.now()).slice(0, 10) },
  };
}

/** By this, aggregated API servers know the clients and the front proxy of this cluster. */
function authenticationConfigMap(options: BootstrapOptions): NewObject<ConfigMap> {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "extension-apiserver-authentication", namespace: "kube-system" },
    data: {
      "client-ca-file": options.clientCaPem,
      "requestheader-allowed-names": '["system:auth-proxy"]',
      "requestheader-client-ca-file": options.requestHeaderCaPem,
      "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
      "requestheader-group-headers": '["X-Remote-Group"]',
      "requestheader-uid-headers": '["X-Remote-Uid"]',
      "requestheader-username-headers": '["X-Remote-User"]',
    },
  };
}
