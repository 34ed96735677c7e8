import { isConditionTrue } from "../../../api/conditions.ts";
import { customResources } from "../../../api/custom/custom-resource.ts";
import type { CustomResourceDefinition } from "../../../api/custom/definition.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { customResourceDefinitionResource } from "../../../api/resources/customresourcedefinition.ts";
import type { Logger } from "../../../base/log.ts";
import type { ObjectFeed } from "../authz/object-feed.ts";
import type { ResourceTable } from "../resource-table.ts";

export interface CustomResourcesDeps {
  readonly feed: ObjectFeed;
  readonly resources: ResourceTable;
  readonly logger: Logger;
  /** Told of definitions that are no longer served, or by others. */
  replaced(definitions: readonly ResourceDefinition[]): void;
}

/**
 * Serves the kinds of every established CustomResourceDefinition, from the moment its state says so until it is gone.
 * One that names a built-in kind changes nothing of that.
 * Returns the way to stop.
 */
export function serveCustomResources(deps: CustomResourcesDeps): () => void {
  const { feed, resources, logger } = deps;
  const served = new Map<string, readonly ResourceDefinition[]>();

  function serve(name: string, definitions: readonly ResourceDefinition[]): void {
    const before = served.get(name) ?? [];
    if (before.length === 0 && definitions.length === 0) return;
    resources.replaceCustom(name, definitions);
    if (definitions.length === 0) served.delete(name);
    else served.set(name, definitions);
    deps.replaced(before);
  }

  return feed.subscribe<CustomResourceDefinition>(
    customResourceDefinitionResource,
    (current, previous) => {
      const name = current?.metadata.name ?? previous?.metadata.name ?? "";
      if (current === undefined || !isEstablished(current)) {
        serve(name, []);
        return;
      }
      if (resources.isBuiltIn(current.spec.group, current.spec.names.plural)) return;
      if (previous !== undefined && isServedAlike(current, previous)) return;
      try {
        serve(name, customResources(current));
      } catch (caught) {
        // What was stored has passed validation: this is our own mistake, and no reason to stop serving all else.
        const error = caught instanceof Error ? caught.message : String(caught);
        logger.error("a custom resource definition cannot be served", { name, error });
      }
    },
  );
}

function isEstablished({ status }: CustomResourceDefinition): boolean {
  return isConditionTrue(status?.conditions, "Established");
}

function isServedAlike(
  current: CustomResourceDefinition,
  previous: CustomResourceDefinition,
): boolean {
  return (
    isEstablished(previous) &&
    equalJson(current.spec, previous.spec) &&
    equalJson(current.status?.acceptedNames, previous.status?.acceptedNames)
  );
}
