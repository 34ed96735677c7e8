import type { APIService } from "../../api/generated/apiregistration-v1.generated.ts";
import type { NewObject } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { apiServiceResource } from "../../api/resources/apiservice.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";
import type { ObjectFeed } from "../apiserver/authz/object-feed.ts";
import { createKeeper } from "./keeper.ts";

/** What is served: one entry for each version of each kind. */
interface ServedKinds {
  readonly all: readonly { readonly group: string; readonly version: string }[];
  subscribe(changed: () => void): () => void;
}

export interface ApiServiceDeps {
  /** Of a user in system:masters. */
  readonly client: Client;
  readonly feed: ObjectFeed;
  readonly kinds: ServedKinds;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How early clients look into a group, and of its versions, into which first. */
type Priority = readonly [group: number, version: number];

const priorities: Readonly<Record<string, Priority>> = {
  "v1.": [18_000, 1],
  "v1.apps": [17_800, 15],
  "v1.events.k8s.io": [17_750, 15],
  "v1.authentication.k8s.io": [17_700, 15],
  "v1.authorization.k8s.io": [17_600, 15],
  "v1.autoscaling": [17_500, 15],
  "v2.autoscaling": [17_500, 30],
  "v1.batch": [17_400, 15],
  "v1.certificates.k8s.io": [17_300, 15],
  "v1.networking.k8s.io": [17_200, 15],
  "v1.policy": [17_100, 15],
  "v1.rbac.authorization.k8s.io": [17_000, 15],
  "v1.storage.k8s.io": [16_800, 15],
  "v1.apiextensions.k8s.io": [16_700, 15],
  "v1.admissionregistration.k8s.io": [16_700, 15],
  "v1.scheduling.k8s.io": [16_600, 15],
  "v1.coordination.k8s.io": [16_500, 15],
  "v1.node.k8s.io": [16_300, 15],
  "v1.discovery.k8s.io": [16_200, 15],
  "v1.flowcontrol.apiserver.k8s.io": [16_100, 21],
  "v1.resource.k8s.io": [15_900, 15],
};
const customPriority: Priority = [1000, 100];

/** Says of an APIService whether, and how long, the server keeps it. */
const managedLabel = "kube-aggregator.kubernetes.io/automanaged";
const sinceStart = "onstart";
const always = "true";

/** The aggregator does not register itself. */
const ownGroup = "apiregistration.k8s.io";

/** The APIService of each version of each group that is served here, by its name. */
export function plannedApiServices(
  kinds: ServedKinds["all"],
): ReadonlyMap<string, NewObject<APIService>> {
  const planned = new Map<string, NewObject<APIService>>();
  for (const { group, version } of kinds) {
    const name = `${version}.${group}`;
    if (group === ownGroup || planned.has(name)) continue;
    const known = Object.hasOwn(priorities, name) ? priorities[name] : undefined;
    const [groupPriorityMinimum, versionPriority] = known ?? customPriority;
    planned.set(name, {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: {
        name,
        labels: { [managedLabel]: known === undefined ? always : sinceStart },
      },
      spec: {
        ...(group === "" ? {} : { group }),
        version,
        groupPriorityMinimum,
        versionPriority,
      },
    } as NewObject<APIService>);
  }
  return planned;
}

/** Keeps an APIService for each group and version that this server serves itself, custom ones included. */
export function createApiServiceRegistration(deps: ApiServiceDeps): Service {
  const { client, clock, feed, kinds, log } = deps;
  const present = new Map<string, APIService>();
  return createKeeper({
    name: "api-registration",
    what: "the APIServices",
    clock,
    log,
    subscribe: (wake) => [
      kinds.subscribe(wake),
      feed.subscribe(apiServiceResource, (current, previous) => {
        if (current === undefined) present.delete(previous?.metadata.name ?? "");
        else present.set(current.metadata.name, current);
        wake();
      }),
    ],
    async keep(signal) {
      const planned = plannedApiServices(kinds.all);
      const writes: Promise<unknown>[] = [];
      for (const [name, wanted] of planned) {
        const current = present.get(name);
        if (current === undefined) writes.push(client.create(apiServiceResource, wanted, signal));
        else if (isManaged(current) && !equalJson(current.spec, wanted.spec)) {
          const next = { ...current, spec: wanted.spec } as APIService;
          writes.push(client.update(apiServiceResource, next, signal));
        }
      }
      for (const [name, { metadata }] of present) {
        if (planned.has(name) || metadata.labels?.[managedLabel] === undefined) continue;
        const preconditions = { uid: metadata.uid };
        writes.push(client.delete(apiServiceResource, name, signal, { preconditions }));
      }
      await Promise.all(writes);
    },
  });
}

function isManaged({ metadata }: APIService): boolean {
  const label = metadata.labels?.[managedLabel];
  return label === always || label === sinceStart;
}
