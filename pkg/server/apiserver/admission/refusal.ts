import { ApiError } from "../../../api/api-error.ts";
import type { TemplateMeta } from "../../../api/object.ts";
import type { AdmissionRequest } from "./admission.ts";

/** The Forbidden that an admission plugin answers with. */
export function admissionForbidden(request: AdmissionRequest, why: string): ApiError {
  return ApiError.forbidden(request.resource, nameOf(request), why);
}

/** A name is not yet generated when admission sees a new object. */
function nameOf(request: AdmissionRequest): string {
  if (request.name !== "") return request.name;
  const { name = "", generateName = "" } = metaOf(request);
  return name || generateName || "Unknown";
}

/** The metadata of the object that is written; empty where it has none. */
export function metaOf(request: AdmissionRequest): TemplateMeta {
  const object = request.object as { readonly metadata?: TemplateMeta } | undefined;
  return object?.metadata ?? {};
}

/** Whether a request is about this resource itself or one of its subresources, by `pods` or `pods/status`. */
export function isAbout(request: AdmissionRequest, what: string): boolean {
  const { group, plural } = request.resource;
  const resource = group === "" ? plural : `${plural}.${group}`;
  return what === (request.subresource === "" ? resource : `${resource}/${request.subresource}`);
}
