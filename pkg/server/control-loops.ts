import { namespaceResource } from "../api/resources/namespace.ts";
import { nodeResource } from "../api/resources/node.ts";
import { podResource } from "../api/resources/pod.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Client } from "../client/client.ts";
import type { ControllerMetrics } from "../client/controller-runner.ts";
import { controllerService } from "../client/controller-runner.ts";
import type { LiveKinds } from "../client/live-kinds.ts";
import { createEventBroadcaster } from "../client/recorder.ts";
import { createSharedInformers } from "../client/shared-informers.ts";
import { createTrackedClient } from "../client/tracked-client.ts";
import { type CatalogDeps, catalog } from "./controllers/catalog.ts";
import { createScheduler } from "./scheduler/scheduler.ts";

export interface ControlLoopsOptions {
  /** Acts for the controllers: may do whatever any of them does. */
  readonly client: Client;
  /** Acts for the controllers that are ServiceAccounts of kube-system, by the account's name. Default: `client`. */
  readonly clientFor?: (account: string) => Client;
  /** Acts for the scheduler. */
  readonly schedulerClient: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly kinds: LiveKinds;
  readonly clusterCidr: string;
  /** The node on this server's machine; undefined where there is none. */
  readonly serverNode: string | undefined;
  /** PEM. */
  readonly rootCa: string;
  readonly authorities: CatalogDeps["authorities"];
  readonly issueToken: CatalogDeps["issueToken"];
  /** Names from the catalog, and `scheduler`, that are not to run. */
  readonly disabled?: ReadonlySet<string>;
  readonly metrics?: ControllerMetrics;
}

/** The controllers and the scheduler with the informers they share, to be run together. */
export function createControlLoops(options: ControlLoopsOptions): readonly Service[] {
  const { client, clock, logger, random, kinds, clusterCidr, rootCa } = options;
  const disabled = options.disabled ?? new Set<string>();
  const informers = createSharedInformers(client);
  const existing: typeof informers.existing = (resource) => informers.existing(resource);
  const ownWrites = createTrackedClient(client, existing);
  const writesOf = (account: string | undefined) => {
    if (account === undefined || options.clientFor === undefined) return ownWrites;
    return createTrackedClient(options.clientFor(account), existing);
  };
  const events = createEventBroadcaster({ client, clock, logger, random });
  const informer = informers.informer;
  const runnerOptions = {
    clock,
    logger,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
  };

  const services: Service[] = [];
  for (const entry of catalog) {
    if (disabled.has(entry.name)) continue;
    const writes = writesOf(entry.account);
    const made = entry.create({
      client: writes.client,
      informer,
      clock,
      logger: logger.child({ controller: entry.name }),
      recorder: (component) => events.recorder(component),
      kinds,
      clusterCidr,
      serverNode: options.serverNode,
      rootCa,
      authorities: options.authorities,
      issueToken: options.issueToken,
    });
    services.push("run" in made ? made : controllerService(made, { ...runnerOptions, writes }));
  }
  if (!disabled.has("scheduler")) {
    services.push(
      createScheduler({
        client: options.schedulerClient,
        clock,
        random,
        logger: logger.child({ component: "scheduler" }),
        pods: informer(podResource),
        nodes: informer(nodeResource),
        namespaces: informer(namespaceResource),
        events: events.recorder("default-scheduler"),
      }),
    );
  }
  return [informers, events, ...services];
}
