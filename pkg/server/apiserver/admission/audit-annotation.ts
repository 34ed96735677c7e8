import type { AdmissionRequest } from "./admission.ts";

/** Notes something about a request for the audit log; nothing where no such log is kept of it. */
export function auditAnnotation(request: AdmissionRequest, key: string, value: string): void {
  request.auditAnnotations?.set(key, value);
}
