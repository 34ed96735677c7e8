import type { OwnerReference } from "../../../api/generated/meta-v1.generated.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import type { Authorizer, Decision } from "../authz/authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { admissionForbidden, isAbout, metaOf } from "./refusal.ts";

export interface OwnerReferencesDeps {
  readonly authorizer: Authorizer;
  /** The resource of a kind; undefined where the server does not know it. */
  resourceOfKind(apiVersion: string, kind: string): ResourceDefinition | undefined;
}

/** Who sets an owner may delete the object; who lets it block the owner's deletion may set the owner's finalizers. */
export function createOwnerReferencesEnforcement(deps: OwnerReferencesDeps): AdmissionPlugin {
  return {
    name: "OwnerReferencesPermissionEnforcement",
    validate(request) {
      if (request.operation !== "CREATE" && request.operation !== "UPDATE") return;
      if (keepsOwners(request)) return;
      const next = metaOf(request).ownerReferences ?? [];
      const previous = request.previous?.metadata.ownerReferences ?? [];
      if (JSON.stringify(next) === JSON.stringify(previous)) return;
      if (request.operation === "UPDATE") checkDelete(deps, request);
      const wasBlocking = new Set(previous.filter(isBlocking).map(({ uid }) => uid));
      const blocking = next.filter(isBlocking).filter(({ uid }) => !wasBlocking.has(uid));
      if (blocking.length === 0 || mayFinalizeAnything(deps, request)) return;
      for (const reference of blocking) checkFinalizers(deps, request, reference);
    },
  };
}

/** A Scale has no owners to change; those of a pod are kept when its status is written, whatever its node sends. */
function keepsOwners(request: AdmissionRequest): boolean {
  return request.subresource === "scale" || isAbout(request, "pods/status");
}

function isBlocking({ blockOwnerDeletion }: OwnerReference): boolean {
  return blockOwnerDeletion === true;
}

/** Who may do it everywhere need not be asked for each owner, nor its kind be known. */
function mayFinalizeAnything(deps: OwnerReferencesDeps, { user }: AdmissionRequest): boolean {
  return deps.authorizer.authorize({
    type: "resource",
    user,
    verb: "update",
    group: "*",
    version: "*",
    resource: "*",
    subresource: "finalizers",
    namespace: "",
    name: "*",
  }).allowed;
}

function checkDelete(deps: OwnerReferencesDeps, request: AdmissionRequest): void {
  const { group, version, plural } = request.resource;
  const decision = deps.authorizer.authorize({
    type: "resource",
    user: request.user,
    verb: "delete",
    group,
    version,
    resource: plural,
    subresource: request.subresource,
    namespace: request.namespace ?? "",
    name: request.name,
  });
  refuseUnless(decision, request, "cannot set an ownerRef on a resource you can't delete");
}

function checkFinalizers(
  deps: OwnerReferencesDeps,
  request: AdmissionRequest,
  reference: OwnerReference,
): void {
  const { apiVersion, kind, name } = reference;
  const owner = deps.resourceOfKind(apiVersion, kind);
  if (owner === undefined) {
    throw admissionForbidden(
      request,
      `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`,
    );
  }
  const decision = deps.authorizer.authorize({
    type: "resource",
    user: request.user,
    verb: "update",
    group: owner.group,
    version: owner.version,
    resource: owner.plural,
    subresource: "finalizers",
    namespace: owner.scope === "namespace" ? (request.namespace ?? "") : "",
    name,
  });
  refuseUnless(
    decision,
    request,
    "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on",
  );
}

function refuseUnless(decision: Decision, request: AdmissionRequest, why: string): void {
  if (!decision.allowed) throw admissionForbidden(request, `${why}: ${decision.reason}, <nil>`);
}
