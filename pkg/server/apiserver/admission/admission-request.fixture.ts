import type { ResourceDefinition } from "../../../api/resource.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

/** What a test says of a write: at least its resource, which may be of any kind. */
export interface AskedWrite extends Partial<Omit<AdmissionRequest, "resource">> {
  readonly resource: unknown;
}

/** Jane writes in namespace `shop`, unless a test says otherwise. */
export function admissionRequest(asked: AskedWrite): AdmissionRequest {
  return {
    operation: "CREATE",
    subresource: "",
    namespace: "shop",
    name: "",
    object: undefined,
    previous: undefined,
    user: { username: "jane", groups: [] },
    dryRun: false,
    warnings: [],
    auditAnnotations: new Map(),
    ...asked,
    resource: asked.resource as ResourceDefinition,
  };
}

/** Sends a write through one plugin, as the store does; the object may have changed. */
export async function passThrough(plugin: AdmissionPlugin, asked: AskedWrite) {
  const request = admissionRequest(asked);
  await plugin.admit?.(request);
  await plugin.validate?.(request);
  return request;
}
