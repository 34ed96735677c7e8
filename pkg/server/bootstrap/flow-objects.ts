import type {
  FlowSchema,
  FlowSchemaCondition,
  PriorityLevelConfiguration,
} from "../../api/generated/flowcontrol-v1.generated.ts";
import type { KubernetesObject, NewObject } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import { flowSchemaResource } from "../../api/resources/flowschema.ts";
import { priorityLevelConfigurationResource } from "../../api/resources/prioritylevelconfiguration.ts";
import { formatTime } from "../../api/time.ts";
import { isAbortOf } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";
import type { ObjectFeed } from "../apiserver/authz/object-feed.ts";
import {
  autoUpdateAnnotation,
  flowSchemaSpecs,
  newFlowSchema,
  newPriorityLevel,
  priorityLevelSpecs,
} from "../apiserver/flow-control/bootstrap-objects.ts";

export interface FlowObjectDeps {
  /** Of a user in system:masters. */
  readonly client: Client;
  readonly feed: ObjectFeed;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Changes come in groups; what could not be written is tried again so much later. */
const settleMs = 50;
const retryMs = 10_000;

/**
 * Keeps the FlowSchemas and PriorityLevelConfigurations of every cluster, as far as nobody took them over, and tells
 * of each FlowSchema whether the level it names is there. Woken by changes; idle, it does nothing.
 */
export function createFlowObjectKeeper(deps: FlowObjectDeps): Service {
  return {
    name: "flow-control-objects",
    async run(signal) {
      const keeper = new Keeper(deps, signal);
      using _subscriptions = keeper.subscribe();
      while (!signal.aborted) {
        try {
          await keeper.keepAll();
          await keeper.untilChanged();
          await deps.clock.sleep(settleMs, signal);
        } catch (caught) {
          if (isAbortOf(signal, caught)) return;
          deps.log.warn("cannot keep the objects of flow control", { error: caught });
          await deps.clock.sleep(retryMs, signal).catch(() => {});
        }
      }
    },
  };
}

class Keeper {
  readonly #deps: FlowObjectDeps;
  readonly #signal: AbortSignal;
  readonly #flowSchemas = new Map<string, FlowSchema>();
  readonly #priorityLevels = new Map<string, PriorityLevelConfiguration>();
  #changed = Promise.withResolvers<void>();

  constructor(deps: FlowObjectDeps, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  subscribe(): Disposable {
    const stops = [
      this.#follow(flowSchemaResource, this.#flowSchemas),
      this.#follow(priorityLevelConfigurationResource, this.#priorityLevels),
    ];
    const wake = () => this.#changed.resolve();
    this.#signal.addEventListener("abort", wake, { once: true });
    return {
      [Symbol.dispose]: () => {
        this.#signal.removeEventListener("abort", wake);
        for (const stop of stops) stop();
      },
    };
  }

  async untilChanged(): Promise<void> {
    await this.#changed.promise;
    this.#changed = Promise.withResolvers();
    this.#signal.throwIfAborted();
  }

  async keepAll(): Promise<void> {
    for (const [name, spec] of Object.entries(priorityLevelSpecs)) {
      const wanted = newPriorityLevel(name, spec);
      await this.#keep(priorityLevelConfigurationResource, wanted, this.#priorityLevels.get(name));
    }
    for (const [name, spec] of Object.entries(flowSchemaSpecs)) {
      await this.#keep(flowSchemaResource, newFlowSchema(name, spec), this.#flowSchemas.get(name));
    }
    for (const schema of [...this.#flowSchemas.values()]) await this.#tellDangling(schema);
  }

  #follow<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    objects: Map<string, T>,
  ): () => void {
    return this.#deps.feed.subscribe(resource, (current, previous) => {
      if (current === undefined) objects.delete(previous?.metadata.name ?? "");
      else objects.set(current.metadata.name, current);
      this.#changed.resolve();
    });
  }

  async #keep<T extends FlowSchema | PriorityLevelConfiguration>(
    resource: ResourceDefinition<T>,
    wanted: NewObject<T>,
    current: T | undefined,
  ): Promise<void> {
    const { client } = this.#deps;
    if (current === undefined) {
      await client.create(resource, wanted, this.#signal);
      return;
    }
    const { metadata } = current;
    const said = metadata.annotations?.[autoUpdateAnnotation];
    // Who never said so, and never changed the spec, leaves it to the server.
    const keeps = said === "true" || (said !== "false" && metadata.generation === 1);
    const annotations = { ...metadata.annotations, [autoUpdateAnnotation]: String(keeps) };
    const spec = keeps ? wanted.spec : current.spec;
    if (said === String(keeps) && equalJson(current.spec, spec)) return;
    const next = { ...current, metadata: { ...metadata, annotations }, spec };
    await client.update(resource, next, this.#signal);
  }

  async #tellDangling(schema: FlowSchema): Promise<void> {
    const { name } = schema.metadata;
    const level = schema.spec.priorityLevelConfiguration.name;
    const isDangling = !this.#priorityLevels.has(level);
    const condition = {
      type: "Dangling",
      status: isDangling ? "True" : "False",
      reason: isDangling ? "NotFound" : "Found",
      message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${isDangling ? "but there is no such object" : "and it exists"}`,
    };
    const told = schema.status.conditions?.find(({ type }) => type === "Dangling");
    if (told !== undefined && saysTheSame(told, condition)) return;
    const { clock, client } = this.#deps;
    const lastTransitionTime = formatTime(clock.now());
    const object = {
      apiVersion: schema.apiVersion,
      kind: schema.kind,
      metadata: { name },
      status: { conditions: [{ ...condition, lastTransitionTime }] },
    };
    const patch = { type: "apply", object, force: true } as const;
    await client.patch(flowSchemaResource, name, patch, this.#signal, { subresource: "status" });
  }
}

function saysTheSame(told: FlowSchemaCondition, now: FlowSchemaCondition): boolean {
  return told.status === now.status && told.reason === now.reason && told.message === now.message;
}
