import { ApiError } from "../../../api/api-error.ts";
import { type Eviction, evictionSchema } from "../../../api/generated/policy-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { Schema } from "../../../api/schema.ts";
import { parseDeleteOptions } from "../write-options.ts";
import type { ValueSubresource } from "./subresource.ts";

const noQuery = new URLSearchParams();

/** `pods/eviction`: a delete that asks first whether the pod may be spared. No kind here limits disruptions. */
export const evictionSubresource: ValueSubresource = {
  name: "eviction",
  isOf: (resource) => resource.group === "" && resource.plural === "pods",
  body: {
    group: "policy",
    version: "v1",
    kind: "Eviction",
    schema: evictionSchema as unknown as Schema<KubernetesObject>,
  },
  async create(deps, context, target, body, options) {
    const eviction = body as unknown as Eviction;
    const { name = "" } = eviction.metadata;
    if (name !== "" && name !== target.name) {
      throw ApiError.badRequest(
        `name in URL does not match name in Eviction object: ${target.name} != ${name}`,
      );
    }
    const asked = parseDeleteOptions(noQuery, eviction.deleteOptions);
    await deps.deleteObject(context, target, {
      ...asked,
      dryRun: asked.dryRun || options.dryRun,
    });
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  },
};
