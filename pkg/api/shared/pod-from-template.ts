import type { Pod, PodTemplateSpec } from "../generated/core-v1.generated.ts";
import type { OwnerReference } from "../generated/meta-v1.generated.ts";
import { checkDnsSubdomain } from "../names.ts";
import type { NewObject, ObjectMeta } from "../object.ts";

/** A pod to be created from an owner's template; the server completes its name. */
export function podFromTemplate(
  template: PodTemplateSpec,
  owner: { readonly metadata: Pick<ObjectMeta, "name" | "namespace"> },
  controller: OwnerReference,
): NewObject<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: generateNameFor(owner.metadata.name),
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controller],
    },
    // A template that was stored has a spec: validation saw to it.
    spec: template.spec as Pod["spec"],
  };
}

/** The dash makes it nicer to read; a name that is too long for one does without. */
function generateNameFor(ownerName: string): string {
  return checkDnsSubdomain(`${ownerName}-a`).length === 0 ? `${ownerName}-` : ownerName;
}
