import { ApiError } from "../../../api/api-error.ts";
import { draftOf } from "../../../api/draft.ts";
import type { Namespace } from "../../../api/generated/core-v1.generated.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { checkNamespaceFinalizer } from "../../../api/shared/namespace-finalizer.ts";
import { trackFields } from "../managed-fields.ts";
import { readStored, updateStored } from "../resource-store.ts";
import type { ValueSubresource } from "./subresource.ts";

/** `namespaces/finalize`: writes `spec.finalizers`, and nothing else. A deleted namespace without any is gone. */
export const finalizeSubresource: ValueSubresource = {
  name: "finalize",
  isOf: (resource) => resource.group === "" && resource.plural === "namespaces",
  get: (deps, target) => readStored(deps, target).value,
  async update(deps, context, target, next, options) {
    const { resource, name } = target;
    const { stored } = await updateStored(deps, context, {
      target,
      subresource: "finalize",
      mayCreate: false,
      options,
      preconditions: {},
      next(previous) {
        if (previous === undefined) throw ApiError.notFound(resource, name);
        const sent = next(previous) as Draft<Namespace>;
        const draft = draftOf(previous) as Draft<Namespace>;
        const finalizers = sent.spec?.finalizers ?? [];
        const errors = finalizers.flatMap((finalizer, index) =>
          checkNamespaceFinalizer(finalizer, `spec.finalizers[${index}]`),
        );
        if (errors.length > 0) throw ApiError.invalid(resource, name, errors);
        draft.spec = { ...draft.spec, finalizers };
        if (finalizers.length === 0) delete draft.spec.finalizers;
        draft.metadata.resourceVersion = sent.metadata.resourceVersion ?? "";
        const written = draft as unknown as Draft<KubernetesObject>;
        const manager = options.fieldManager ?? context.fieldManager;
        trackFields(deps, resource, previous, written, manager, "finalize");
        return written;
      },
    });
    return stored.value;
  },
};
