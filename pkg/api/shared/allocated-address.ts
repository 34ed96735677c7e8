import type { IPAddress } from "../generated/networking-v1.generated.ts";

export const ipFamilyLabel = "ipaddress.kubernetes.io/ip-family";
export const managedByLabel = "ipaddress.kubernetes.io/managed-by";
export const ipAllocatorName = "ipallocator.k8s.io";

/** Whether an IPAddress shows what the allocation gave to a Service, and is not somebody's own. */
export function isAllocatedAddress({
  metadata,
  spec,
}: Pick<IPAddress, "metadata" | "spec">): boolean {
  const parent: IPAddress["spec"]["parentRef"] | undefined = spec.parentRef;
  return (
    metadata.labels?.[managedByLabel] === ipAllocatorName &&
    parent?.resource === "services" &&
    (parent.group ?? "") === ""
  );
}
