import type { TokenRequest } from "../../../api/generated/authentication-v1.generated.ts";
import type { Node, PersistentVolumeClaim, Pod } from "../../../api/generated/core-v1.generated.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import { isReservedNodeLabel } from "../../../api/reserved-node-labels.ts";
import { groupResourceOf } from "../../../api/resource.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { podConfigMaps, podSecrets } from "../../../api/shared/pod-references.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import { nodeNameOf } from "../authz/node-authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "./admission.ts";
import { podTokenAudiences } from "./pod-token-audiences.ts";
import { admissionForbidden, metaOf } from "./refusal.ts";

const mirrorAnnotation = "kubernetes.io/config.mirror";
const leaseNamespace = "kube-node-lease";

interface Restricted {
  readonly reader: ObjectReader;
  readonly authorizer: Authorizer;
  readonly request: AdmissionRequest;
  readonly nodeName: string;
  /** The node's name, quoted. */
  readonly node: string;
}

/** A node changes its own Node, its own Lease and the pods that run on it, and nothing else of those. */
export function createNodeRestriction(
  reader: ObjectReader,
  authorizer: Authorizer,
): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    admit(request) {
      const nodeName = nodeNameOf(request.user);
      if (nodeName === undefined || request.operation === "CONNECT") return;
      const node = JSON.stringify(nodeName);
      const why =
        nodeName === ""
          ? `could not determine node from user ${JSON.stringify(request.user.username)}`
          : problemOf({ reader, authorizer, request, nodeName, node });
      if (why !== undefined) throw admissionForbidden(request, why);
    },
  };
}

function problemOf(restricted: Restricted): string | undefined {
  const { request, nodeName } = restricted;
  switch (groupResourceOf(request.resource)) {
    case "pods":
      return podPartProblem(restricted);
    case "nodes":
      return nodeProblem(restricted);
    case "persistentvolumeclaims":
      return claimProblem(restricted);
    case "serviceaccounts":
      return request.operation === "CREATE" && request.subresource === "token"
        ? tokenProblem(restricted)
        : undefined;
    case "leases.coordination.k8s.io":
      if (request.namespace !== leaseNamespace) {
        return `can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`;
      }
      return writtenName(request) === nodeName
        ? undefined
        : "can only access node lease with the same name as the requesting node";
    case "csinodes.storage.k8s.io":
      return writtenName(request) === nodeName
        ? undefined
        : "can only access CSINode with the same name as the requesting node";
    default:
      return undefined;
  }
}

/** What is created has its name in the object alone. */
function writtenName(request: AdmissionRequest): string | undefined {
  return request.operation === "CREATE" ? metaOf(request).name : request.name;
}

// ---- pods --------------------------------------------------------------------

function podPartProblem(restricted: Restricted): string | undefined {
  const { subresource } = restricted.request;
  switch (subresource) {
    case "":
      return podProblem(restricted);
    case "status":
      return podStatusProblem(restricted);
    case "eviction":
      return evictionProblem(restricted);
    default:
      return `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
  }
}

function podProblem(restricted: Restricted): string | undefined {
  const { request, node, nodeName } = restricted;
  switch (request.operation) {
    case "CREATE":
      return newPodProblem(restricted, request.object as Pod);
    case "DELETE":
      return (request.previous as Pod | undefined)?.spec?.nodeName === nodeName
        ? undefined
        : `node ${node} can only delete pods with spec.nodeName set to itself`;
    default:
      return `unexpected operation ${JSON.stringify(request.operation)}, node ${node} can only create and delete mirror pods`;
  }
}

function newPodProblem(restricted: Restricted, pod: Pod): string | undefined {
  const { node, nodeName } = restricted;
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) {
    return `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${node} can only create mirror pods`;
  }
  if (pod.spec?.nodeName !== nodeName) {
    return `node ${node} can only create pods with spec.nodeName set to itself`;
  }
  return ownerProblem(restricted, pod) ?? referenceProblem(node, pod);
}

/** A mirror pod goes with its node, and holds nothing up. */
function ownerProblem({ reader, node, nodeName }: Restricted, pod: Pod): string | undefined {
  const [owner, ...others] = pod.metadata.ownerReferences ?? [];
  if (others.length > 0) {
    return `node ${node} can only create pods with a single owner reference set to itself`;
  }
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== nodeName) {
    return `node ${node} can only create pods with an owner reference set to itself`;
  }
  if (owner.controller !== true) {
    return `node ${node} can only create pods with a controller owner reference set to itself`;
  }
  if (owner.blockOwnerDeletion === true) {
    return `node ${node} must not set blockOwnerDeletion on an owner reference`;
  }
  const uid = reader.get(nodeResource, undefined, nodeName)?.metadata.uid;
  return owner.uid === uid
    ? undefined
    : `node ${nodeName} UID mismatch: expected ${owner.uid} got ${uid ?? ""}`;
}

/** What a mirror pod names, its node could read. */
function referenceProblem(node: string, pod: Pod): string | undefined {
  const refuse = (what: string) => `node ${node} can not create pods that reference ${what}`;
  const { spec } = pod;
  const volumes = spec?.volumes ?? [];
  if (spec?.serviceAccountName) return refuse("a service account");
  if (podSecrets(pod).size > 0) return refuse("secrets");
  if (podConfigMaps(pod).size > 0) return refuse("configmaps");
  const projects = volumes.some(({ projected }) =>
    projected?.sources?.some((source) => source.clusterTrustBundle !== undefined),
  );
  if (projects) return refuse("clustertrustbundles");
  if ((spec?.resourceClaims ?? []).length > 0)
    return refuse("resourceclaim or resourceclaimtemplate");
  return volumes.some((volume) => volume.persistentVolumeClaim !== undefined)
    ? refuse("persistentvolumeclaims")
    : undefined;
}

function podStatusProblem({ request, node, nodeName }: Restricted): string | undefined {
  if (request.operation !== "UPDATE") {
    return `unexpected operation ${JSON.stringify(request.operation)}`;
  }
  const next = request.object as Pod;
  const previous = request.previous as Pod;
  if (previous.spec?.nodeName !== nodeName) {
    return `node ${node} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!equalJson(next.metadata.labels ?? {}, previous.metadata.labels ?? {})) {
    return `node ${node} cannot update labels through pod status`;
  }
  const claimsOf = ({ status }: Pod) =>
    (status?.resourceClaimStatuses ?? []).map(({ name, resourceClaimName }) => [
      name,
      resourceClaimName ?? null,
    ]);
  if (!equalJson(claimsOf(next), claimsOf(previous))) {
    return `node ${node} cannot update resource claim statues`;
  }
  return undefined;
}

function evictionProblem({ reader, request, nodeName }: Restricted): string | undefined {
  if (request.operation !== "CREATE") return `unexpected operation ${request.operation}`;
  const name = request.name || (metaOf(request).name ?? "");
  if (name === "") return "could not determine pod from request data";
  const pod = reader.get(podResource, request.namespace, name);
  if (pod === undefined || pod.spec?.nodeName === nodeName) return undefined;
  return `node ${nodeName} can only evict pods with spec.nodeName set to itself`;
}

// ---- nodes -------------------------------------------------------------------

function nodeProblem({ request, node, nodeName }: Restricted): string | undefined {
  const requested = request.name || (metaOf(request).name ?? "");
  if (requested !== nodeName) {
    return `node ${node} is not allowed to modify node ${JSON.stringify(requested)}`;
  }
  if (request.operation === "DELETE") return undefined;
  const next = request.object as Node;
  const previous = request.previous as Node | undefined;
  const { configSource } = next.spec ?? {};
  if (previous === undefined) {
    if (configSource !== undefined) {
      return `node ${node} is not allowed to create pods with a non-nil configSource`;
    }
    const labels = forbiddenLabels(next.metadata.labels ?? {}, {});
    return labels === ""
      ? undefined
      : `node ${node} is not allowed to set the following labels: ${labels}`;
  }
  if (configSource !== undefined && !equalJson(configSource, previous.spec?.configSource)) {
    return `node ${node} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!equalJson(next.spec?.taints ?? [], previous.spec?.taints ?? [])) {
    return `node ${node} is not allowed to modify taints`;
  }
  const labels = forbiddenLabels(next.metadata.labels ?? {}, previous.metadata.labels ?? {});
  return labels === "" ? undefined : `is not allowed to modify labels: ${labels}`;
}

type Labels = Readonly<Record<string, string>>;

function forbiddenLabels(next: Labels, previous: Labels): string {
  const keys = new Set([...Object.keys(next), ...Object.keys(previous)]);
  return [...keys]
    .filter((key) => next[key] !== previous[key] && isReservedNodeLabel(key))
    .sort()
    .join(", ");
}

// ---- claims ------------------------------------------------------------------

/** A node tells how large a volume has become, and nothing else of its claim. */
function claimProblem({ request, node }: Restricted): string | undefined {
  if (request.subresource !== "status") return "may only update PVC status";
  if (request.operation !== "UPDATE") {
    return `unexpected operation ${JSON.stringify(request.operation)}`;
  }
  const rest = ({ metadata, spec, status }: PersistentVolumeClaim) => {
    const { resourceVersion: _, managedFields: __, ...keptMeta } = metadata;
    const {
      capacity: ___,
      conditions: ____,
      allocatedResources: _____,
      allocatedResourceStatuses: ______,
      ...keptStatus
    } = status ?? {};
    return { metadata: keptMeta, spec, status: keptStatus };
  };
  const next = rest(request.object as PersistentVolumeClaim);
  const previous = rest(request.previous as PersistentVolumeClaim);
  const changed = (["metadata", "spec", "status"] as const).filter(
    (part) => !equalJson(next[part], previous[part]),
  );
  return changed.length === 0
    ? undefined
    : `node ${node} is not allowed to update fields other than status.capacity and status.conditions: ${changed.join(", ")}`;
}

// ---- tokens ------------------------------------------------------------------

function tokenProblem(restricted: Restricted): string | undefined {
  const { reader, request, nodeName } = restricted;
  const { spec } = request.object as Partial<TokenRequest>;
  const reference = spec?.boundObjectRef;
  if (reference?.apiVersion !== "v1" || reference.kind !== "Pod" || !reference.name) {
    return "node requested token not bound to a pod";
  }
  if (!reference.uid) return "node requested token with a pod binding without a uid";
  const pod = reader.get(podResource, request.namespace, reference.name);
  if (pod === undefined) return `pod ${JSON.stringify(reference.name)} not found`;
  if (pod.metadata.uid !== reference.uid) {
    return `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec?.nodeName !== nodeName) {
    return "node requested token bound to a pod scheduled on a different node";
  }
  return audienceProblem(restricted, pod, spec?.audiences ?? []);
}

/** A node gets tokens only for those whom its pod means to show them to. */
function audienceProblem(
  { reader, authorizer, request }: Restricted,
  pod: Pod,
  audiences: readonly string[],
): string | undefined {
  if (audiences.length > 1) return "node may only request 0 or 1 audiences";
  const [audience = ""] = audiences;
  if (podTokenAudiences(reader, pod).has(audience)) return undefined;
  const { user, namespace = "", name } = request;
  const decision = authorizer.authorize({
    type: "resource",
    user,
    verb: "request-serviceaccounts-token-audience",
    group: "",
    version: "v1",
    resource: audience,
    subresource: "",
    namespace,
    name,
  });
  return decision.allowed
    ? undefined
    : `audience ${JSON.stringify(audience)} not found in pod spec volume, ${user.username} is not authorized to request tokens for this audience`;
}
