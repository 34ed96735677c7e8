import type {
  FlowSchema,
  PriorityLevelConfiguration,
} from "../../../api/generated/flowcontrol-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { flowSchemaResource } from "../../../api/resources/flowschema.ts";
import { priorityLevelConfigurationResource } from "../../../api/resources/prioritylevelconfiguration.ts";
import type { ObjectFeed } from "../authz/object-feed.ts";
import type { Configured, FlowControl } from "./flow-control.ts";

/** Keeps flow control as the stored objects say; as long as there are none, it stays as it is. */
export function followConfiguration(flowControl: FlowControl, feed: ObjectFeed): void {
  const flowSchemas = new Map<string, FlowSchema>();
  const priorityLevels = new Map<string, PriorityLevelConfiguration>();
  let isPending = false;
  // Objects come in groups, at the start above all.
  const changed = () => {
    if (isPending) return;
    isPending = true;
    queueMicrotask(() => {
      isPending = false;
      if (flowSchemas.size === 0 && priorityLevels.size === 0) return;
      flowControl.configure({
        flowSchemas: configuredOf(flowSchemas),
        priorityLevels: configuredOf(priorityLevels),
      });
    });
  };
  keep(feed, flowSchemaResource, flowSchemas, changed);
  keep(feed, priorityLevelConfigurationResource, priorityLevels, changed);
}

function keep<T extends KubernetesObject & { readonly spec: unknown }>(
  feed: ObjectFeed,
  resource: ResourceDefinition<T>,
  objects: Map<string, T>,
  changed: () => void,
): void {
  feed.subscribe(resource, (current, previous) => {
    if (current === undefined) objects.delete(previous?.metadata.name ?? "");
    else objects.set(current.metadata.name, current);
    if (current?.spec !== previous?.spec) changed();
  });
}

function configuredOf<Spec>(
  objects: ReadonlyMap<
    string,
    { readonly metadata: { readonly name: string; readonly uid: string }; readonly spec: Spec }
  >,
): readonly Configured<Spec>[] {
  return [...objects.values()].map(({ metadata: { name, uid }, spec }) => ({ name, uid, spec }));
}
