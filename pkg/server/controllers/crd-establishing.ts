import { isConditionTrue, withCondition } from "../../api/conditions.ts";
import type { CustomResourceDefinition, DefinitionCondition } from "../../api/custom/definition.ts";
import { customResourceDefinitionResource } from "../../api/resources/customresourcedefinition.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

/** Lets the kinds of a CustomResourceDefinition be served once it has its names; from then on they are. */
export function crdEstablishingController(deps: {
  readonly client: Client;
  readonly definitions: Informer<CustomResourceDefinition>;
  readonly clock: Clock;
}): Controller {
  const { client, definitions, clock } = deps;
  return {
    name: "crd-establishing",
    watches: [watchSelf(definitions)],
    async reconcile(key, signal) {
      const crd = definitions.get(key);
      const before = crd?.status?.conditions;
      if (crd === undefined || !isConditionTrue(before, "NamesAccepted")) return undefined;
      if (isConditionTrue(before, "Established")) return undefined;
      const conditions = withCondition<DefinitionCondition>(before, {
        type: "Established",
        status: "True",
        lastTransitionTime: formatTime(clock.now()),
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      });
      const established = { ...crd, status: { ...crd.status, conditions } };
      await client.update(customResourceDefinitionResource, established, signal, {
        subresource: "status",
      });
      return undefined;
    },
  };
}
