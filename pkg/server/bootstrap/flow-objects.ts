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
import { createKeeper } from "./keeper.ts";

export interface FlowObjectDeps {
  /** Of a user in system:masters. */
  readonly client: Client;
  readonly feed: ObjectFeed;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Keeps the FlowSchemas and PriorityLevelConfigurations of every cluster, as far as nobody took them over, and tells
 * of each FlowSchema whether the level it names is there. Woken by changes; idle, it does nothing.
 */
export function createFlowObjectKeeper(deps: FlowObjectDeps): Service {
  const keeper = new FlowObjects(deps);
  return createKeeper({
    name: "flow-control-objects",
    what: "the objects of flow control",
    clock: deps.clock,
    log: deps.log,
    subscribe: (wake) => keeper.subscribe(wake),
    keep: (signal) => keeper.keepAll(signal),
  });
}

class FlowObjects {
  readonly #deps: FlowObjectDeps;
  readonly #flowSchemas = new Map<string, FlowSchema>();
  readonly #priorityLevels = new Map<string, PriorityLevelConfiguration>();

  constructor(deps: FlowObjectDeps) {
    this.#deps = deps;
  }

  subscribe(wake: () => void): readonly (() => void)[] {
    return [
      this.#follow(flowSchemaResource, this.#flowSchemas, wake),
      this.#follow(priorityLevelConfigurationResource, this.#priorityLevels, wake),
    ];
  }

  async keepAll(signal: AbortSignal): Promise<void> {
    for (const [name, spec] of Object.entries(priorityLevelSpecs)) {
      const wanted = newPriorityLevel(name, spec);
      const current = this.#priorityLevels.get(name);
      await this.#keep(priorityLevelConfigurationResource, wanted, current, signal);
    }
    for (const [name, spec] of Object.entries(flowSchemaSpecs)) {
      const current = this.#flowSchemas.get(name);
      await this.#keep(flowSchemaResource, newFlowSchema(name, spec), current, signal);
    }
    for (const schema of [...this.#flowSchemas.values()]) await this.#tellDangling(schema, signal);
  }

  #follow<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    objects: Map<string, T>,
    wake: () => void,
  ): () => void {
    return this.#deps.feed.subscribe(resource, (current, previous) => {
      if (current === undefined) objects.delete(previous?.metadata.name ?? "");
      else objects.set(current.metadata.name, current);
      wake();
    });
  }

  async #keep<T extends FlowSchema | PriorityLevelConfiguration>(
    resource: ResourceDefinition<T>,
    wanted: NewObject<T>,
    current: T | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { client } = this.#deps;
    if (current === undefined) {
      await client.create(resource, wanted, signal);
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
    await client.update(resource, next, signal);
  }

  async #tellDangling(schema: FlowSchema, signal: AbortSignal): Promise<void> {
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
    await client.patch(flowSchemaResource, name, patch, signal, { subresource: "status" });
  }
}

function saysTheSame(told: FlowSchemaCondition, now: FlowSchemaCondition): boolean {
  return told.status === now.status && told.reason === now.reason && told.message === now.message;
}
